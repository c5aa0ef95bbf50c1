// Clusters as a list: a click, Enter or Space chooses one; arrows, Home and End walk.
const element = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};

function row(one, number, chosen, choose) {
  const line = element("div", "row"), swatch = element("i");
  swatch.style.background = one.colour;
  line.setAttribute("role", "option");
  line.setAttribute("aria-selected", String(number === chosen));
  line.dataset.number = number;
  line.tabIndex = number === (chosen ?? 0) ? 0 : -1;
  line.append(swatch, element("b", "", one.name), element("span", "", one.patches), element("span", "", one.ground), element("span", "", one.share));
  line.setAttribute("aria-label", [one.name, `${one.patches} patches`, one.ground, one.share].filter(Boolean).join(", "));
  line.title = one.name;
  line.onclick = () => choose(number);
  return line;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".clusters");
  const held = root.getRootNode().activeElement?.dataset?.number;
  root.style.height = `${data.height}px`;
  const choose = (number) => setTriggerValue("cluster", number);
  const rows = data.rows.map((one, number) => row(one, number, data.chosen, choose));
  root.querySelector("[role=listbox]").replaceChildren(...rows);
  root.querySelector("p").textContent = data.rest;
  rows[data.chosen]?.scrollIntoView({ block: "nearest" });
  if (held !== undefined) rows[held]?.focus();
  root.onkeydown = (event) => {
    const at = rows.indexOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (at < 0 || (to === undefined && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.stopPropagation();
    if (to === undefined) choose(at);
    else rows[Math.min(rows.length - 1, Math.max(0, to))].focus();
  };
}
