// Patches on the map: the one that is pointed at, here or in another view; what is known of one; boxes and outlines that
// are drawn; arrow keys. What a person does goes to the page around this frame, where the plot tells the server.
(function () {
  "use strict";

  const page = window.parent; // of the same server
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const LABEL = "Map of the scene. Arrow keys go from patch to patch, Enter finds land like it, a and x make it an example.";
  const TOOLS = [
    ["ask", "Find land like what is clicked", "M3 2l9 5-4 1.4L6.5 13z"],
    ["box", "Draw a box", "M2.5 3.5h11v9h-11z"],
    ["polygon", "Draw an outline: click its corners, double-click the last", "M3 12L2.5 5 8 2.5l5.5 4L11 13z"],
    ["tell", "Tell about the patch that is clicked", "M8 7v5M8 4.2v.2M8 1.5a6.5 6.5 0 1 0 .01 0z"],
  ];
  const fetched = new Map();
  let map, view = {}, patches = null, at, mode = "ask", drawn = null, glanced = null, said, bar;

  const fire = (name, detail) => page.dispatchEvent(new page.CustomEvent(name, { detail }));
  const tell = (name, detail) => tellPlot(name, detail, map.getContainer(), page);
  const act = (detail) => tell("landlike:do", detail);
  const element = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const button = (words, title, run) => {
    const made = element("button", "landlike-button", words);
    made.type = "button";
    if (title) made.setAttribute("aria-label", (made.title = title));
    made.onclick = run;
    return made;
  };

  function numbers(url) {
    if (!fetched.has(url)) {
      const answer = fetch(url).then(async (response) => {
        if (!response.ok) throw new Error(await response.text());
        return response.arrayBuffer();
      });
      answer.catch(() => fetched.delete(url));
      fetched.set(url, answer);
      if (fetched.size > 16) fetched.delete(fetched.keys().next().value);
    }
    return fetched.get(url);
  }

  async function learn(url) {
    const buffer = await numbers(url).catch(() => null);
    if (!buffer || view.outlines !== url) return;
    const count = new Int32Array(buffer, 0, 1)[0];
    const corners = new Float32Array(buffer, 4 + 4 * count, 8 * count);
    const ids = new Int32Array(buffer, 4, count);
    const centres = new Float32Array(2 * count);
    for (let row = 0; row < count; row++) {
      for (const axis of [0, 1]) {
        centres[2 * row + axis] = (corners[8 * row + axis] + corners[8 * row + 2 + axis] + corners[8 * row + 4 + axis] + corners[8 * row + 6 + axis]) / 4;
      }
    }
    patches = { count, ids, corners, centres, rows: new Map(Array.from(ids, (id, row) => [id, row])) };
    map.getContainer().dataset.patches = count;
  }

  const ring = (row) => [0, 2, 4, 6].map((corner) => [patches.corners[8 * row + corner], patches.corners[8 * row + corner + 1]]);

  // The row of the patch that holds a place; of several the one with the nearest centre.
  function rowAt({ lat, lng }) {
    if (!patches) return -1;
    const { count, corners, centres } = patches;
    let best = -1, least = Infinity;
    for (let row = 0; row < count; row++) {
      const first = 8 * row, north = centres[2 * row] - lat, east = centres[2 * row + 1] - lng;
      const distance = north * north + east * east;
      if (!(distance < least)) continue;
      let left = true, right = true;
      for (let corner = 0; corner < 8; corner += 2) {
        const next = (corner + 2) % 8;
        const turn = (corners[first + next] - corners[first + corner]) * (lng - corners[first + corner + 1]) -
          (corners[first + next + 1] - corners[first + corner + 1]) * (lat - corners[first + corner]);
        if (turn < 0) left = false;
        if (turn > 0) right = false;
      }
      if (left || right) [best, least] = [row, distance];
    }
    return best;
  }

  function glance(id, tellOthers) {
    if (id === at) return;
    at = id;
    if (glanced) glanced.remove();
    glanced = null;
    const row = id === undefined || !patches ? undefined : patches.rows.get(id);
    if (row !== undefined && !Number.isNaN(patches.corners[8 * row])) {
      const style = { pane: "glance", fill: false, interactive: false, lineJoin: "miter" };
      glanced = L.layerGroup([["#fff", 5], ["#14191b", 2]].map(([color, weight]) => L.polygon(ring(row), { ...style, color, weight }))).addTo(map);
    }
    if (tellOthers) fire("landlike:hover", { id, from: "map" });
  }

  async function known(id) {
    const row = patches.rows.get(id), { tell } = view;
    const value = async (url) => (url ? new Float32Array(await numbers(url))[row] : NaN);
    const [group, number] = await Promise.all([value(tell.classes && tell.classes.url), value(tell.values)]);
    const north = patches.centres[2 * row], east = ((patches.centres[2 * row + 1] + 540) % 360) - 180;
    const lines = [[`${Math.abs(north).toFixed(4)}° ${north < 0 ? "S" : "N"}, ${Math.abs(east).toFixed(4)}° ${east < 0 ? "W" : "E"}`]];
    const { legend } = tell;
    if (!Number.isNaN(number)) {
      if (legend.kind === "scale") lines.push([legend.title, number.toFixed(legend.digits ?? 2).replace(/^-(?=[0.]+$)/, "").replace("-", "−")]);
      else if (legend.names[number] && legend.names[number] !== (tell.classes && tell.classes.names[group])) lines.push([legend.names[number]]);
    }
    const rank = tell.neighbours.indexOf(id);
    if (rank >= 0) lines.push([`No. ${rank + 1}`, `score ${tell.similarity[rank]}`]);
    return { title: (tell.classes && tell.classes.names[group]) || `Patch ${id}`, lines: [[`Patch ${id}`], ...lines] };
  }

  async function tellAbout(row) {
    const id = patches.ids[row];
    const { title, lines } = await known(id).catch(() => ({ title: `Patch ${id}`, lines: [] }));
    const box = element("div", "landlike-told");
    const picture = element("img");
    picture.src = view.tell.thumbs.replace("{id}", id).replace(/side=\d+/, "side=256");
    picture.alt = "";
    const words = element("div");
    words.append(element("strong", "", title), ...lines.filter(([first]) => first !== title).map((line) => element("span", "", line.join(" "))));
    const mark = (sign) => () => { map.closePopup(); act({ what: "evidence", id, sign }); };
    const buttons = element("div", "landlike-buttons");
    buttons.append(button("Find land like it", "", () => { map.closePopup(); act({ what: "query", id }); }),
      button("+", "More like this", mark(1)), button("−", "Not like this", mark(-1)),
      button("Select", "Select it, or no longer", () => { map.closePopup(); act({ what: "pick", id }); }));
    box.append(picture, words, buttons);
    L.popup({ maxWidth: 320, minWidth: 300, autoPanPadding: [56, 12] }).setLatLng([patches.centres[2 * row], patches.centres[2 * row + 1]]).setContent(box).openOn(map);
  }

  function use(name) {
    mode = name;
    drop();
    for (const one of bar.querySelectorAll("[data-tool]")) one.setAttribute("aria-pressed", String(one.dataset.tool === name));
    map.getContainer().classList.toggle("landlike-drawing", name === "box" || name === "polygon");
    map.dragging[name === "box" ? "disable" : "enable"]();
    map.doubleClickZoom[name === "polygon" ? "disable" : "enable"]();
  }

  function addTools() {
    const control = L.control({ position: "topleft" });
    control.onAdd = () => {
      bar = L.DomUtil.create("div", "leaflet-bar leaflet-control landlike-tools");
      L.DomEvent.disableClickPropagation(bar);
      TOOLS.forEach(([name, title, path]) => {
        const made = button("", title, () => use(name));
        made.dataset.tool = name;
        made.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${path}"/></svg>`;
        bar.append(made);
      });
      return bar;
    };
    control.addTo(map);
    use("ask");
  }

  function drop() {
    if (drawn) drawn.shape.remove();
    drawn = null;
  }

  function click(event) {
    const { latlng, originalEvent: mouse } = event;
    if (drawn && drawn.over) return true; // the click that ended a box
    if (mode === "polygon") {
      drawn ??= { corners: [], shape: shaped([]) };
      drawn.corners.push(latlng);
      drawn.shape.setLatLngs(drawn.corners);
      return true;
    }
    if (mode === "box") return true;
    const row = rowAt(latlng);
    if (row < 0) return mode !== "ask";
    const id = patches.ids[row];
    if (mode === "tell" || id === view.tell.query) tellAbout(row);
    else if (mouse.shiftKey || mouse.altKey) act({ what: "evidence", id, sign: mouse.shiftKey ? 1 : -1 });
    else if (mouse.ctrlKey || mouse.metaKey) act({ what: "pick", id });
    else act({ what: "query", id });
    return true;
  }

  const shaped = (corners) => L.polygon(corners, { pane: "glance", color: view.accent, weight: 2, dashArray: "5 4", fillOpacity: 0.1, interactive: false }).addTo(map);

  function pressDown(event) {
    if (mode !== "box" || event.originalEvent.button) return;
    drop();
    drawn = { from: event.latlng, shape: shaped([]) };
  }

  function move(event) {
    if (drawn && drawn.from && !drawn.over) {
      const { lat, lng } = drawn.from, to = event.latlng;
      drawn.corners = [[lat, lng], [lat, to.lng], [to.lat, to.lng], [to.lat, lng]].map((corner) => L.latLng(corner));
      return drawn.shape.setLatLngs(drawn.corners);
    }
    if (drawn && drawn.corners && !drawn.over) drawn.shape.setLatLngs([...drawn.corners, event.latlng]);
    const row = rowAt(event.latlng);
    glance(row < 0 ? undefined : patches.ids[row], true);
    return undefined;
  }

  function letGo() {
    if (!drawn || !drawn.from || drawn.over) return undefined;
    if (!drawn.corners) return drop();
    drawn.over = true;
    return setTimeout(finish, 30); // after the click that follows, which closes popups
  }

  // Which patches have their centre in what was drawn, and what to do with them.
  function finish() {
    if (!patches || !drawn || drawn.corners.length < 3) return drop();
    drawn.over = true;
    drawn.shape.setLatLngs(drawn.corners);
    const ids = [];
    for (let row = 0; row < patches.count; row++) {
      if (holds(drawn.corners, patches.centres[2 * row], patches.centres[2 * row + 1])) ids.push(patches.ids[row]);
    }
    const box = element("div", "landlike-told");
    const told = ids.length ? `${ids.length.toLocaleString("en")} ${ids.length === 1 ? "patch" : "patches"}` : "No patch has its middle in here.";
    box.append(element("strong", "", told));
    const corners = drawn.corners.map(({ lat, lng }) => [lat, lng]);
    const run = (what, as) => () => { map.closePopup(); use("ask"); act({ what, ids, as, corners }); };
    const buttons = element("div", "landlike-buttons");
    if (ids.length) {
      buttons.append(button("Find land like this", "", run("region", "ask")), button("+", "More like this area", run("region", "good")),
        button("−", "Not like this area", run("region", "bad")), button("Select", "Select these patches", run("select")),
        button("Only in here", "Only in here: leave out what lies outside, in all views", run("region", "filter")));
    }
    box.append(buttons);
    const bounds = drawn.shape.getBounds();
    const popup = L.popup({ minWidth: 240 }).setLatLng([bounds.getNorth(), bounds.getCenter().lng]).setContent(box).openOn(map);
    const mine = drawn; // the click that ends the next drawing closes this popup
    popup.on("remove", () => setTimeout(() => drawn === mine && drop(), 0));
    return undefined;
  }

  function holds(corners, lat, lng) {
    let inside = false;
    for (let one = 0, other = corners.length - 1; one < corners.length; other = one++) {
      const a = corners[one], b = corners[other];
      if (a.lat > lat !== b.lat > lat && lng < ((b.lng - a.lng) * (lat - a.lat)) / (b.lat - a.lat) + a.lng) inside = !inside;
    }
    return inside;
  }

  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox], [type=radio]), textarea")) return;
    const step = STEPS[event.key], own = event.target === map.getContainer();
    const id = at ?? view.tell?.query;
    if (event.key === "Escape") {
      if (map.getContainer().querySelector(".leaflet-popup")) map.closePopup();
      else if (mode !== "ask") use("ask");
      else act({ what: "clear" });
    } else if (event.key === "?") tell("landlike:key", { key: "?" });
    else if (event.key === "a" || event.key === "x") {
      if (id === undefined || id === null) return;
      tell("landlike:key", { key: event.key, id });
    } else if (own && step && patches) walk(step);
    else if (own && event.key === "Enter" && mode === "polygon") finish();
    else if (own && event.key === "Enter" && at !== undefined) act({ what: "query", id: at });
    else if (own && (event.key === "+" || event.key === "=")) map.zoomIn();
    else if (own && event.key === "-") map.zoomOut();
    else return;
    event.preventDefault();
  }

  function walk([east, north]) {
    const { centres, count, rows } = patches;
    const middle = map.getCenter();
    const from = rows.get(at ?? view.tell.query ?? patches.ids[Math.max(0, rowAt(middle))]) ?? 0;
    const lat = centres[2 * from], lng = centres[2 * from + 1], narrow = Math.cos((lat * Math.PI) / 180);
    let best = from, least = Infinity;
    for (let row = 0; row < count; row++) {
      const x = (centres[2 * row + 1] - lng) * narrow, y = centres[2 * row] - lat;
      const ahead = x * east + y * north, aside = Math.abs(x * north) + Math.abs(y * east);
      if (row === from || !(ahead > 1e-7) || aside > ahead) continue;
      if (ahead + 2 * aside < least) [best, least] = [row, ahead + 2 * aside];
    }
    const id = patches.ids[best];
    glance(id, true);
    const place = L.latLng(centres[2 * best], centres[2 * best + 1]);
    if (!map.getBounds().pad(-0.05).contains(place)) map.panTo(place, { animate: false });
    known(id).then(({ title, lines }) => { if (at === id) said.textContent = [title, ...lines.slice(1).flat()].join(", "); }, () => {});
  }

  function attach(made) {
    map = made;
    Object.assign(map.createPane("glance").style, { zIndex: 610, pointerEvents: "none" });
    addTools();
    map.on("mousemove", move).on("mouseout", () => glance(undefined, true)).on("mousedown", pressDown);
    map.on("dblclick", () => mode === "polygon" && setTimeout(finish, 30));
    map.on("contextmenu", (event) => { const row = rowAt(event.latlng); if (row >= 0) tellAbout(row); });
    document.addEventListener("mouseup", letGo);
    document.addEventListener("keydown", key);
    const container = map.getContainer();
    map.keyboard.disable();
    container.tabIndex = 0;
    container.setAttribute("role", "application");
    container.setAttribute("aria-label", LABEL);
    said = container.appendChild(element("div", "landlike-said"));
    said.setAttribute("role", "status");
    const hovered = ({ detail }) => detail.from !== "map" && glance(detail.id, false);
    page.addEventListener("landlike:hover", hovered);
    window.addEventListener("pagehide", () => page.removeEventListener("landlike:hover", hovered));
  }

  function update(shown) {
    const before = view.outlines;
    view = shown;
    if (!shown.outlines || shown.outlines === before) return;
    patches = null;
    const later = window.requestIdleCallback ?? ((run) => setTimeout(run, 200));
    later(() => learn(shown.outlines));
  }

  window.landlikePatches = { attach, update, click };
})();
