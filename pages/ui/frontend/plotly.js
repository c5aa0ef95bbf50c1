// Plotly, loaded once for all components of a page.
function plotly(address) {
  window.__landlikePlotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { delete window.__landlikePlotly; reject(new Error("The drawing library did not load.")); };
    document.head.append(script);
  });
  return window.__landlikePlotly;
}
