// How scores are spread, and a slider over it: all from there on are shown. Counts follow the slider without the server.
const STEPS = 400;
const places = new Intl.NumberFormat("en");

function ground(hectares) {
  if (hectares === null) return "";
  return ` · ${places.format(hectares < 10 ? Math.round(hectares * 10) / 10 : Math.round(hectares))} ha`;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".threshold");
  const { bars, sticks } = histogram(data.counts);
  const slider = Object.assign(element("input"), { type: "range", min: 0, max: STEPS, step: 1 });
  slider.setAttribute("aria-label", `Least ${data.measure}`);
  const words = element("p");
  words.setAttribute("role", "status");
  const score = () => data.low + (slider.value / STEPS) * (data.high - data.low);
  const follow = () => {
    const least = score();
    // The steps of the server: how many lie at or above each.
    const count = data.above[slider.value];
    words.replaceChildren(element("b", "", `${places.format(count)} ${count === 1 ? "patch" : "patches"}`),
      ground(data.hectares && data.hectares[slider.value]), element("span", "", `${data.measure} ${least.toFixed(data.digits)} or more`));
    sticks.forEach((stick, at) => stick.classList.toggle("in", data.edges[at + 1] > least));
    slider.setAttribute("aria-valuetext", words.textContent);
  };
  slider.value = Math.round(((data.least - data.low) / (data.high - data.low || 1)) * STEPS);
  slider.oninput = follow;
  slider.onchange = () => setTriggerValue("least", Number(score().toFixed(6)));
  root.replaceChildren(bars, slider, words);
  follow();
}
