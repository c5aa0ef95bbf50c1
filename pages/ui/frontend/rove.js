// Lists of patches by keyboard: one stop for Tab, arrows go on from it, and the place stays when what is listed changes.
const stopOf = (item) => item.querySelector(".ask") ?? item;

// Where the focus is among items that say their patch, before they are drawn anew.
function placeAmong(items, root) {
  const active = root.getRootNode().activeElement;
  const at = active ? items.findIndex((item) => item.contains(active)) : -1;
  const stop = items[at] ?? items.find((item) => stopOf(item).tabIndex === 0);
  return { at, patch: stop?.dataset.patch };
}

function stopAt(items, item) {
  for (const other of items) stopOf(other).tabIndex = other === item ? 0 : -1;
}

// After they were drawn: on the same patch, or where one was taken away on what took its place.
function keepPlace(items, { at, patch }) {
  const item = items.find((one) => one.dataset.patch === patch) ?? items[Math.min(Math.max(at, 0), items.length - 1)];
  stopAt(items, item);
  if (at >= 0 && item) stopOf(item).focus();
}

// Goes on by a key, for lists whose rows hold so many; tells whether the key was one of these.
function goOn(items, event, columns) {
  const at = items.findIndex((item) => item.contains(event.target));
  if (at < 0 || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const ways = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -at, End: items.length - 1 - at };
  if (!(event.key in ways)) return;
  event.preventDefault(); // nothing scrolls beside
  const item = items[at + ways[event.key]];
  if (!item) return;
  stopAt(items, item);
  stopOf(item).focus();
}
