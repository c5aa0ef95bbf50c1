// What the plot is made of: its tools, the arrays it fetches, colours. The plot itself is plot.js.
const ICONS = {
  pan: ["Move", "M9 2v14M2 9h14M9 2 7 4.2M9 2l2 2.2M9 16l-2-2.2M9 16l2-2.2M2 9l2.2-2M2 9l2.2 2M16 9l-2.2-2M16 9l-2.2 2"],
  lasso: ["Draw around points to select them", "M9 3c4 0 7 1.8 7 4.5S13 12 9 12c-1 0-2-.1-3-.4M4.5 10.8C3 10 2 8.8 2 7.5 2 4.8 5 3 9 3M5 10a1.6 1.6 0 1 0 .1 3.2A1.6 1.6 0 0 0 5 10Zm0 3.2c.4 1.3 0 2-1 2.8"],
  select: ["Select points in a box", "M3 6V3h3M8 3h2M12 3h3v3M15 8v2M15 12v3h-3M10 15H8M6 15H3v-3M3 10V8"],
  fit: ["Show all points", "M2.5 6.5v-4h4M11.5 2.5h4v4M15.5 11.5v4h-4M6.5 15.5h-4v-4"],
};
const HELP = ["Keys", "M2 5h14v8.5H2zM4.5 7.6h.2M7.4 7.6h.2M10.3 7.6h.2M13.2 7.6h.2M5.5 11h7"];
const KEYS = [
  ["Tab", "to the plot, the map, the pictures"],
  ["← ↑ → ↓", "to the next patch that way"],
  ["Enter", "find land like it"],
  ["A", "more like this, or no longer"],
  ["X", "not like this, or no longer"],
  ["Esc", "clear query and selection"],
  ["+ −", "on the map: nearer, farther"],
  ["Click", "with Shift: more like this; Alt: not like this; Ctrl: select"],
  ["?", "these keys"],
];
const answers = new Map();

// What a route gives, decoded; asked for once, and the same object each time.
function fetched(url, decode) {
  if (!answers.has(url)) {
    const answer = fetch(url).then(async (response) => {
      if (!response.ok) throw new Error(await response.text());
      return decode(await response.arrayBuffer());
    });
    answer.catch(() => answers.delete(url));
    answers.set(url, answer);
    if (answers.size > 24) answers.delete(answers.keys().next().value);
  }
  return answers.get(url);
}

const points = (url) => fetched(url, (buffer) => {
  const count = new Int32Array(buffer, 0, 1)[0];
  return {
    count,
    ids: new Int32Array(buffer, 4, count),
    x: new Float32Array(buffer, 4 + 4 * count, count),
    y: new Float32Array(buffer, 4 + 8 * count, count),
  };
});
const numbers = async (url) => (url ? fetched(url, (buffer) => new Float32Array(buffer)) : null);
const element = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

function mix(colours, share) {
  const at = share * (colours.length - 1);
  const left = Math.min(Math.floor(at), colours.length - 2);
  const [from, to] = [rgb(colours[left]), rgb(colours[left + 1])];
  return `rgb(${from.map((value, channel) => Math.round(value + (to[channel] - value) * (at - left))).join(",")})`;
}

// Of a colour as the browser writes it, 0 = black to 1 = white.
function luminance(colour) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}
