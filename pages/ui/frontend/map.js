// The map in its frame: made once a scene by landlike.start, changed by landlike.update. Python side: pages/ui/explore/map.py.
// A new query moves outlines and swaps an image; the Leaflet map, its place and its imagery stay.
(function () {
  "use strict";

  const CASING = { color: "#fff", opacity: 0.9, fill: false, interactive: false, lineJoin: "miter" };
  const OFFLINE = "The online map cannot be reached from here. The scene itself needs no network.";
  const LEFT_OVER = "No patch lies here; Patches can cover the edge.";
  const LOST = "Pictures of the scene do not arrive; is the server still running?";
  const GOOD = "#1d7a3e", BAD = "#b3261e";
  let state = null;

  const text = (words, name) => {
    const element = document.createElement("div");
    element.className = name || "";
    element.textContent = words; // never as HTML
    return element;
  };
  const swatch = (colour) => {
    const spot = text("", "landlike-swatch");
    spot.style.background = colour;
    return spot;
  };
  const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  function pane(map, name, order, clickable) {
    const element = map.createPane(name);
    element.style.zIndex = order;
    if (!clickable) element.style.pointerEvents = "none";
  }

  function start(map, options) {
    pane(map, "base", 150);
    pane(map, "imagery", 200);
    pane(map, "values", 310);
    pane(map, "left", 305, true);
    pane(map, "strange", 410);
    pane(map, "marks", 420, true);
    pane(map, "ranks", 620);
    map.getContainer().style.setProperty("--accent", options.accent);
    state = { map, options, view: {}, notices: {}, early: new Early() };
    state.outlines = L.featureGroup([], { pane: "marks" }).addTo(map);
    state.strange = L.layerGroup().addTo(map);
    state.left = L.layerGroup().addTo(map);
    state.ink = L.canvas({ pane: "strange", padding: 0.3 });
    state.scene = L.layerGroup().addTo(map);
    state.values = L.layerGroup().addTo(map);
    state.canvas = L.canvas({ pane: "marks", padding: 0.3 });
    map.attributionControl.setPrefix(false);
    L.control.scale({ imperial: false }).addTo(map);
    addHome(map);
    state.ground = landlikeGround.attach(map, options.ground);
    addLayers(map, options);
    map.on("click", sendClick);
    map.on("zoomend", markFar);
    window.parent.addEventListener("landlike:early", answer);
    window.addEventListener("pagehide", () => window.parent.removeEventListener("landlike:early", answer));
    landlikePatches.attach(map);
    hold(map);
    // The page around this frame changes with the system, and says so to nobody.
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(darken, 200));
    fit(map, options.bounds);
  }

  // Fits the map as soon as its frame has a size, and follows every later one. A frame has none in a hidden tab, and for
  // a moment while its page is laid out: then the map goes by the size it had.
  function fit(map, bounds) {
    const room = map.getContainer();
    let fitted = false;
    const resize = () => {
      if (room.clientWidth <= 20 || room.clientHeight <= 20) return;
      const { going } = state;
      if (going) map.stop(); // it would go on to where its goal lay in the old size
      map.invalidateSize({ animate: false, pan: fitted });
      if (!fitted) map.fitBounds(bounds, { animate: false, padding: [12, 12] });
      else if (going) map.panTo(going, { animate: false });
      fitted = true;
    };
    resize();
    new ResizeObserver(resize).observe(room);
  }

  // What is pressed stays until it is let go: of a press on one shape and a release on another no browser makes a click.
  function hold(map) {
    const letGo = () => setTimeout(() => {
      state.pressed = false;
      if (state.held) draw(state.held);
    }, 0); // after the click
    map.getContainer().addEventListener("pointerdown", () => { state.pressed = true; }, true);
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, letGo, true);
    window.addEventListener("pointermove", (event) => { if (state.pressed && !event.buttons) letGo(); }, true);
  }

  function addHome(map) {
    const control = L.control({ position: "topleft" });
    control.onAdd = () => {
      const bar = L.DomUtil.create("div", "leaflet-bar leaflet-control");
      const link = L.DomUtil.create("a", "landlike-home", bar);
      link.href = "#";
      link.title = "Show the whole scene";
      link.setAttribute("role", "button");
      link.setAttribute("aria-label", link.title);
      L.DomEvent.disableClickPropagation(bar);
      L.DomEvent.on(link, "click", (event) => {
        L.DomEvent.preventDefault(event);
        map.fitBounds(state.options.bounds, { padding: [12, 12] });
      });
      return bar;
    };
    control.addTo(map);
  }

  function addLayers(map, options) {
    const choices = { "Scene": state.scene, "Colours": state.values, "Outlines": state.outlines, ...state.ground };
    options.basemaps.forEach((item) => {
      const layer = L.tileLayer(item.url, { attribution: item.attribution, maxZoom: 19, pane: "base" });
      layer.on("tileerror", () => notice("online", OFFLINE));
      layer.on("tileload remove", () => notice("online", null));
      choices[item.title + " (online)"] = layer;
    });
    L.control.layers(null, choices, { position: "topright" }).addTo(map);
  }

  function notice(name, words) {
    const shown = state.notices[name];
    if (Boolean(shown) === Boolean(words)) return;
    if (shown) {
      shown.remove();
      delete state.notices[name];
      return;
    }
    const control = L.control({ position: "bottomright" });
    control.onAdd = () => {
      const box = text(words, "landlike-notice");
      box.setAttribute("role", "status");
      return box;
    };
    state.notices[name] = control.addTo(state.map);
  }

  function sendClick(event) {
    // Said at once: the frame's own handler waits a quarter of a second, and then finds nothing new to say.
    const data = window.__GLOBAL_DATA__;
    if (landlikePatches.click(event)) {
      // The frame's own handler, which comes next, is to find nothing new to say.
      if (data) setTimeout(() => { data.lat_lng_clicked = state.told || null; }, 0);
      return;
    }
    const here = event.latlng;
    const beside = state.map.containerPointToLatLng(event.containerPoint.add([12, 0]));
    here.reach = Math.round(state.map.distance(here, beside));
    here.at = Date.now(); // the same place once more is another click
    const value = { last_clicked: here };
    if (!data) return;
    data.lat_lng_clicked = state.told = here;
    data.previous_data = value;
    window.Streamlit.setComponentValue(value);
  }

  // What answers a patch, before the page says it.
  function answer({ detail }) {
    if (!detail.map || !state.page) return;
    state.early.take(detail.map, JSON.stringify(state.page.marks));
    draw({ ...state.page, ...detail.map });
  }

  function update(told) {
    if (!state) return;
    state.page = told;
    draw(state.early.over(told, JSON.stringify(told.marks)));
  }

  function draw(view) {
    state.held = state.pressed ? view : null;
    if (state.pressed) return;
    const before = state.view;
    state.view = view;
    if (!isSame(before.imagery, view.imagery)) showImagery(view.imagery);
    if (!isSame(before.overlay, view.overlay)) showValues(view.overlay);
    if (!isSame(before.marks, view.marks)) showMarks(view.marks);
    if (!isSame(before.strangers, view.strangers)) showStrangers(view.strangers);
    if (!isSame(before.leftOver, view.leftOver)) showLeftOver(view.leftOver);
    if (!isSame(before.legends, view.legends)) showLegends(view.legends);
    if (view.marks.query && (!before.marks || !isSame(before.marks.query, view.marks.query))) reveal(view.marks.query);
    const { patches } = view;
    landlikePatches.update({ ...patches, tell: { ...patches.tell, ...view.tell }, accent: state.options.accent });
    darken();
    state.map.fire("landlike:updated");
  }

  // The ground is as dark as the page around the frame.
  function darken() {
    const app = window.parent.document.querySelector(".stApp");
    const shade = app && getComputedStyle(app).backgroundColor.match(/\d+/g);
    const dark = Boolean(shade) && Number(shade[0]) + Number(shade[1]) + Number(shade[2]) < 384;
    state.map.getContainer().classList.toggle("landlike-dark", dark);
    landlikeGround.darken(dark);
  }

  function swap(group, layer) {
    // What was on show stays until the new picture has arrived and faded in.
    const old = group.getLayers();
    const settle = () => old.forEach((other) => group.removeLayer(other));
    if (!layer) return settle();
    layer.once("load", () => setTimeout(settle, 250));
    setTimeout(settle, 4000);
    group.addLayer(layer);
  }

  function tiles(url, options) {
    return L.tileLayer(url, {
      bounds: state.options.room, minZoom: 0, maxZoom: state.map.getMaxZoom(), keepBuffer: 3, ...options,
    });
  }

  function showImagery(imagery) {
    const layer = tiles(imagery.url, { pane: "imagery", maxNativeZoom: imagery.deepest, attribution: imagery.attribution });
    layer.on("tileerror", () => notice("lost", LOST));
    layer.on("tileload", () => notice("lost", null));
    layer.once("load", () => landlikeGround.begin());
    setTimeout(() => landlikeGround.begin(), 3000);
    swap(state.scene, layer);
  }

  function showValues(overlay) {
    swap(state.values, overlay && tiles(overlay.url, { pane: "values", opacity: overlay.opacity }));
  }

  function showLegends(legends) {
    if (state.legend) state.legend.remove();
    state.legend = null;
    if (!legends.length) return;
    state.legend = L.control({ position: "bottomleft" });
    state.legend.onAdd = () => {
      const box = text("", "landlike-legend");
      legends.forEach((item) => {
        box.appendChild(text(item.title, "landlike-legend-title"));
        if (item.note) box.lastChild.className = "landlike-legend-note";
        if (item.about) box.lastChild.title = item.about;
        if (item.swatch) box.lastChild.prepend(swatch(item.swatch));
        if (item.count) box.lastChild.append(text(item.count, "landlike-legend-count"));
        if (!item.colours) return;
        box.appendChild(text("")).style.background = `linear-gradient(to right, ${item.colours.join(", ")})`;
        box.lastChild.className = "landlike-legend-bar";
        const ends = box.appendChild(text("", "landlike-legend-ends"));
        ends.append(text(item.low), text(item.high));
      });
      return box;
    };
    state.legend.addTo(state.map);
  }

  function showMarks(marks) {
    const group = state.outlines;
    const accent = state.options.accent;
    group.clearLayers();
    if (marks.veil && marks.veil.url) {
      group.addLayer(L.imageOverlay(marks.veil.url, marks.veil.bounds, {
        pane: "left", opacity: 0.62, className: "landlike-overlay", interactive: false,
      }));
    }
    for (const mask of [marks.found, marks.mask]) {
      if (!mask || !mask.url) continue;
      group.addLayer(L.imageOverlay(mask.url, mask.bounds, {
        pane: "marks", opacity: 0.55, className: "landlike-overlay", interactive: false,
      }));
    }
    for (const rings of [marks.selection, (marks.found && marks.found.rings) || []]) {
      if (!rings.length) continue;
      group.addLayer(L.polygon(rings.map((ring) => [ring]), {
        pane: "marks", renderer: state.canvas, color: accent, weight: 1.5, fillOpacity: 0.35, interactive: false,
      }));
    }
    marks.neighbours.forEach((mark) => outline(group, mark, 2));
    for (const [sign, colour, list] of [["+", GOOD, marks.good], ["−", BAD, marks.bad]]) {
      list.forEach((mark) => outline(group, { ...mark, sign, bare: list.length > 30 }, 3, colour));
    }
    for (const area of marks.areas || []) {
      const style = { pane: "marks", fill: false, interactive: false };
      group.addLayer(L.polygon(area.rings, { ...style, color: "#fff", weight: 5, opacity: 0.9 }));
      group.addLayer(L.polygon(area.rings, { ...style, color: area.good ? GOOD : BAD, weight: 2.5, dashArray: "7 4" }));
    }
    if (marks.query) outline(group, marks.query, 3.5);
    markFar();
  }

  // Patches that are unfamiliar to the encoder: small diamonds, dark in light so that they show on any land, all in one
  // shape so that moving the map redraws two and not hundreds.
  function showStrangers(rings) {
    const style = { pane: "strange", renderer: state.ink, fill: false, interactive: false, smoothFactor: 0 };
    state.strange.clearLayers();
    for (const [color, weight] of [["#fff", 2.8], ["#14191b", 1.2]]) {
      state.strange.addLayer(L.polygon(rings.map((ring) => [ring]), { ...style, color, weight }));
    }
  }

  // Strips at the edge that no patch covers, where a click finds nothing: shaded, and they say why.
  function showLeftOver(rings) {
    state.left.clearLayers();
    rings.forEach((ring) => {
      const strip = L.polygon(ring, { pane: "left", stroke: false, fillColor: "#000", fillOpacity: 0.55 });
      state.left.addLayer(strip.bindTooltip(text(LEFT_OVER), { sticky: true, opacity: 0.95 }));
      skip(strip);
    });
  }

  // A shape with a tip would be a stop for Tab, and there may be a hundred: arrow keys tell of patches.
  function skip(shape) {
    const drawn = shape.getElement && shape.getElement();
    if (drawn) drawn.setAttribute("tabindex", "-1");
  }

  function outline(group, mark, weight, colour) {
    const accent = colour || state.options.accent;
    group.addLayer(L.polygon(mark.ring, { ...CASING, pane: "marks", weight: weight + 2.5 }));
    const shape = L.polygon(mark.ring, { pane: "marks", color: accent, weight, fillOpacity: 0, lineJoin: "miter" });
    shape.bindTooltip(text(mark.words), { direction: "top", sticky: true, opacity: 0.95 });
    group.addLayer(shape);
    skip(shape);
    if (mark.bare) return; // of an area: their signs would hide it
    const name = "landlike-rank" + (mark.rank ? "" : " landlike-query") + (mark.rank > 9 ? " landlike-late" : "");
    const size = mark.rank > 99 ? [26, 17] : mark.rank > 9 ? [22, 17] : [17, 17];
    const icon = L.divIcon({ className: name, html: text(mark.sign || (mark.rank ? String(mark.rank) : "★")), iconSize: size });
    if (mark.sign) icon.options.className = `landlike-rank landlike-${mark.sign === "+" ? "good" : "bad"}`;
    group.addLayer(L.marker(mark.ring[1], { icon, pane: "ranks", interactive: false, keyboard: false }));
  }

  function markFar() {
    const query = state.view.marks && state.view.marks.query;
    if (!query) return;
    const [a, b] = [query.ring[0], query.ring[2]].map((corner) => state.map.latLngToContainerPoint(corner));
    state.map.getContainer().classList.toggle("landlike-far", a.distanceTo(b) < 24);
  }

  function reveal(query) {
    const place = L.latLngBounds(query.ring).getCenter();
    if (state.map.getBounds().pad(-0.05).contains(place)) return;
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    state.going = place;
    state.map.once("moveend", () => { state.going = null; });
    state.map.panTo(place, { animate: !still });
  }

  window.landlike = { start, update };
})();
