/**
 * What floats above the page: popovers, menus and toasts. One popover is open at a time.
 */

import { $, h, icon } from "./dom.js";

let openOne = null; // the popover that is open: {el, close}

/** Shows `el` beside `rect` until it is closed, Escape is pressed, or something else is pressed. */
export function openPopover(el, rect, { width, owner, onClose } = {}) {
  closePopover();
  const back = document.activeElement;
  const host = owner?.closest("dialog") ?? document.body;
  if (width) el.style.width = `${width}px`;
  host.append(el);
  const below = rect.bottom + 4 + el.offsetHeight <= innerHeight;
  const top = below
    ? rect.bottom + 4
    : Math.max(8, Math.min(rect.top - el.offsetHeight - 4, innerHeight - el.offsetHeight - 8));
  el.style.top = `${top}px`;
  el.style.left = `${Math.max(8, Math.min(rect.left, innerWidth - el.offsetWidth - 8))}px`;
  owner?.setAttribute("aria-expanded", "true");
  const outside = (e) => {
    if (!el.contains(e.target) && !owner?.contains(e.target)) closePopover();
  };
  const onKey = (e) => {
    if (e.key === "Escape") {
      e.preventDefault();
      e.stopPropagation();
      closePopover();
    }
  };
  document.addEventListener("pointerdown", outside, true);
  host.addEventListener("keydown", onKey, true);
  addEventListener("resize", closePopover);
  openOne = {
    close: () => {
      openOne = null;
      document.removeEventListener("pointerdown", outside, true);
      host.removeEventListener("keydown", onKey, true);
      removeEventListener("resize", closePopover);
      owner?.setAttribute("aria-expanded", "false");
      const hadFocus = el.contains(document.activeElement);
      el.remove();
      if (hadFocus) back?.focus?.({ preventScroll: true });
      onClose?.();
    },
  };
}

export function closePopover() {
  openOne?.close();
}

/** @param {DOMRect} rect @param {(object|false)[]} items label, icon|node, act|href|items, danger, checked */
export function openMenu(rect, items, label) {
  const menu = h("ul.popover.menu", { role: "menu", "aria-label": label }, items.filter(Boolean).map(menuItem));
  menu.addEventListener("keydown", onMenuKey);
  menu.addEventListener("pointerover", onMenuPointer);
  openPopover(menu, rect);
  menu.querySelector("[role^=menuitem]").focus();
}

function menuItem(item) {
  const inner = [
    item.node ?? (item.icon && icon(item.icon)),
    h("span.menu-label", {}, item.label),
    item.items && icon("chevron"),
    item.checked && icon("check"),
  ];
  const common = {
    role: item.checked === undefined ? "menuitem" : "menuitemradio",
    tabindex: "-1",
    class: item.danger ? "danger" : "",
    "aria-checked": item.checked === undefined ? null : String(item.checked),
    ...item.attrs,
  };
  if (item.href) return h("li", { role: "none" }, h("a", { ...common, href: item.href }, inner));
  if (!item.items)
    return h(
      "li",
      { role: "none" },
      h(
        "button",
        {
          ...common,
          type: "button",
          onclick: () => {
            closePopover();
            item.act();
          },
        },
        inner,
      ),
    );
  const sub = h("ul.menu.submenu", { role: "menu", "aria-label": item.label }, item.items.map(menuItem));
  const button = h(
    "button",
    {
      ...common,
      type: "button",
      "aria-haspopup": "menu",
      onclick: () => {
        openSubmenu(sub);
        sub.querySelector("button").focus();
      },
    },
    inner,
  );
  return h("li.has-submenu", { role: "none" }, button, sub);
}

/** The pointer takes the focus along, opens the submenu that it is on, and closes others. */
function onMenuPointer(event) {
  const item = event.target.closest("[role^=menuitem]");
  if (!item || event.pointerType === "touch") return;
  item.focus({ preventScroll: true });
  const inside = item.closest("li");
  event.currentTarget
    .querySelectorAll(".submenu.open")
    .forEach((sub) => sub.contains(item) || sub.classList.remove("open"));
  if (inside.matches(".has-submenu")) openSubmenu(inside.querySelector(".submenu"));
}

function openSubmenu(sub) {
  sub.classList.add("open");
  sub.classList.remove("flip");
  sub.classList.toggle("flip", sub.getBoundingClientRect().right > innerWidth);
}

function onMenuKey(event) {
  const menu = event.target.closest("[role=menu]");
  const items = [...menu.children].map((li) => li.firstElementChild);
  const at = items.indexOf(event.target);
  const go = (i) => items.at(i % items.length)?.focus();
  const act = {
    ArrowDown: () => go(at + 1),
    ArrowUp: () => go(at - 1),
    Home: () => go(0),
    End: () => go(-1),
    Tab: closePopover,
    ArrowRight: () => event.target.getAttribute("aria-haspopup") && event.target.click(),
    ArrowLeft: () => {
      if (menu.matches(".submenu")) {
        menu.classList.remove("open");
        menu.previousElementSibling.focus();
      }
    },
  }[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}

export async function copyText(text) {
  await navigator.clipboard?.writeText(text).then(
    () => toast("Copied."),
    () => toast("The browser did not allow copying."),
  );
}

export function toast(text) {
  const el = h("div.toast", {}, text);
  $("toasts").append(el);
  setTimeout(() => el.remove(), 5000);
}
