// The plot: plotly draws the points once and keeps the zoom; the query, its neighbours and the selection are drawn on a
// canvas above them, because a restyle of 29,000 points takes half a second and a canvas a millisecond.
const STRETCH = 1.5;
const views = new WeakMap();

class View {
  constructor(parent) {
    this.root = parent.querySelector(".ll-plot");
    this.find = (name) => this.root.querySelector(name);
    this.graph = this.find(".graph");
    this.veil = element("canvas", "veil");
    this.turn = 0;
    this.early = new Early();
    this.asked = 0;
    this.line = Promise.resolve();
    this.hurry = () => {};
    this.tools();
    this.watcher = new ResizeObserver(() => this.drawn && this.resize());
    this.grown = () => { clearTimeout(this.waiting); this.waiting = setTimeout(() => this.room(), 300); };
    window.addEventListener("resize", this.grown);
    this.watcher.observe(this.find(".stage"));
    this.hovered = (event) => { this.hover = event.detail.id; this.mark(); };
    window.addEventListener("landlike:hover", this.hovered);
    this.done = (event) => this.answer(event, (detail) => this.act(detail));
    window.addEventListener("landlike:do", this.done);
    this.keyed = (event) => this.answer(event, ({ key, id }) => (key === "?" ? this.help() : this.sign(key, id)));
    window.addEventListener("landlike:key", this.keyed); // pressed over the map, which is a frame of its own
    this.pressed = (event) => this.key(event);
    document.addEventListener("keydown", this.pressed);
    this.walkable();
  }

  tools() {
    const bar = this.find(".tools");
    bar.replaceChildren();  // a page that comes back brings the element of its first time
    for (const [name, [title, path]] of Object.entries(ICONS)) {
      const button = element("button");
      button.type = "button";
      button.title = title;
      button.setAttribute("aria-label", title);
      button.dataset.tool = name;
      button.innerHTML = `<svg viewBox="0 0 18 18" aria-hidden="true"><path d="${path}"/></svg>`;
      button.onclick = () => (name === "fit" ? this.fit() : this.drag(name));
      bar.append(button);
    }
    bar.append(this.helper());
    this.mode = "pan";
    this.press();
  }

  press() {
    for (const button of this.find(".tools").children) {
      if (button.dataset.tool in ICONS && button.dataset.tool !== "fit") button.setAttribute("aria-pressed", String(button.dataset.tool === this.mode));
    }
  }

  drag(mode) {
    this.mode = mode;
    this.press();
    if (this.drawn) window.Plotly.relayout(this.graph, { dragmode: mode });
  }

  async update(said, send) {
    const data = this.early.over(said, said.turn);
    this.data = data;
    this.tell = send;
    this.pale(Boolean(this.early.told));
    if (this.pending !== undefined && (data.query === this.pending || data.turn !== this.seen)) this.pending = undefined;
    this.seen = data.turn;
    const told = this.find(".told");
    if (told.textContent !== data.told) told.textContent = data.told;
    this.root.style.height = `${data.height}px`;
    this.room();
    const turn = ++this.turn;
    try {
      const [Plotly, layout, values, classes, strange] = await Promise.all([
        plotly(data.plotly), points(data.layout), numbers(data.values), numbers(data.classes && data.classes.url),
        numbers(data.strange)]);
      if (turn !== this.turn || this.gone) return;
      this.find(".failed").hidden = true;
      this.know(strange);
      await this.draw(Plotly, layout, values, classes);
    } catch (error) {
      if (turn !== this.turn) return;
      this.find(".failed").hidden = false;
      this.find(".failed").textContent = `The plot cannot be drawn: ${error.message}`;
    }
  }

  // Which points are unfamiliar, by their values.
  know(strange) {
    if (this.strangers && strange === this.strangeness) return;
    this.strangeness = strange;
    this.strangers = strange ? Array.from(strange.keys()).filter((row) => strange[row] > this.data.unfamiliar) : [];
  }

  // How high the window is, for the page to fill it.
  room() {
    if (!this.gone && Math.abs(window.innerHeight - this.data.screen) > 40 && window.innerHeight !== this.told) {
      this.told = window.innerHeight;
      this.send("room", this.told);
    }
  }

