// Texts whose contrast to what they stand on is too low: axe leaves out what it takes for covered, by things without colour.
(part_of) => {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const kept = (make, known = new Map()) => (one) => known.get(one) ?? known.set(one, make(one)).get(one);
  const plain = kept((colour) => {
    probe.clearRect(0, 0, 1, 1);
    probe.fillStyle = colour;
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
    return { r, g, b, a: a / 255 };
  });
  const behind = kept((node) => {
    const { backgroundColor, opacity } = getComputedStyle(node);
    return { place: node.getBoundingClientRect(), colour: plain(backgroundColor), opacity: Number(opacity) };
  });
  const over = (front, back, share) => ({
    r: front.r * share + back.r * (1 - share), g: front.g * share + back.g * (1 - share), b: front.b * share + back.b * (1 - share),
  });
  const part = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = ({ r, g, b }) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const above = (node) => node.parentElement ?? node.getRootNode().host ?? null;

  // The colour that a text stands on, and the share of its own colour that opacities leave.
  const ground = (element, box) => {
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    let back = { r: 0, g: 0, b: 0, a: 0 }, share = 1;
    for (let node = element; node && back.a < 0.999; node = above(node)) {
      const { place, colour, opacity } = behind(node);
      const here = node === document.body || (place.left <= x && place.right >= x && place.top <= y && place.bottom >= y);
      if (here && colour.a > 0) {
        const whole = back.a + colour.a * (1 - back.a);
        back = { ...over(back, colour, back.a / whole), a: whole };
      }
      if (back.a < 0.999) share *= opacity;
    }
    return { back: back.a < 0.999 ? over(back, { r: 255, g: 255, b: 255 }, back.a) : back, share };
  };

  const WRITTEN = "textarea, input:not([type=checkbox], [type=radio], [type=range], [type=file])";
  const found = [];
  const look = (element, inside = null) => {
    const style = getComputedStyle(element, inside), size = parseFloat(style.fontSize), box = element.getBoundingClientRect();
    if (box.width < 3 || box.height < 3 || size < 2 || !element.checkVisibility({ visibilityProperty: true })) return;
    if (element.closest("[disabled], [aria-disabled=true], [inert]")) return;
    const text = plain(element instanceof SVGElement ? style.fill : style.color), { back, share } = ground(element, box);
    if (text.a * share < 0.02) return; // comes with the mouse
    const [bright, dark] = [light(over(text, back, text.a * share)), light(back)].sort((a, b) => b - a);
    const icon = element.matches("[data-testid=stIconMaterial]");
    const large = icon || size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${element.outerHTML.slice(0, 160)}`);
  };
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) walk(element.shadowRoot);
      if (element.matches("style, script, title, noscript")) continue;
      if (element.matches(WRITTEN) && (element.value || element.placeholder)) look(element, element.value ? null : "::placeholder");
      if ([...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())) look(element);
    }
  };
  walk(part_of ? document.querySelector(part_of) : document.body);
  return found;
}
