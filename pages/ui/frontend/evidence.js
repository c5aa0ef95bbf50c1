// The examples of what is looked for, as small pictures with their sign; a click takes one away.
const element = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};

function example(id, sign, data) {
  const button = element("button", sign > 0 ? "good" : "bad");
  button.type = "button";
  button.dataset.patch = id;
  button.title = `Patch ${id}, a ${sign > 0 ? "good" : "bad"} example. Click to take it away`;
  button.setAttribute("aria-label", button.title);
  const image = element("img");
  image.alt = "";
  image.src = data.thumbs.replace("{id}", id);
  button.append(image, element("span", "", sign > 0 ? "+" : "−"));
  button.onclick = () => window.dispatchEvent(new CustomEvent("landlike:do", { detail: { what: "evidence", id, sign: 0 } }));
  const point = (at) => window.dispatchEvent(new CustomEvent("landlike:hover", { detail: { id: at, from: "evidence" } }));
  button.onmouseenter = button.onfocus = () => point(id);
  button.onmouseleave = button.onblur = () => point(undefined);
  return button;
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".evidence");
  const part = (words, ids, sign) => {
    if (!ids.length) return [];
    const more = ids.length > data.most ? [element("small", "", `and ${(ids.length - data.most).toLocaleString("en")} more`)] : [];
    return [element("b", "", words), ...ids.slice(0, data.most).map((id) => example(id, sign, data)), ...more];
  };
  root.replaceChildren(...part("Like", data.like, 1), ...part(data.like.length ? "and unlike" : "Unlike", data.unlike, -1));
}