  async draw(Plotly, layout, values, classes) {
    const { data } = this;
    const theme = getComputedStyle(this.root);
    this.colours = {
      paper: theme.getPropertyValue("--st-background-color").trim() || "#ffffff",
      accent: theme.getPropertyValue("--st-primary-color").trim() || data.accent,
      ink: theme.getPropertyValue("--st-text-color").trim() || "#222222",
    };
    this.dark = luminance(this.colours.paper) < 0.5;
    const before = this.layout;
    this.layout = layout;
    this.values = values;
    this.classes = classes;
    if (!before || before.ids !== layout.ids) this.rows = new Map(Array.from(layout.ids, (id, row) => [id, row]));
    const look = JSON.stringify([data.values, data.legend, data.strange, data.marked, data.mask]);
    this.counts = this.meets(data.mask);
    if (!this.drawn) {
      await this.first(Plotly);
    } else if (data.layout !== this.shown) {
      await this.move(Plotly, before);
    } else if (look !== this.look) {
      await Plotly.restyle(this.graph, { marker: [this.marker()] }, [0]);
    }
    if (look !== this.look || data.layout !== this.shown || !this.legendDrawn) this.legend();
    this.shown = data.layout;
    this.look = look;
    this.pressChips();
    this.mark();
    this.root.dataset.ready = `${data.turn}`;
  }

  size() {
    const count = this.layout.count;
    return count < 300 ? 10 : count < 2500 ? 7 : count < 9000 ? 5 : 3.6;
  }

  // Every point's place in a list of colours, so that plotly and the canvas paint alike.
  tones() {
    const { legend } = this.data;
    const count = this.layout.count;
    const tones = new Uint8Array(count);
    let palette = legend.colours;
    if (legend.kind === "scale") {
      const steps = 64;
      palette = Array.from({ length: steps }, (_, step) => mix(legend.colours, step / (steps - 1)));
      const scale = (steps - 1) / (legend.high - legend.low || 1);
      for (let row = 0; row < count; row++) {
        const value = this.values ? this.values[row] : NaN;
        tones[row] = Number.isNaN(value) ? steps : Math.max(0, Math.min(steps - 1, Math.round((value - legend.low) * scale)));
      }
    } else if (this.values) {
      const groups = this.values.reduce((most, value) => (value >= most ? value + 1 : most), 0);
      palette = Array.from({ length: Math.max(groups, 1) }, (_, group) => legend.colours[group % legend.colours.length]);
      for (let row = 0; row < count; row++) tones[row] = Number.isNaN(this.values[row]) ? palette.length : this.values[row];
    }
    return { tones, palette: [...palette, legend.unknown] };
  }

  // Which points meet the conditions that were set, by row; all where none is.
  meets(mask) {
    if (!mask) return () => true;
    const bits = Uint8Array.from(atob(mask), (letter) => letter.charCodeAt(0));
    return (row) => Boolean((bits[row >> 3] >> (row & 7)) & 1);
  }

  marker() {
    const { tones, palette } = this.tones();
    if (this.data.mask) {
      palette.push(this.dark ? "#262c2e" : "#ecece7"); // what is left out stays as a trace of where it lies
      tones.forEach((_, row) => { if (!this.counts(row)) tones[row] = palette.length - 1; });
    }
    this.toneOf = tones;
    this.palette = palette;
    const last = this.palette.length - 1;
    const scale = this.palette.flatMap((colour, at) => [[at / (last + 1), colour], [(at + 1) / (last + 1), colour]]);
    return {
      size: this.size(), color: Array.from(tones), colorscale: scale, cmin: -0.5, cmax: last + 0.5,
      opacity: 0.9, line: { width: 0 }, showscale: false,
    };
  }

  ranges() {
    const box = this.find(".stage").getBoundingClientRect();
    const ends = (values) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
    const [[left, right], [bottom, top]] = [ends(this.layout.x), ends(this.layout.y)];
    const [width, height] = [Math.max(box.width, 50), Math.max(box.height, 50)];
    // Directions mean nothing in a layout, so it may be drawn wider or higher to fill the room, but not out of shape.
    const [wide, high] = [Math.max((right - left) / (width - 64), 1e-6), Math.max((top - bottom) / (height - 88), 1e-6)];
    const [across, up] = [Math.max(wide, high / STRETCH), Math.max(high, wide / STRETCH)];
    // The points keep clear of the buttons along the upper edge.
    const [x, y] = [(left + right) / 2, (bottom + top) / 2 + up * 16];
    this.fitted = { x: [x - across * width / 2, x + across * width / 2], y: [y - up * height / 2, y + up * height / 2] };
    return this.fitted;
  }

