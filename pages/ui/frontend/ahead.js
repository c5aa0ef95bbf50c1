// What the Explore page needs next, while the browser waits for the server: the scripts of its elements as soon as
// Streamlit stands, and the plot's library, whose start keeps the browser busy, once the server has been asked to draw.
function ahead(address, scripts) {
  const steps = [
    ["[data-testid=stApp]", () => scripts.forEach(fetchModule)],
    ["[data-testid=stApp]:not([data-test-script-state=initial])", () => setTimeout(() => plotly(address).then(warmIdly, () => {}))],
  ];
  const look = () => {
    while (steps.length && document.querySelector(steps[0][0])) steps.shift()[1]();
    if (!steps.length) watch.disconnect();
  };
  const watch = new MutationObserver(look);
  watch.observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-test-script-state"],
  });
}

function fetchModule(address) {
  const link = document.createElement("link");
  link.rel = "modulepreload";
  link.crossOrigin = "";
  link.href = address;
  document.head.append(link);
}

// The first points that a page draws take longer than later ones: where there is time, let them be two that nobody sees.
function warmIdly(Plotly) {
  const draws = () => document.querySelector(".ll-plot");
  window.requestIdleCallback?.(() => draws() || warm(Plotly));
}

function warm(Plotly) {
  const box = document.createElement("div");
  box.style.cssText = "position:fixed;left:-300px;top:0;width:200px;height:200px;visibility:hidden";
  document.body.append(box);
  const points = { type: "scattergl", mode: "markers", x: [0, 1], y: [0, 1], marker: { color: [0, 1] }, hoverinfo: "none" };
  const away = () => { Plotly.purge(box); box.remove(); };
  Plotly.newPlot(box, [points], { width: 200, height: 200 }, { displayModeBar: false }).then(away, away);
}
