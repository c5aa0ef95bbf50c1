// How a value is spread over the patches, and from where to where it counts: drawn over the bars, or by two sliders.
const STEPS = 200;

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".brush");
  const { bars, sticks } = histogram(data.counts);
  const place = (value, otherwise) => (value === null ? otherwise : Math.round(((value - data.edges[0]) / (span || 1)) * STEPS));
  const span = data.edges.at(-1) - data.edges[0];
  const value = (slider) => data.edges[0] + (slider.value / STEPS) * span;
  const [low, high] = [["from", place(data.low, 0)], ["to", place(data.high, STEPS)]].map(([word, at]) => {
    const slider = Object.assign(element("input"), { type: "range", min: 0, max: STEPS, step: 1 });
    slider.value = at;
    slider.setAttribute("aria-label", `${data.title} ${word}`);
    return slider;
  });
  const words = element("p");
  const told = (number) => number.toFixed(data.digits).replace(/^-(?=[0.]+$)/, "").replace("-", "−");
  const follow = () => {
    if (Number(low.value) > Number(high.value)) [low.value, high.value] = [high.value, low.value];
    const [from, to] = [value(low), value(high)];
    words.textContent = `${data.title} ${told(from)} to ${told(to)}`;
    sticks.forEach((stick, at) => stick.classList.toggle("in", data.edges[at + 1] > from && data.edges[at] < to));
  };
  const send = () => setTriggerValue("range", {
    low: low.value === "0" ? null : Number(value(low).toPrecision(6)), high: high.value === String(STEPS) ? null : Number(value(high).toPrecision(6)),
  });
  for (const slider of [low, high]) Object.assign(slider, { oninput: follow, onchange: send });
  const step = (event) => {
    const { left, width } = bars.getBoundingClientRect();
    return Math.min(STEPS, Math.max(0, Math.round(((event.clientX - left) / width) * STEPS)));
  };
  bars.onpointerdown = (event) => {
    const first = step(event), before = [low.value, high.value];
    event.preventDefault(); // or the text around would be selected
    bars.setPointerCapture(event.pointerId);
    bars.onpointermove = (moved) => {
      [low.value, high.value] = [first, step(moved)].sort((one, other) => one - other);
      follow();
    };
    bars.onpointerup = bars.onpointercancel = () => {
      bars.onpointermove = bars.onpointerup = bars.onpointercancel = null;
      if (low.value === high.value) [low.value, high.value] = before;
      follow();
      if (low.value !== before[0] || high.value !== before[1]) send();
    };
  };
  const both = element("div", "both");
  both.append(low, high);
  root.replaceChildren(bars, both, words);
  follow();
}
