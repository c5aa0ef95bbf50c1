// What lies over the points of the plot: the query, its neighbours, the selection. The plot itself is plot.js.
function diamond(reach, line, colour) {
  const stamp = element("canvas");
  stamp.width = stamp.height = 2 * Math.ceil(reach + line);
  const middle = stamp.width / 2;
  const pen = stamp.getContext("2d");
  pen.moveTo(middle, middle - reach);
  for (const [across, up] of [[1, 0], [0, 1], [-1, 0]]) pen.lineTo(middle + across * reach, middle + up * reach);
  pen.closePath();
  pen.lineWidth = line;
  pen.strokeStyle = colour;
  pen.stroke();
  return stamp;
}

const marking = {
  pixel(row) {
    const { xaxis, yaxis } = this.graph._fullLayout;
    return [xaxis._offset + xaxis.l2p(this.layout.x[row]), yaxis._offset + yaxis.l2p(this.layout.y[row])];
  },

  mark() {
    const holder = this.graph.querySelector(".gl-container");
    if (!this.drawn || !holder) return;
    if (this.veil.parentNode !== holder) holder.append(this.veil);
    const box = this.graph.getBoundingClientRect();
    const dense = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(box.width * dense), Math.round(box.height * dense)];
    if (this.veil.width !== width || this.veil.height !== height) Object.assign(this.veil, { width, height });
    const pen = this.veil.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, box.width, box.height);
    const { data } = this;
    const query = this.pending ?? data.query;
    const neighbours = this.pending === undefined ? data.neighbours : [];
    // Below what was asked: dimmed with the points where there is a query or a selection.
    if (data.marked) this.diamonds(pen, this.size() / 2 + 2, dense);
    if (data.selection.length || neighbours.length) {
      pen.globalAlpha = this.dark ? 0.35 : 0.55;
      pen.fillStyle = this.colours.paper;
      pen.fillRect(0, 0, box.width, box.height);
      pen.globalAlpha = 1;
    }
    const radius = this.size() / 2;
    for (const id of data.selection) this.dot(pen, id, radius);
    // Many are dots and no rings, which would hide one another.
    const ring = neighbours.length > 300 ? 0 : 2;
    for (let rank = neighbours.length - 1; rank >= 0; rank--) this.dot(pen, neighbours[rank], ring ? Math.max(radius, 3) + 0.5 : radius, ring);
    // A query alone is a target and no example; many examples are small.
    const reach = data.like.length + data.unlike.length > 60 ? radius + 1.5 : 8;
    if (query === null || query === undefined) for (const id of data.like) this.example(pen, id, "#1d7a3e", true, reach);
    for (const id of data.unlike) this.example(pen, id, "#b3261e", false, reach);
    if (this.hover !== undefined) this.dot(pen, this.hover, radius + 3, 2);
    if (query !== null && query !== undefined) this.target(pen, query);
  },

  // Points that are unfamiliar to the encoder. They stay on a sheet of their own until the points move, each one stamped:
  // the browser takes seconds for an outline of 29,000 diamonds, and a query or a glance would draw it again.
  diamonds(pen, reach, dense) {
    if (!this.strangers.length) return;
    const { xaxis, yaxis } = this.graph._fullLayout;
    const { width, height } = this.veil;
    const drawn = [this.layout, this.strangers, width, height, reach, this.colours.ink, ...xaxis.range, ...yaxis.range];
    if (!this.drawnStones || drawn.some((part, at) => part !== this.drawnStones[at])) {
      this.drawnStones = drawn;
      this.stones ??= element("canvas");
      Object.assign(this.stones, { width, height });
      const sheet = this.stones.getContext("2d");
      const stamp = diamond(reach * dense, dense, this.colours.ink);
      const middle = stamp.width / 2;
      for (const row of this.strangers) {
        const [x, y] = this.pixel(row);
        sheet.drawImage(stamp, Math.round(x * dense - middle), Math.round(y * dense - middle));
      }
    }
    pen.globalAlpha = 0.75;
    pen.drawImage(this.stones, 0, 0, width / dense, height / dense);
    pen.globalAlpha = 1;
  },

  dot(pen, id, radius, ring = 0) {
    const row = this.rows.get(id);
    if (row === undefined) return;
    const [x, y] = this.pixel(row);
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fillStyle = this.palette[this.toneOf[row]];
    pen.fill();
    if (!ring) return;
    pen.beginPath();
    pen.arc(x, y, radius + 2.5, 0, 7);
    pen.lineWidth = 4;
    pen.strokeStyle = this.colours.paper;
    pen.stroke();
    pen.lineWidth = ring;
    pen.strokeStyle = this.colours.accent;
    pen.stroke();
  },

  // A good or bad example: a disc with its sign.
  example(pen, id, colour, good, reach) {
    const row = this.rows.get(id);
    if (row === undefined) return;
    const [x, y] = this.pixel(row);
    for (const [radius, fill] of [[reach + 1.5, this.colours.paper], [reach, colour]]) {
      pen.beginPath();
      pen.arc(x, y, radius, 0, 7);
      pen.fillStyle = fill;
      pen.fill();
    }
    if (reach < 8) return;
    pen.fillStyle = "#fff";
    pen.fillRect(x - 4, y - 1, 8, 2);
    if (good) pen.fillRect(x - 1, y - 4, 2, 8);
  },

  target(pen, id) {
    const row = this.rows.get(id);
    if (row === undefined) return;
    const [x, y] = this.pixel(row);
    for (const [radius, colour] of [[11, this.colours.paper], [9, this.colours.accent], [4, this.colours.paper]]) {
      pen.beginPath();
      pen.arc(x, y, radius, 0, 7);
      pen.fillStyle = colour;
      pen.fill();
    }
  },
};