  async first(Plotly) {
    const { x, y } = this.layout;
    const ranges = this.ranges();
    const axis = { visible: false, showgrid: false, zeroline: false, fixedrange: false };
    const same = { marker: { opacity: 0.9 } };
    await Plotly.newPlot(this.graph, [{
      type: "scattergl", mode: "markers", x, y, marker: this.marker(), hoverinfo: "none", selected: same, unselected: same,
    }], {
      dragmode: this.mode, hovermode: "closest", hoverdistance: 12, showlegend: false, margin: { l: 0, r: 0, t: 0, b: 0 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      xaxis: { ...axis, range: ranges.x }, yaxis: { ...axis, range: ranges.y },
      newselection: { line: { color: this.colours.accent, width: 2, dash: "solid" } },
      activeselection: { fillcolor: this.colours.accent, opacity: 0.08 },
    }, { displayModeBar: false, scrollZoom: true, doubleClick: false, responsive: false, showTips: false });
    this.drawn = true;
    this.graph.on("plotly_click", (event) => this.click(event));
    this.graph.on("plotly_hover", (event) => this.over(event));
    this.graph.on("plotly_unhover", () => this.out());
    this.graph.on("plotly_selected", (event) => this.chosen(event));
    this.graph.on("plotly_doubleclick", () => (this.data.selection.length ? this.send("select", []) : this.fit()));
    for (const event of ["plotly_relayouting", "plotly_relayout", "plotly_afterplot"]) this.graph.on(event, () => this.mark());
  }

  // Another layout of the same points: let them travel, so that the eye can follow; many points jump.
  async move(Plotly, before) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const { layout } = this;
    const ranges = this.ranges();
    const place = { "xaxis.range": ranges.x, "yaxis.range": ranges.y };
    const turn = this.turn;
    if (!still && before && before.ids.length === layout.ids.length && layout.count <= 6000) {
      const from = this.scaled(before, layout);
      const start = performance.now();
      for (let share = 0; share < 1 && turn === this.turn && !this.gone;) {
        await new Promise(requestAnimationFrame);
        share = Math.min(1, (performance.now() - start) / 700);
        const ease = share * share * (3 - 2 * share);
        const between = (a, b) => a.map((value, row) => value + (b[row] - value) * ease);
        this.layout = { ...layout, x: between(from.x, layout.x), y: between(from.y, layout.y) };
        if (share < 1) await Plotly.update(this.graph, { x: [this.layout.x], y: [this.layout.y] }, place, [0]);
      }
    }
    this.layout = layout;
    await Plotly.update(this.graph, { x: [layout.x], y: [layout.y], marker: [this.marker()] }, place, [0]);
  }

  // The old places in the units of the new ones, so that only the shape changes on the way.
  scaled(before, after) {
    const fit = (a, b) => {
      const ends = (values) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
      const [[a0, a1], [b0, b1]] = [ends(a), ends(b)];
      return a.map((value) => b0 + ((value - a0) / (a1 - a0 || 1)) * (b1 - b0));
    };
    return { x: fit(before.x, after.x), y: fit(before.y, after.y) };
  }

  fit() {
    if (!this.drawn) return;
    const ranges = this.ranges();
    window.Plotly.relayout(this.graph, { "xaxis.range": ranges.x, "yaxis.range": ranges.y });
  }

  resize() {
    const box = this.find(".stage").getBoundingClientRect();
    const full = this.graph._fullLayout;
    if (box.width && full && (Math.abs(box.width - full.width) > 1 || Math.abs(box.height - full.height) > 1)) {
      const asFitted = this.fitted && Math.abs(full.xaxis.range[0] - this.fitted.x[0]) < 1e-3 * Math.abs(this.fitted.x[1] - this.fitted.x[0]);
      const shape = { width: box.width, height: box.height };
      if (asFitted) {
        const ranges = this.ranges();
        Object.assign(shape, { "xaxis.range": ranges.x, "yaxis.range": ranges.y });
      }
      window.Plotly.relayout(this.graph, shape).then(() => this.mark());
    }
  }

  click(event) {
    const row = event.points[0] && event.points[0].pointIndex;
    if (row === undefined) return;
    const mouse = event.event ?? {};
    const id = this.layout.ids[row];
    if (mouse.shiftKey || mouse.altKey) return this.act({ what: "evidence", id, sign: mouse.shiftKey ? 1 : -1 });
    if (mouse.ctrlKey || mouse.metaKey) return this.act({ what: "pick", id });
    this.ask(id);
  }

  ask(id) {
    this.pending = id;
    this.find(".card").hidden = true;
    this.mark();
    this.hurry();
    const answered = this.showEarly(id).catch(() => {}); // the run says it then
    this.line = this.line.then(() => Promise.race([answered, new Promise((done) => {
      this.hurry = done; // a later question, for which it need not wait
      setTimeout(done, PATIENCE);
    })]));
    this.send("query", id);
  }

  // What is told reaches the server in order, after an answer that is on its way: a run of the page would hold it up.
  send(name, value) {
    this.line = this.line.then(() => this.gone || this.tell(name, value));
  }

