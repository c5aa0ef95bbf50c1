// Spectral signatures: mean and spread by band, over wavelength, for the query and its neighbours.
const drawn = new WeakMap();

const faded = (hex, alpha) => {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${red},${green},${blue},${alpha})`;
};

// Runs of bands that were measured, as lists of their numbers.
function stretches(seen) {
  const found = [];
  seen.forEach((is, band) => { if (is) (seen[band - 1] ? found[found.length - 1].push(band) : found.push([band])); });
  return found;
}

function traces(data, line, { text: ink }) {
  // Bands that were not measured are absent: a gap in the line, and a cross on the axis that says why.
  const seen = data.words.map((word) => !word);
  const around = { mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
  const high = line.mean.map((mean, band) => mean + line.spread[band]);
  const low = line.mean.map((mean, band) => Math.max(0, mean - line.spread[band]));
  const hover = line.mean.map((mean, band) =>
    `<b>${data.names[band]}</b> ${data.titles[band]}, ${Math.round(data.wavelengths[band])} nm<br>` +
    `${line.title}: ${(100 * mean).toFixed(1)} % ± ${(100 * line.spread[band]).toFixed(1)}` +
    (data.words[band] ? `<br><i>${data.words[band]}</i>` : ""));
  // The spread is a band of its own between any two neighbours that were both measured, and none across a gap.
  const spread = stretches(seen).flatMap((bands) => [high, low].map((edge, below) => ({
    ...around, ...(bands.length > 1
      ? { x: bands.map((band) => data.wavelengths[band]), y: bands.map((band) => edge[band]) }
      : { x: [0.99, 1.01].map((side) => side * data.wavelengths[bands[0]]), y: [edge[bands[0]], edge[bands[0]]] }),
    ...(below ? { fill: "tonexty", fillcolor: faded(line.colour, 0.16) } : {}),
  })));
  return [
    ...spread,
    {
      x: data.wavelengths, y: line.mean.map((mean, band) => (seen[band] ? mean : null)), name: line.title, mode: "lines+markers", text: hover, hoverinfo: "text",
      line: { color: line.accent ? line.colour : faded(line.colour, 0.55), width: line.accent ? 2.2 : 5 },
      marker: {
        size: line.accent ? 7 : 9, color: line.colour, line: { color: line.colour, width: 1.8 },
      },
    },
    {
      x: data.wavelengths.filter((_, band) => !seen[band]), y: data.words.filter(Boolean).map(() => 0), mode: "markers", showlegend: false,
      text: data.words.flatMap((word, band) => (word ? [`<b>${data.names[band]}</b> ${word}`] : [])), hoverinfo: "text",
      marker: { symbol: "x-thin", size: 7, line: { color: ink, width: 1.2 } }, cliponaxis: false,
    },
  ];
}

function layout(data, look) {
  const ticks = [443, 493, 560, 665, 740, 865, 1000, 1375, 1610, 2200].filter((tick) => data.wide || ![493, 1000].includes(tick));
  const axis = { gridcolor: faded(look.text, 0.1), linecolor: faded(look.text, 0.3), tickcolor: faded(look.text, 0.3),
    zeroline: false, tickfont: { size: 11.5, color: look.text }, fixedrange: true };
  const title = (text) => ({ text, font: { size: 12, color: look.text }, standoff: 6 });
  return {
    margin: { l: 46, r: 10, t: 24, b: 38 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: look.font, color: look.text }, showlegend: true,
    legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)", font: { size: 12.5, color: look.text }, itemclick: false, itemdoubleclick: false },
    hoverlabel: { bgcolor: look.paper, bordercolor: faded(look.text, 0.3), font: { size: 12.5, color: look.text } },
    xaxis: { ...axis, type: "log", range: [Math.log10(425), Math.log10(2320)], tickvals: ticks,
      ticktext: ticks.map(String), tickangle: 0, ticks: "outside", ticklen: 4, title: title("Wavelength (nm)") },
    yaxis: { ...axis, range: [0, data.top], tickformat: ".0%", nticks: 5, title: title("Reflectance") },
    hovermode: "closest",
  };
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".ll-signature");
  const graph = root.querySelector(".graph");
  root.style.height = `${data.height}px`;
  const theme = getComputedStyle(root);
  const read = (name, other) => theme.getPropertyValue(name).trim() || other;
  const look = { text: read("--st-text-color", "#222222"), paper: read("--st-background-color", "#ffffff"),
    font: read("--st-font", "sans-serif") };
  let state = drawn.get(root);
  if (!state) {
    state = { watcher: new ResizeObserver(() => graph._fullLayout && window.Plotly.Plots.resize(graph)) };
    drawn.set(root, state);
    state.watcher.observe(root);
  }
  state.turn = data;
  // Plot, map and gallery first: the chart waits until they are on the screen.
  plotly(data.plotly).then((Plotly) => new Promise((resolve) => setTimeout(() => resolve(Plotly), 60))).then((Plotly) => {
    if (state.turn !== data || state.gone) return;
    data.wide = root.clientWidth > 420;
    const lines = data.lines.map((line) => ({ ...line, colour: line.accent ? read("--st-primary-color", line.colour) : line.colour || look.text }));
    Plotly.react(graph, lines.flatMap((line) => traces(data, line, look)), layout(data, look), { displayModeBar: false, responsive: false });
  }).catch((error) => { graph.textContent = `The chart cannot be drawn: ${error.message}`; });
  return () => {
    state.gone = true;
    state.watcher.disconnect();
    drawn.delete(root);
    if (graph._fullLayout) window.Plotly.purge(graph);
  };
}
