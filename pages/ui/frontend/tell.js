// What a person does to a patch beside the plot is told to the plot, which tells the server. A plot that does not listen
// yet, because the page is being drawn, is asked again for ten seconds, as long as what was pressed is still there.
function tellPlot(name, detail, from, page = window, left = 200) {
  if (!from.isConnected) return;
  const event = new page.CustomEvent(name, { detail, cancelable: true });
  const answered = !page.dispatchEvent(event);
  if (!answered && left) page.setTimeout(() => tellPlot(name, detail, from, page, left - 1), 50);
}
