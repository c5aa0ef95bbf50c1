// Says that a person can see this place of the page, once for each thing that is to be seen there.
const told = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  if (told.get(parentElement) === data.what) return undefined;
  const watch = new IntersectionObserver((entries) => {
    if (told.get(parentElement) === data.what || !entries.some((entry) => entry.isIntersecting)) return;
    told.set(parentElement, data.what);
    watch.disconnect();
    setTriggerValue("seen", data.what);
  });
  watch.observe(parentElement.querySelector(".ll-seen"));
  return () => watch.disconnect();
}
