/* What Streamlit's front end has to know before it starts, and our words where it speaks of itself. */
{
  // Opened below a page's address, it would look for the server there first; this is its own setting for hosts.
  const root = location.pathname.replace(/\/(?:PAGES)\/?$/, "/");
  if (root !== location.pathname) window.__streamlit = { BACKEND_BASE_URL: location.origin + root };

  // A step that Back undoes is another page or question: not an address that the page merely completes, such as that of
  // its first scene, nor another threshold or colour, which the address holds all the same.
  const push = history.pushState.bind(history);
  const asked = (search) => {
    const parts = new URLSearchParams(search);
    for (const name of SETTINGS) parts.delete(name);
    return parts.toString();
  };
  history.pushState = (state, title, address) => {
    const next = new URL(address ?? location.href, location.href);
    const stays = (!location.search && next.search) || asked(location.search) === asked(next.search);
    return next.pathname === location.pathname && stays ? history.replaceState(state, title, address) : push(state, title, address);
  };

  // A choice that the mouse made leaves the keys to the page: in the box they would be typed, and chosen by next.
  document.addEventListener("click", (event) => {
    if (!event.detail || !event.target.closest?.("[role=listbox] [role=option]")) return;
    setTimeout(() => document.activeElement?.matches("[data-testid=stSelectbox] input") && document.activeElement.blur());
  }, true);

  const WORDS = "The server has stopped or cannot be reached. Where it runs, start it again in a terminal by";
  const AFTER = "This page goes on by itself as soon as the server answers.";
  const COMMAND = "make run";

  /** The texts inside an element; they are changed in place, for the elements are React's. */
  const texts = (element) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    return found;
  };
  const say = (nodes, words) => nodes.forEach((node, index) => {
    const wanted = index ? "" : words;
    if (node.data !== wanted) node.data = wanted;
  });

  /** Put our words into the dialog that says that the connection is lost. */
  const reword = (dialog) => {
    const all = texts(dialog).filter((node) => node.data.trim());
    const speaks = all.filter((node) => /streamlit/i.test(node.data) && !node.parentElement.closest("pre, code"));
    if (!speaks.length) return;
    say(all.filter((node) => node.data.trim() === "Connection error"), "Landlike does not answer");
    const code = dialog.querySelector("pre code, code");
    say(speaks, code ? `${WORDS}:` : `${WORDS} “${COMMAND}”. ${AFTER}`);
    if (code) say(texts(code), COMMAND);
  };
  new MutationObserver(() => document.querySelectorAll("[role=dialog]").forEach(reword)).observe(
    document.documentElement, { childList: true, subtree: true, characterData: true });
}
