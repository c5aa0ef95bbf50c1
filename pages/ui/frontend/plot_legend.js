// What the colours of the plot mean, and hiding classes by pressing their names. The plot itself is plot.js.
const explaining = {
  legend() {
    const { legend } = this.data;
    const key = this.find(".key");
    this.legendDrawn = true;
    const strange = this.data.marked && this.strangers.length ? [this.strange()] : [];
    if (legend.kind === "scale") return key.replaceChildren(this.bar(legend), ...this.why(legend), ...strange);
    const counts = new Map();
    if (this.values) for (const value of this.values) counts.set(value, (counts.get(value) || 0) + 1);
    else counts.set(0, this.layout.count);
    this.chips = [];
    for (const value of [...counts.keys()].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)) {
      const name = legend.names[value];
      this.chips.push(this.chip(name, this.palette[value], counts.get(value), value));
    }
    const rest = this.layout.count - this.chips.reduce((total, chip) => total + chip.count, 0);
    if (rest > 0) this.chips.push(this.chip("No class", legend.unknown, rest, NaN));
    return key.replaceChildren(...this.chips.map((chip) => chip.button), ...this.why(legend), ...strange);
  },

  // What the value is and how it is made: a question mark that says it, on pointing and on a press.
  why(legend) {
    if (!legend.about) return [];
    const mark = element("button", "why", "?"), told = element("p", "", `${legend.about}.`);
    mark.type = "button";
    mark.title = told.textContent;
    mark.setAttribute("aria-label", `What is this? ${told.textContent}`);
    const show = (open) => { told.hidden = !open; mark.setAttribute("aria-expanded", String(open)); };
    mark.onclick = () => show(told.hidden);
    show(false);
    return [mark, told];
  },

  strange() {
    const button = element("button", "chip");
    button.type = "button";
    button.append(element("b", "", "◇ Unfamiliar"), element("small", "", this.strangers.length.toLocaleString("en")));
    button.title = `Select all that are unfamiliar. ${this.data.unfamiliarity}.`;
    button.onclick = () => this.send("select", this.strangers.map((row) => this.layout.ids[row]));
    return button;
  },

  chip(name, colour, count, value) {
    const button = element("button", "chip");
    button.type = "button";
    const spot = element("i");
    spot.style.background = colour;
    button.append(spot, element("b", "", name), element("small", "", count.toLocaleString("en")));
    button.title = `Select all: ${name}`;
    const member = (row) => !this.values || Object.is(this.values[row], value) || this.values[row] === value;
    button.onclick = () => {
      if (button.getAttribute("aria-pressed") === "true") this.send("select", []);
      else this.send("classes", [Number.isNaN(value) ? -1 : value]);
    };
    return { button, count, first: () => this.layout.ids[this.layout.ids.findIndex((_, row) => member(row))] };
  },

  pressChips() {
    const chosen = new Set(this.data.selection);
    for (const { button, count, first } of this.data.legend.kind === "scale" ? [] : this.chips || []) {
      button.setAttribute("aria-pressed", String(chosen.size === count && chosen.has(first())));
    }
  },

  bar(legend) {
    const bar = element("div", "bar");
    const strip = element("div");
    strip.style.background = `linear-gradient(to right, ${legend.colours.join(",")})`;
    const end = (value, word) => {
      const text = element("span", "", value.toFixed(legend.digits ?? 2).replace(/^-(?=[0.]+$)/, "").replace("-", "−"));
      if (word) text.append(" ", element("em", "", word));
      return text;
    };
    bar.append(element("b", "", legend.title), end(legend.low, legend.low_word), strip, end(legend.high, legend.high_word));
    return bar;
  },
};
