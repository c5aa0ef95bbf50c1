// Patches as rows: a click on a heading sorts, a click on a row asks for its like, pointing links to the other views.
const element = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};
const tables = new WeakMap();
const point = (id) => window.dispatchEvent(new CustomEvent("landlike:hover", { detail: { id, from: "table" } }));
const known = (value) => value !== null && value !== undefined && value !== "";

function compare(column, down) {
  return (one, other) => {
    const [a, b] = [one[column], other[column]];
    if (!known(a) || !known(b)) return known(b) - known(a);
    return (down ? -1 : 1) * (typeof a === "number" ? a - b : String(a).localeCompare(String(b)));
  };
}

function draw(root, state) {
  const active = root.getRootNode().activeElement, place = placeAmong([...root.querySelectorAll("tbody tr")], root);
  const sorting = [...root.querySelectorAll("th button")].indexOf(active);
  const { data, column, down } = state;
  const rows = column === undefined ? data.rows : [...data.rows].sort(compare(column, down));
  const table = element("table"), head = element("tr");
  data.columns.forEach((name, at) => {
    const cell = element("th"), button = element("button", "", name);
    cell.setAttribute("aria-sort", at !== column ? "none" : down ? "descending" : "ascending");
    cell.scope = "col";
    button.type = "button";
    button.onclick = () => { Object.assign(state, { down: at === column ? !down : typeof data.rows[0]?.[at] === "number", column: at }); draw(root, state); };
    cell.append(button);
    head.append(cell);
  });
  const body = element("tbody");
  for (const row of rows) {
    const line = element("tr"), id = row[data.id];
    line.dataset.patch = id;
    line.classList.toggle("query", id === data.query);
    row.forEach((value, at) => {
      const digits = data.digits[at];
      line.append(element("td", typeof value === "number" ? "number" : "", !known(value) ? "" : typeof value === "number" && digits !== null ? value.toFixed(digits).replace("-", "−") : String(value)));
    });
    line.onclick = () => { window.dispatchEvent(new CustomEvent("landlike:do", { detail: { what: "query", id } })); };
    line.onkeydown = (event) => event.key === "Enter" && line.onclick();
    line.onmouseenter = line.onfocus = () => point(id);
    line.onmouseleave = line.onblur = () => point(undefined);
    body.append(line);
  }
  const top = element("thead");
  top.append(head);
  table.append(top, body);
  root.replaceChildren(table, ...(data.more ? [element("p", "", data.more)] : []));
  const lines = [...body.children];
  keepPlace(lines, place);
  if (sorting >= 0) root.querySelectorAll("th button")[sorting]?.focus();
  root.onkeydown = (event) => !["ArrowLeft", "ArrowRight"].includes(event.key) && goOn(lines, event, 1);
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".rows");
  root.style.height = `${data.height}px`;
  const state = tables.get(root) ?? {};
  state.data = data;
  tables.set(root, state);
  draw(root, state);
  if (!state.hover) {
    state.hover = ({ detail }) => {
      root.querySelector("tr.hover")?.classList.remove("hover");
      if (detail.from !== "table" && detail.id !== undefined) root.querySelector(`tr[data-patch="${detail.id}"]`)?.classList.add("hover");
    };
    window.addEventListener("landlike:hover", state.hover);
  }
  return () => { window.removeEventListener("landlike:hover", state.hover); tables.delete(root); };
}
