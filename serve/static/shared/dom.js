// Building elements, and files that the page gives out.

export const byId = (id) => document.getElementById(id);

/** An element with properties (`on…` listeners, `aria-…` and `data-…` attributes) and children; null children are left out. */
export function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "style") node.style.cssText = value;
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A feature's small picture, cut from the sprite sheet; beside its label, so it says nothing to a screen reader. */
export function thumb(id, size = 40) {
  const column = id % 64;
  const row = Math.floor(id / 64);
  return h("span", {
    class: "thumb",
    "aria-hidden": "true",
    style: `--size:${size}px;background-position:${-column * size}px ${-row * size}px`,
  });
}

export function download(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

export function typing(event) {
  const target = event.target;
  return target.matches("textarea, select, input:not([type=range]):not([type=checkbox])");
}