  async showEarly(id) {
    const asked = ++this.asked, before = this.data.turn;
    const answer = await earlyAnswer(this.data.early, id).catch(() => null);
    if (!answer || asked !== this.asked || this.gone || this.data.turn !== before) return;
    this.early.take(answer.plot, before);
    this.data = { ...this.data, ...answer.plot };
    this.pending = undefined;
    this.seen = this.data.turn;
    this.find(".told").textContent = this.data.told;
    this.mark();
    this.pale(true);
    const detail = { ...answer, arriving: [] };
    window.dispatchEvent(new CustomEvent("landlike:early", { detail }));
    await Promise.all(detail.arriving);
  }

  // What the run alone tells, words and reflectance, is of the question before until then, and pale.
  pale(early) {
    document.documentElement.classList.toggle("ll-early", early);
  }

  chosen(event) {
    if (!event || !event.points || this.clearing) return;
    const ids = event.points.map((point) => this.layout.ids[point.pointIndex]);
    // Plotly's own outline goes: what is selected is the page's business, and may come from elsewhere.
    this.clearing = true;
    requestAnimationFrame(async () => {
      await window.Plotly.relayout(this.graph, { selections: [] });
      this.clearing = false;
    });
    this.send("select", ids);
  }

  over(event) {
    this.show(event.points[0].pointIndex);
  }

  show(row) {
    const id = this.layout.ids[row];
    this.hover = id;
    window.dispatchEvent(new CustomEvent("landlike:hover", { detail: { id, from: "plot" } }));
    const card = this.find(".card");
    const image = card.querySelector("img");
    const address = this.data.thumbs.replace("{id}", id);
    if (image.getAttribute("src") !== address) image.src = address;
    const [title, ...lines] = this.describe(row, id);
    card.querySelector("strong").textContent = title;
    card.querySelector(":scope > div > div").replaceChildren(...lines.map((line) => element("span", "", line)));
    card.hidden = false;
    const stage = this.find(".stage").getBoundingClientRect();
    const [x, y] = this.pixel(row);
    card.style.left = `${x + 16 + card.offsetWidth > stage.width ? Math.max(4, x - 16 - card.offsetWidth) : x + 16}px`;
    card.style.top = `${Math.max(4, Math.min(stage.height - card.offsetHeight - 4, y - card.offsetHeight / 2))}px`;
  }

  describe(row, id) {
    const { data } = this;
    const named = data.classes && this.classes && data.classes.names[this.classes[row]];
    const lines = [named || `Patch ${id}`];
    if (named) lines.push(`Patch ${id}`);
    const rank = data.neighbours.indexOf(id);
    if (id === data.query) lines.push("The place you asked about");
    else if (rank >= 0) lines.push(`No. ${rank + 1} · similarity ${data.similarity[rank]}`);
    else if (data.legend.kind === "scale" && this.values && !Number.isNaN(this.values[row])) {
      lines.push(`${data.legend.title} ${this.values[row].toFixed(data.legend.digits ?? 2).replace(/^-(?=[0.]+$)/, "").replace("-", "−")}`);
    }
    const own = data.legend.kind === "class" && this.values ? data.legend.names[this.values[row]] : "";
    if (own && !lines.includes(own)) lines.push(own);
    if (this.strangers.includes(row)) lines.push("◇ Unfamiliar");
    if (data.like.includes(id)) lines.push("+ Good example");
    if (data.unlike.includes(id)) lines.push("− Bad example");
    return lines;
  }

  out() {
    this.find(".card").hidden = true;
    this.hover = undefined;
    window.dispatchEvent(new CustomEvent("landlike:hover", { detail: { id: undefined, from: "plot" } }));
    this.mark();
  }

  destroy() {
    this.gone = true;
    this.pale(false);
    this.watcher.disconnect();
    clearTimeout(this.waiting);
    window.removeEventListener("resize", this.grown);
    window.removeEventListener("landlike:hover", this.hovered);
    window.removeEventListener("landlike:do", this.done);
    window.removeEventListener("landlike:key", this.keyed);
    document.removeEventListener("keydown", this.pressed);
    if (this.drawn) window.Plotly.purge(this.graph);
    this.veil.remove();
  }
}

Object.assign(View.prototype, marking, explaining, acting);

export default function ({ data, parentElement, setTriggerValue }) {
  if (!views.has(parentElement)) views.set(parentElement, new View(parentElement));
  const view = views.get(parentElement);
  view.update(data, setTriggerValue);
  return () => { view.destroy(); views.delete(parentElement); };
}
