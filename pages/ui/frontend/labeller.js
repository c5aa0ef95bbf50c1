// A patch in its surroundings, and the classes it can be given, by a click or by a key.
const element = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};

const REST = 900;

// Where a key was pressed, in the shadows of components too.
const WRITES = "input, textarea, select, [contenteditable], [role=dialog], [data-testid=stDataFrame]";
const typing = (event) => event.composedPath().some((one) => one.matches?.(WRITES));

let scene;

/** After another scene was chosen, keys are for its patches again and not for the box it was chosen in. */
const leaveChooser = (now) => {
  const chooser = document.activeElement;
  if (scene !== undefined && scene !== now && chooser?.closest("[data-testid=stSelectbox]")) chooser.blur();
  scene = now;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".labeller");
  const act = (what, name) => {
    setTriggerValue("act", { what, name, patch: data.patch, at: Date.now() });
    // Seen at once that it was taken, also where the next patch takes its time.
    root.classList.toggle("sent", what === "class" || what === "pass");
    for (const one of root.querySelectorAll("[data-act]")) one.classList.toggle("taken", one.dataset.act === [what, name].join(" ").trim());
  };
  const asks = data.patch !== null;
  leaveChooser(data.scene);

  const list = element("div", "classes");
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", "Classes");
  for (const one of data.classes) {
    const button = element("button", "class");
    button.type = "button";
    button.disabled = !asks;
    const dot = element("i");
    dot.style.background = one.colour;
    button.append(dot, element("span", "", one.title), element("small", "", one.count ? one.count.toLocaleString("en") : ""));
    if (one.key) button.append(element("kbd", "", one.key));
    button.dataset.act = `class ${one.name}`;
    button.onclick = () => act("class", one.name);
    list.append(button);
  }

  const side = element("div", "ask");
  if (asks) {
    side.append(element("h2", "", data.words.title));
    const grid = element("div", data.pictures.length > 1 ? "nine" : "alone");
    data.pictures.forEach((src, at) => {
      const cell = element("div", at === 4 ? "middle" : "");
      if (src) {
        const image = element("img");
        image.src = src;
        image.alt = at === 4 || data.pictures.length === 1 ? data.words.title : "";
        cell.append(image);
      }
      grid.append(cell);
    });
    const pass = element("button", "pass", data.words.pass);
    pass.type = "button";
    pass.append(element("kbd", "", "space"));
    pass.dataset.act = "pass";
    pass.onclick = () => act("pass");
    side.append(grid, pass);
  } else {
    side.append(element("p", "", data.words.empty));
  }
  for (const src of data.ahead) new Image().src = src;
  if (data.who !== null && data.who !== root.who) {
    root.who = data.who;
    document.cookie = `${data.cookie}=${encodeURIComponent(data.who)}; path=/; max-age=31536000; samesite=strict`;
  }
  // What takes longer than a key press is drawn once the keys rest.
  clearTimeout(root.rest);
  if (data.settling) root.rest = setTimeout(() => root.isConnected && act("settle"), REST);
  const name = root.getRootNode().activeElement?.dataset?.act;
  root.classList.remove("sent");
  root.replaceChildren(list, side);
  if (name) [...root.querySelectorAll("button")].find((one) => one.dataset.act === name)?.focus();

  if (root.keys) document.removeEventListener("keydown", root.keys);
  root.keys = (event) => {
    // A key that is held down would label patches nobody looked at.
    if (event.repeat || !root.isConnected || event.altKey || typing(event)) return;
    if (event.ctrlKey || event.metaKey) {
      const step = { z: event.shiftKey ? "redo" : "undo", y: "redo" }[event.key.toLowerCase()];
      if (step) {
        event.preventDefault();
        act(step);
      }
      return;
    }
    if (!asks) return;
    const one = data.classes.find((found) => found.key && found.key === event.key.toLowerCase());
    if (one) act("class", one.name);
    else if (event.key === " " && event.composedPath()[0].tagName !== "BUTTON") {
      event.preventDefault();
      act("pass");
    }
  };
  document.addEventListener("keydown", root.keys);
  return () => {
    clearTimeout(root.rest);
    document.removeEventListener("keydown", root.keys);
  };
}
