// The ground below the scene: land and sea, names of places, lines of degrees, and where the middle of the map lies. All of it
// comes from this server. It waits until the scene's own pictures are there. Python side: pages/ui/http/ground.py.
(function () {
  "use strict";

  const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60];
  const APART = 130; // pixels between lines of degrees, at least
  const TOLD_FROM = 7; // zoom from which the middle of the map is a place
  const MOST_NAMES = 40;
  const CLEAR = { x: 62, y: 34 }; // pixels at the edges that controls take
  const FOOT = 26; // pixels at the bottom that say who made the map
  const fetched = new Map();
  const pen = document.createElement("canvas").getContext("2d");
  let map, options, ground, names, degrees, where, shade = "light", begun = false, told = false, turn = 0, asked = "";

  const isOn = (layer) => map.hasLayer(layer);
  const within = (value, low, high) => Math.min(high, Math.max(low, value));

  function known(url) {
    if (!fetched.has(url)) {
      const answer = fetch(url).then((response) => (response.ok ? response.json() : []));
      fetched.set(url, answer.catch(() => { fetched.delete(url); return []; }));
      if (fetched.size > 200) fetched.delete(fetched.keys().next().value);
    }
    return fetched.get(url);
  }

  function attach(made, given) {
    [map, options] = [made, given];
    // Names lie over a scene, which hides the ground, and under the dots of a collection, which it must not hide.
    for (const [name, order] of [["degrees", 160], ["names", options.below ? 170 : 315]]) {
      Object.assign(map.createPane(name).style, { zIndex: order, pointerEvents: "none" });
    }
    ground = L.tileLayer(address(), { pane: "base", maxNativeZoom: options.deepest, maxZoom: map.getMaxZoom(), keepBuffer: 1, attribution: options.attribution });
    names = L.layerGroup();
    degrees = L.layerGroup();
    where = L.control({ position: "bottomright" });
    where.onAdd = () => {
      const box = document.createElement("div");
      box.className = "landlike-where";
      box.title = "Coasts and borders are those of maps at 1 : 10 million";
      return box;
    };
    map.on("moveend layeradd", ({ layer, type }) => (type === "moveend" || layer === names || layer === degrees) && draw());
    return { "Ground": ground, "Place names": names, "Degrees": degrees };
  }

  const address = () => options.tiles.replace("{shade}", shade);

  // The scene comes first: its pictures are what a person waits for.
  function begin() {
    if (begun) return;
    begun = true;
    where.addTo(map);
    [ground, degrees].forEach((layer) => layer.addTo(map));
    ground.once("load", tell);
    setTimeout(tell, 4000);
  }

  function tell() {
    if (told) return;
    told = true;
    names.addTo(map);
  }

  function darken(dark) {
    const before = shade;
    shade = dark ? "dark" : "light";
    if (before !== shade) ground.setUrl(address());
  }

  function draw() {
    if (!begun) return;
    drawDegrees();
    if (!told) return;
    drawNames();
    tellWhere();
  }

  function drawDegrees() {
    degrees.clearLayers();
    if (!isOn(degrees)) return;
    const { x: wide, y: high } = map.getSize(), bounds = map.getBounds();
    const wanted = (APART * 360) / (256 * 2 ** map.getZoom());
    const step = STEPS.find((one) => one >= wanted) ?? 90, digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    const lines = [];
    const each = (low, high, run) => { for (let one = Math.ceil(low / step); one * step <= high; one++) run(one * step); };
    each(bounds.getWest(), bounds.getEast(), (lon) => {
      const place = map.latLngToContainerPoint([0, lon]).x, turned = L.Util.wrapNum(lon, [-180, 180]);
      lines.push([[-85.06, lon], [85.06, lon]]);
      if (place > CLEAR.x && place < wide - CLEAR.x) label([place, 3], degree(turned, digits, "E", "W"), "landlike-meridian");
    });
    each(Math.max(-85, bounds.getSouth()), Math.min(85, bounds.getNorth()), (lat) => {
      const place = map.latLngToContainerPoint([lat, 0]).y;
      lines.push([[lat, bounds.getWest() - 90], [lat, bounds.getEast() + 90]]);
      if (place > 2 * CLEAR.y && place < high - 3 * CLEAR.y) label([wide - 4, place], degree(lat, digits, "N", "S"), "landlike-parallel");
    });
    degrees.addLayer(L.polyline(lines, { pane: "degrees", weight: 0.7, interactive: false, className: "landlike-degrees", noClip: false }));
  }

  function degree(value, digits, above, below) {
    const size = Math.abs(value);
    const side = size < 1e-9 || Math.abs(size - 180) < 1e-9 ? "" : value < 0 ? ` ${below}` : ` ${above}`;
    return `${size.toFixed(digits)}°${side}`;
  }

  function label(at, words, name) {
    degrees.addLayer(named(map.containerPointToLatLng(at), words, name));
  }

  function named(place, words, name) {
    const html = document.createElement("span");
    html.textContent = words; // never as HTML
    const icon = L.divIcon({ className: `landlike-name ${name}`, html, iconSize: [0, 0] });
    return L.marker(place, { icon, pane: "names", interactive: false, keyboard: false });
  }

  // The tiles of a zoom less than the map's, so that a view needs a few.
  function urls() {
    const zoom = within(Math.floor(map.getZoom()) - 1, 0, options.namesDeepest), count = 2 ** zoom, bounds = map.getBounds();
    const [first, last] = [bounds.getNorthWest(), bounds.getSouthEast()].map((corner) => map.project(corner, zoom).divideBy(256).floor());
    const found = [];
    for (let y = Math.max(0, first.y); y <= Math.min(count - 1, last.y); y++) {
      for (let x = first.x; x <= last.x; x++) {
        const turned = Math.floor(x / count);
        found.push([options.names.replace("{z}", zoom).replace("{x}", x - turned * count).replace("{y}", y), turned * 360]);
      }
    }
    return found;
  }

  async function drawNames() {
    const mine = ++turn;
    if (!isOn(names)) return;
    const tiles = await Promise.all(urls().map(async ([url, shift]) => [await known(url), shift]));
    if (mine !== turn) return;
    const { x: wide, y: high } = map.getSize(), taken = controls(), shown = [];
    const longest = Math.max(0, ...tiles.map(([list]) => list.length));
    for (let row = 0; row < longest; row++) { // the most important of every tile before the next of any
      for (const [list, shift] of tiles) {
        if (row >= list.length || shown.length >= MOST_NAMES) continue;
        const [kind, name, lat, lon] = list[row], { x, y } = map.latLngToContainerPoint([lat, lon + shift]);
        if (x < 0 || y < 0 || x > wide || y > high - FOOT) continue;
        const box = boxOf(kind, name, x, y);
        if (taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) continue;
        taken.push(box);
        shown.push(named([lat, lon + shift], name, `landlike-${kind}`));
      }
    }
    names.clearLayers();
    shown.forEach((one) => names.addLayer(one));
    map.getContainer().dataset.names = shown.length;
  }

  // What lies over the map in its corners; no name is put beneath.
  function controls() {
    const frame = map.getContainer().getBoundingClientRect();
    return [...map.getContainer().querySelectorAll(".leaflet-control")].map((control) => {
      const { left, top, right, bottom } = control.getBoundingClientRect();
      return [left - frame.left, top - frame.top, right - frame.left, bottom - frame.top];
    });
  }

  function boxOf(kind, name, x, y) {
    pen.font = "12px system-ui, sans-serif";
    const length = pen.measureText(name).width * (kind === "country" ? 1.35 : 1.05);
    const left = kind === "country" ? x - length / 2 : x - 5;
    return [left - 4, y - 11, left + length + 14, y + 11];
  }

  async function tellWhere() {
    const box = where.getContainer();
    if (!box) return;
    const middle = map.getCenter().wrap(), near = map.getZoom() >= TOLD_FROM && Math.abs(middle.lat) <= 90;
    if (!near) {
      asked = box.textContent = "";
      return;
    }
    const short = (value) => String(Number(value.toFixed(2)) || 0);
    const url = options.where.replace("{lat}", short(middle.lat)).replace("{lon}", short(middle.lng));
    asked = url;
    const { words } = await known(url);
    if (words && asked === url) box.textContent = `Middle: ${words}`;
  }

  window.landlikeGround = { attach, begin, darken };
})();
