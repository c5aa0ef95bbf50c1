// What a person does by key, and what gallery and map ask for: one place tells the server. The plot itself is plot.js.
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SIGNS = { a: 1, x: -1 };
const WRITES = "input, textarea, select, [contenteditable=true], [role=slider], [role=combobox], [role=textbox], [role=grid]";
const typing = (event) => event.composedPath().some((one) => one.matches?.(WRITES)); // in components' shadows too
const covered = () => document.querySelector("[data-testid=stPopoverBody], [data-baseweb=popover], [role=dialog]");

const acting = {
  // Says that it listens; before its first data it does not, and is asked again (tell.js).
  answer(event, run) {
    if (!this.data || this.gone) return;
    event.preventDefault();
    run(event.detail);
  },

  // From gallery, map and key: an example, a selection, a query, or the end of what is on show.
  act({ what, id, sign, ids, ...told }) {
    if (this.gone) return;
    if (what === "evidence") this.send("evidence", { id, sign });
    if (what === "select") this.send("select", ids);
    if (what === "query") this.ask(id);
    if (what === "region") this.send("region", told);
    if (what === "pick") this.send("pick", id);
    if (what === "clear" && !this.find(".keys").hidden) return this.help();
    if (what === "clear" && (this.data.selection.length || this.data.asked)) this.send("clear", true);
  },

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
    if (event.key === "?" && !covered()) return this.help();
    if (event.key === "Escape" && !covered()) return this.act({ what: "clear" });
    this.sign(event.key.toLowerCase(), this.hover ?? this.data?.query);
  },

  sign(key, id) {
    const sign = SIGNS[key];
    if (!sign || id === undefined || id === null || covered()) return;
    const now = this.data.like.includes(id) ? 1 : this.data.unlike.includes(id) ? -1 : 0;
    this.act({ what: "evidence", id, sign: now === sign ? 0 : sign });
  },

  helper() {
    const [title, path] = HELP;
    const button = element("button");
    button.type = "button";
    button.title = `${title} (?)`;
    button.setAttribute("aria-label", button.title);
    button.setAttribute("aria-expanded", "false");
    button.dataset.tool = "keys";
    button.innerHTML = `<svg viewBox="0 0 18 18" aria-hidden="true"><path d="${path}"/></svg>`;
    button.onclick = () => this.help();
    const list = this.find(".keys dl");
    list.replaceChildren(...KEYS.flatMap(([key, words]) => [element("dt", "", key), element("dd", "", words)]));
    return button;
  },

  // Shows what keys do, or hides it again.
  help() {
    const panel = this.find(".keys");
    panel.hidden = !panel.hidden;
    this.find("[data-tool=keys]").setAttribute("aria-expanded", String(!panel.hidden));
    if (!panel.hidden) this.find(".said").textContent = panel.textContent;
  },

  // The plot by keyboard: arrows go to the next point that way, Enter asks for its like.
  walkable() {
    const stage = this.find(".stage");
    stage.onkeydown = (event) => {
      if (event.target !== stage || !this.drawn) return;
      const step = STEPS[event.key];
      if (event.key === "Enter" && this.hover !== undefined) this.ask(this.hover);
      else if (!step) return;
      else this.walk(step);
      event.preventDefault();
    };
    stage.onblur = () => this.drawn && this.out();
  },

  // Moves a plot that is looked at closely until a point is on show.
  uncover(row) {
    const [x, y] = this.pixel(row), { width, height } = this.find(".stage").getBoundingClientRect();
    if (x >= 0 && y >= 0 && x <= width && y <= height) return;
    const { xaxis, yaxis } = this.graph._fullLayout;
    const around = ([from, to], middle) => [middle - (to - from) / 2, middle + (to - from) / 2];
    window.Plotly.relayout(this.graph, {
      "xaxis.range": around(xaxis.range, this.layout.x[row]), "yaxis.range": around(yaxis.range, this.layout.y[row]),
    });
  },

  walk([across, down]) {
    const from = this.rows.get(this.hover ?? this.data.query ?? this.layout.ids[0]) ?? 0;
    const [x, y] = this.pixel(from);
    let best = from, least = Infinity;
    for (let row = 0; row < this.layout.count; row++) {
      const [there, lower] = this.pixel(row);
      const ahead = (there - x) * across + (lower - y) * down, aside = Math.abs((there - x) * down) + Math.abs((lower - y) * across);
      if (row === from || ahead < 0.5 || aside > 1.5 * ahead) continue;
      const distance = ahead + 2 * aside;
      if (distance < least) [best, least] = [row, distance];
    }
    this.uncover(best);
    this.show(best);
    this.mark();
    this.find(".said").textContent = this.describe(best, this.layout.ids[best]).join(", ");
  },
};
