/**
 * Elements, and the small things that everything is made of.
 *
 * There is no way to pass markup to `h`: text from others only ever becomes text nodes.
 */

export const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

/**
 * Makes an element: h("div.card.wide", {onclick, "aria-label": …}, children…). Null and false children are
 * left out, strings become text nodes: there is no way to pass markup.
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const el = document.createElement(name);
  el.classList.add(...classes, ...(props.class ?? "").split(" ").filter(Boolean));
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith("on")) el.addEventListener(key.slice(2), value);
    else if (key !== "class" && value != null && value !== false) el.setAttribute(key, value === true ? "" : value);
  }
  el.append(...children.flat(Infinity).filter((c) => c || c === 0));
  return el;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export const dots = () => h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i"));
let ids = 0;
export const newId = () => `x${(ids += 1)}`;
export const newNonce = () => `${Date.now()}${Math.floor(Math.random() * 1e6)}`;

export const bytes = (n) => {
  const [unit, size] = [
    ["MB", 2 ** 20],
    ["KB", 2 ** 10],
  ].find(([, s]) => n >= s) ?? ["bytes", 1];
  return `${(n / size).toFixed(size > 1 && n / size < 100 ? 2 : 0).replace(/\.00$/, "")} ${unit}`;
};

export const colour = (number) => `#${number.toString(16).padStart(6, "0")}`;

export function link(url, children) {
  const href = safeUrl(url);
  return href ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, children) : h("span", {}, children);
}

export const safeUrl = (url) => (/^https?:\/\//i.test(url ?? "") ? url : null);
