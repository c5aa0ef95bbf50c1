// What a person does by key, and what gallery and map ask for: one place tells the server. The plot itself is plot.js.
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SIGNS = { a: 1, x: -1 };
const typing = (target) => target?.closest?.("input, textarea, select, [contenteditable=true], [role=slider], [role=combobox]");
const covered = () => document.querySelector("[data-testid=stPopoverBody], [data-baseweb=popover], [role=dialog]");

const acting = {
  // From gallery, map and key: an example, a selection, a query, or the end of what is on show.
  act({ what, id, sign, ids, ...told }) {
    if (this.gone) return;
    if (what === "evidence") this.send("evidence", { id, sign });
    if (what === "select") this.send("select", ids);
    if (what === "query") this.ask(id);
    if (what === "region") this.send("region", told);
    if (what === "pick") this.send("pick", id);
    if (what === "clear" && (this.data.selection.length || this.data.asked)) this.send("clear", true);
  },

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "Escape" && !covered()) return this.act({ what: "clear" });
    this.sign(event.key.toLowerCase(), this.hover ?? this.data?.query);
  },

  sign(key, id) {
    const sign = SIGNS[key];
    if (!sign || id === undefined || id === null || covered()) return;
    const now = this.data.like.includes(id) ? 1 : this.data.unlike.includes(id) ? -1 : 0;
    this.act({ what: "evidence", id, sign: now === sign ? 0 : sign });
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
    this.show(best);
    this.mark();
    this.find(".said").textContent = this.describe(best, this.layout.ids[best]).join(", ");
  },
};
