// A picture on which a rectangle is dragged, in pixels of the scene; a drag that leaves or begins beside it ends at its edge.
const LEAST = 4; // pixels of the screen: a mere click is no rectangle

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".part");
  const ground = document.createElement("div"), picture = document.createElement("img"), frame = document.createElement("i");
  ground.className = "ground";
  ground.style.setProperty("--sides", data.width / data.height);
  Object.assign(picture, { src: data.src, alt: `Picture of what is added, ${data.width} × ${data.height} pixels`, draggable: false });
  const show = ([left, top, right, bottom]) => Object.assign(frame.style, {
    left: `${(100 * left) / data.width}%`, top: `${(100 * top) / data.height}%`,
    width: `${(100 * (right - left)) / data.width}%`, height: `${(100 * (bottom - top)) / data.height}%`,
  });
  const within = (share, length) => Math.round(Math.min(1, Math.max(0, share)) * length);
  const at = (event) => {
    const { left, top, width, height } = ground.getBoundingClientRect();
    return [within((event.clientX - left) / width, data.width), within((event.clientY - top) / height, data.height)];
  };
  const between = (one, other) => [0, 1].map((side) => Math.min(one[side], other[side])).concat(
    [0, 1].map((side) => Math.max(one[side], other[side])));
  root.onpointerdown = (event) => {
    if (event.button) return;
    event.preventDefault(); // or the picture and the text around would be dragged along
    root.setPointerCapture(event.pointerId);
    const first = at(event), start = event;
    let box = data.box;
    root.onpointermove = (moved) => {
      const far = Math.hypot(moved.clientX - start.clientX, moved.clientY - start.clientY) >= LEAST;
      box = far ? between(first, at(moved)) : data.box;
      show(box);
    };
    root.onpointerup = root.onpointercancel = (ended) => {
      root.onpointermove = root.onpointerup = root.onpointercancel = null;
      const drawn = ended.type === "pointerup" && box !== data.box && box[2] > box[0] && box[3] > box[1];
      if (drawn) setTriggerValue("box", box);
      else show(data.box);
    };
  };
  show(data.box);
  ground.append(picture, frame);
  root.replaceChildren(ground);
}
