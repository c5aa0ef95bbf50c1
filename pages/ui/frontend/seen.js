// Says once that a person can see this place of the page.
const told = new WeakSet();

export default function ({ parentElement, setTriggerValue }) {
  if (told.has(parentElement)) return undefined;
  const watch = new IntersectionObserver((entries) => {
    if (told.has(parentElement) || !entries.some((entry) => entry.isIntersecting)) return;
    told.add(parentElement);
    watch.disconnect();
    setTriggerValue("seen", true);
  });
  watch.observe(parentElement.querySelector(".ll-seen"));
  return () => watch.disconnect();
}
