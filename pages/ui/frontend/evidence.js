// The examples of what is looked for, as small pictures: a click takes one away, one on its sign turns it round.
const element = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};
const button = (name, words, run) => {
  const made = element("button", name);
  Object.assign(made, { type: "button", title: words, onclick: run });
  made.setAttribute("aria-label", words);
  return made;
};

// How often an example counts, by turns, and how that is written.
const WEIGHTS = [1, 2, 0.5];
const times = (weight) => (weight === 0.5 ? "×½" : `×${weight}`);

// One example: what it is, what a click does, what one on its sign does, and what one on how often it counts does. That
// weighs those of a kind among each other, so that of a single one nothing is said of it.
function example({ good, words, src, count, kind, weight, single, drop, turn, weigh }) {
  const card = element("span", `one ${good ? "good" : "bad"} ${kind ?? ""}`);
  const take = button("take", `${words} ${good ? "A good" : "A bad"} example. Click to take it away`, drop);
  if (src) {
    const image = element("img");
    image.alt = "";
    image.src = src;
    take.append(image);
  }
  if (count) take.append(element("small", "count", count));
  const sign = button("sign", good ? "Make it a bad example" : "Make it a good example", turn);
  sign.textContent = good ? "+" : "−";
  const next = WEIGHTS[(WEIGHTS.indexOf(weight) + 1) % WEIGHTS.length];
  const heavy = button(`times${weight === 1 ? " once" : ""}`, `Counts ${times(weight)}. Let it count ${times(next)}`, () => weigh(next));
  heavy.textContent = times(weight);
  card.append(take, ...(single && weight === 1 ? [] : [heavy]), sign);
  return card;
}

function patch(root, id, sign, data, weigh, single) {
  const tell = (now) => tellPlot("landlike:do", { what: "evidence", id, sign: now }, root);
  const card = example({
    weight: data.weights[id] ?? 1, weigh, single, good: sign > 0, words: `Patch ${id}.`, src: data.thumbs.replace("{id}", id), drop: () => tell(0), turn: () => tell(-sign),
  });
  card.dataset.patch = id;
  const point = (at) => window.dispatchEvent(new CustomEvent("landlike:hover", { detail: { id: at, from: "evidence" } }));
  for (const event of ["mouseenter", "focusin"]) card.addEventListener(event, () => point(id));
  for (const event of ["mouseleave", "focusout"]) card.addEventListener(event, () => point(undefined));
  return card;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".evidence");
  const other = (single) => (one) => example({
    ...one, single, words: one.title,
    drop: () => setTriggerValue("other", { what: "drop", at: one.at }), turn: () => setTriggerValue("other", { what: "turn", at: one.at }),
    weigh: (weight) => setTriggerValue("other", { what: "weigh", at: one.at, weight }),
  });
  const weigh = (id) => (weight) => setTriggerValue("other", { what: "weigh", patch: id, weight });
  const part = (words, ids, sign) => {
    const mine = data.others.filter((one) => one.good === sign > 0), single = ids.length + mine.length === 1;
    if (!ids.length && !mine.length) return [];
    const more = ids.length > data.most ? [element("small", "more", `and ${(ids.length - data.most).toLocaleString("en")} more`)] : [];
    return [element("b", "", words), ...mine.map(other(single)), ...ids.slice(0, data.most).map((id) => patch(root, id, sign, data, weigh(id), single)), ...more];
  };
  const buttons = () => [...root.querySelectorAll("button")];
  const at = buttons().indexOf(root.getRootNode().activeElement);
  const good = part("Like", data.like, 1);
  root.replaceChildren(...good, ...part(good.length ? "and unlike" : "Unlike", data.unlike, -1));
  if (at >= 0) buttons()[Math.min(at, buttons().length - 1)]?.focus(); // what was taken away leaves its place to the next
}
