// The gallery: pictures of patches as buttons. A picture that stays keeps its element, so it never flickers.
const kept = new WeakMap();

const element = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};

function tile() {
  const card = element("div", "tile");
  const button = element("button", "ask");
  button.type = "button";
  const picture = element("span", "picture");
  const image = element("img");
  image.loading = "lazy";
  image.decoding = "async";
  image.alt = "";
  picture.append(image, element("span", "rank"), element("span", "mark"), element("span", "shared"));
  const words = element("span", "words");
  words.append(element("span", "value"), element("span", "number"), element("span", "label"), element("span", "where"), element("span", "when"));
  button.append(picture, words);
  const signs = element("span", "signs");
  signs.append(element("button", "good", "+"), element("button", "bad", "−"));
  for (const one of signs.children) Object.assign(one, { type: "button", tabIndex: -1 }); // by keyboard: a and x
  card.append(button, signs);
  return card;
}

// The buttons that make a patch a good or a bad example, or none again.
function sign(card, item) {
  const now = item.sign ?? 0;
  card.querySelector(".signs").hidden = item.sign === undefined;
  card.classList.toggle("liked", now === 1);
  card.classList.toggle("unliked", now === -1);
  for (const [name, value, words] of [["good", 1, "More like this (a)"], ["bad", -1, "Not like this (x)"]]) {
    const button = card.querySelector(`.${name}`);
    const pressed = now === value;
    button.title = pressed ? "No longer an example" : words;
    button.setAttribute("aria-label", `${button.title}: patch ${item.id}`);
    button.setAttribute("aria-pressed", String(pressed));
    button.onclick = () => tellPlot("landlike:do", { what: "evidence", id: item.id, sign: pressed ? 0 : value }, card);
  }
}

// Words behind a spot of a colour.
function spotted(span, words, colour) {
  const spot = colour ? element("i") : "";
  if (colour) spot.style.background = colour;
  span.replaceChildren(spot, words ?? "");
  span.hidden = !words;
}

function fill(button, item) {
  const ask = button.querySelector(".ask");
  const image = button.querySelector("img");
  if (image.getAttribute("src") !== item.src) image.src = item.src;
  button.className = item.rank === "Query" ? "tile query" : "tile";
  button.dataset.patch = item.id;
  ask.setAttribute("aria-label", item.alt);
  ask.title = item.alt;
  const rank = button.querySelector(".rank");
  rank.textContent = item.rank;
  rank.hidden = !item.rank;
  const mark = button.querySelector(".mark");
  mark.textContent = item.mark;
  mark.hidden = !item.mark;
  const shared = button.querySelector(".shared"); // a letter and a colour: the same patch stands in another gallery too
  shared.textContent = item.shared ?? "";
  shared.hidden = !item.shared;
  button.style.setProperty("--shared", item.shared ? item.sharedColour : "transparent");
  button.classList.toggle("common", Boolean(item.shared));
  const value = button.querySelector(".value");
  value.textContent = item.value;
  value.hidden = !item.value;
  spotted(button.querySelector(".number"), item.number, item.shade);
  spotted(button.querySelector(".label"), item.label, item.colour);
  button.querySelector(".label").classList.toggle("named", Boolean(item.named));
  button.querySelector(".label").title = item.named ? item.label : ""; // it may be cut off
  for (const name of ["where", "when"]) { // they stand in for land that no picture shows
    const line = button.querySelector(`.${name}`);
    line.textContent = item[name] ?? "";
    line.hidden = !item[name];
  }
  sign(button, item);
}

// As few columns as fill the width with pictures no larger than a side at which two rows with their words fit the height.
const GAP = 8, PADDING = 8;
const arrange = (root, tile) => {
  const columns = Math.max(2, Math.ceil((root.clientWidth - PADDING + GAP) / (tile + GAP)));
  if (root.clientWidth) root.style.setProperty("--columns", columns);
};

function show(root, data, send) {
  const spelled = JSON.stringify(data);
  if (root.shown === spelled) return;
  root.shown = spelled;
  const tiles = kept.get(root) ?? new Map();
  const next = new Map();
  for (const item of data.items) {
    const button = tiles.get(item.id) ?? tile();
    const ask = button.querySelector(".ask");
    fill(button, item);
    ask.onclick = () => {
      if (item.rank === "Query") return;
      if (data.linked) tellPlot("landlike:do", { what: "query", id: item.id }, button);
      else send("query", item.ref);
    };
    const point = (id) => data.linked && window.dispatchEvent(new CustomEvent("landlike:hover", { detail: { id, from: "gallery", root } }));
    button.onmouseenter = ask.onfocus = () => point(item.id);
    button.onmouseleave = ask.onblur = () => point(undefined);
    next.set(item.id, button);
  }
  root.style.height = `${data.height}px`;
  root.tile = data.tile;
  arrange(root, data.tile);
  const moved = data.top !== root.dataset.top;
  const place = placeAmong([...tiles.values()], root);
  root.replaceChildren(...next.values(), ...(data.items.length ? [] : [element("p", "empty", data.empty)]));
  root.dataset.top = data.top;
  root.dataset.turn = data.turn;
  if (moved) root.scrollTop = 0;
  kept.set(root, next);
  keepPlace([...next.values()], place);
  root.onkeydown = (event) => goOn([...next.values()], event, getComputedStyle(root).gridTemplateColumns.split(" ").length);
}

// When a picture is there, or is not to be had.
const FIRST = 6; // pictures that the page's run gives way to
const arrival = (image) => image.complete || new Promise((done) => {
  for (const event of ["load", "error"]) image.addEventListener(event, done, { once: true });
});

const listening = new WeakSet();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".gallery");
  root.early ??= new Early();
  root.latest = data;
  show(root, root.early.over(data, data.top), setTriggerValue);
  root.linked = data.linked;
  if (!listening.has(root)) {
    listening.add(root);
    const hover = ({ detail }) => {
      for (const [id, button] of kept.get(root)) button.classList.toggle("hover", root.linked && detail.root !== root && id === detail.id);
    };
    window.addEventListener("landlike:hover", hover);
    const answered = ({ detail }) => {
      if (!root.linked || !detail.gallery) return;
      root.early.take(detail.gallery, root.latest.top);
      show(root, { ...root.latest, ...detail.gallery }, setTriggerValue);
      detail.arriving.push(...[...root.querySelectorAll("img")].slice(0, FIRST).map(arrival));
    };
    window.addEventListener("landlike:early", answered);
    const watcher = new ResizeObserver(() => arrange(root, root.tile));
    watcher.observe(root);
    root.forget = () => {
      window.removeEventListener("landlike:hover", hover);
      window.removeEventListener("landlike:early", answered);
      watcher.disconnect();
      listening.delete(root);
    };
  }
  return () => root.forget && root.forget();
}
