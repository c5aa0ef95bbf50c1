// A page of patches as rows: a click on a heading has the server sort all of them, a click on a row asks for its like,
// pointing links to the other views.
const element = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};
const tables = new WeakMap();
const point = (id) => window.dispatchEvent(new CustomEvent("landlike:hover", { detail: { id, from: "table" } }));
const known = (value) => value !== null && value !== undefined && value !== "";

// Which rows are on show, pages before and after, and the way to rows of patches that are selected.
function turns(data, send) {
  if (data.pages < 2 && !data.reachable) return undefined;
  const bar = element("div", "turns"), last = data.first + data.rows.length;
  const way = (name, words, off, run) => {
    const made = element("button", "", words);
    Object.assign(made, { type: "button", disabled: off, onclick: run });
    made.dataset.turn = name;
    bar.append(made);
  };
  if (data.pages > 1) {
    way("before", "‹ Previous", data.page === 0, () => send("turn", -1));
    const told = element("span", "", `${(data.first + 1).toLocaleString("en")}–${last.toLocaleString("en")} of ${data.total.toLocaleString("en")}`);
    told.setAttribute("role", "status");
    bar.append(told);
    way("after", "Next ›", data.page === data.pages - 1, () => send("turn", 1));
  }
  if (data.reachable) way("reach", data.reachable > 1 ? `Next selected row of ${data.reachable.toLocaleString("en")}` : "Go to the selected row", false, () => send("reach", true));
  return bar;
}

function draw(root, state) {
  const active = root.getRootNode().activeElement, place = placeAmong([...root.querySelectorAll("tbody tr")], root);
  const sorting = [...root.querySelectorAll("th button")].indexOf(active);
  const { data, send } = state;
  const down = data.sorted.startsWith("-"), column = data.columns.indexOf(data.sorted.replace(/^-/, ""));
  const table = element("table"), head = element("tr");
  data.columns.forEach((name, at) => {
    const cell = element("th"), button = element("button", "", name);
    cell.setAttribute("aria-sort", at !== column ? "none" : down ? "descending" : "ascending");
    cell.scope = "col";
    button.type = "button";
    button.onclick = () => send("sort", name);
    cell.append(button);
    head.append(cell);
  });
  const body = element("tbody");
  for (const row of data.rows) {
    const line = element("tr"), id = row[data.id];
    line.dataset.patch = id;
    line.classList.toggle("query", id === data.query);
    line.classList.toggle("marked", data.marked.includes(id));
    row.forEach((value, at) => {
      const digits = data.digits[at];
      line.append(element("td", typeof value === "number" ? "number" : "", !known(value) ? "" : typeof value === "number" && digits !== null ? value.toFixed(digits).replace(/^-(?=[0.]+$)/, "").replace("-", "−") : String(value)));
    });
    line.onclick = () => tellPlot("landlike:do", { what: "query", id }, root);
    line.onkeydown = (event) => event.key === "Enter" && line.onclick();
    line.onmouseenter = line.onfocus = () => point(id);
    line.onmouseleave = line.onblur = () => point(undefined);
    body.append(line);
  }
  const top = element("thead");
  top.append(head);
  table.append(top, body);
  const pressed = root.querySelector(".turns button:focus")?.dataset.turn, bar = turns(data, send);
  root.replaceChildren(table, ...(bar ? [bar] : []));
  const lines = [...body.children];
  keepPlace(lines, place);
  if (pressed) bar?.querySelector(`[data-turn="${pressed}"]`)?.focus();
  if (sorting >= 0) root.querySelectorAll("th button")[sorting]?.focus();
  root.onkeydown = (event) => !["ArrowLeft", "ArrowRight"].includes(event.key) && goOn(lines, event, 1);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".rows");
  root.style.height = `${data.height}px`;
  const state = tables.get(root) ?? {};
  const turned = state.data && (state.data.page !== data.page || state.data.sorted !== data.sorted);
  const reached = data.reached !== null && (turned || state.data?.reached !== data.reached);
  Object.assign(state, { data, send: setTriggerValue });
  tables.set(root, state);
  draw(root, state);
  if (turned) root.scrollTop = 0;
  if (reached) root.querySelector(`tr[data-patch="${data.reached}"]`)?.scrollIntoView({ block: "center" });
  if (!state.hover) {
    state.hover = ({ detail }) => {
      root.querySelector("tr.hover")?.classList.remove("hover");
      if (detail.from !== "table" && detail.id !== undefined) root.querySelector(`tr[data-patch="${detail.id}"]`)?.classList.add("hover");
    };
    window.addEventListener("landlike:hover", state.hover);
  }
  return () => { window.removeEventListener("landlike:hover", state.hover); tables.delete(root); };
}
