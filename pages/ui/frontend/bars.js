// How a value or a score is spread, as bars: what the slider of scores and that of a condition stand under.
const element = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};

function histogram(counts) {
  const bars = element("div", "bars");
  const most = Math.max(1, ...counts);
  // High bars would hide the low ones, among which a threshold lies.
  const sticks = counts.map((count) => {
    const stick = element("i");
    stick.style.height = `${count ? Math.max(3, 100 * Math.sqrt(count / most)) : 0}%`;
    return stick;
  });
  bars.append(...sticks);
  return { bars, sticks };
}
