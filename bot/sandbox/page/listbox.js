/**
 * Lists to choose from, and the one that opens above the message box.
 */

import { $, h, icon, newId } from "./dom.js";
import { closePopover } from "./popover.js";

/**
 * A list to choose from. The owner keeps the focus and forwards keys (`move`, `pick`), or the list itself has it.
 * @param {{label: string, multi?: boolean, owner?: HTMLElement, onPick: (item: object) => void}} options
 */
export function listbox({ label, multi = false, owner, onPick }) {
  const id = newId();
  const el = h("ul.listbox", {
    role: "listbox",
    id,
    tabindex: owner ? null : "0",
    "aria-label": label,
    "aria-multiselectable": multi ? "true" : null,
  });
  let items = [];
  let at = 0;
  const mark = () => {
    [...el.children].forEach((row, i) => {
      row.classList.toggle("active", i === at);
      row.setAttribute("aria-selected", String(multi ? Boolean(items[i].selected) : i === at));
    });
    (owner ?? el).setAttribute("aria-activedescendant", `${id}-${at}`);
    el.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const row = (item, i) =>
    h(
      "li",
      {
        role: "option",
        id: `${id}-${i}`,
        "data-value": String(item.value),
        onpointerdown: (e) => e.preventDefault(),
        onclick: () => {
          at = i;
          onPick(item);
        },
      },
      item.node,
      item.emoji && h("span.emoji", {}, item.emoji),
      h(
        "span.option-text",
        {},
        h("span.option-label", {}, item.label),
        item.aside && h("span.option-aside", {}, item.aside),
        item.description && h("small", {}, item.description),
      ),
      item.selected && icon("check"),
    );
  const list = {
    el,
    set(next, active) {
      items = next;
      at = Math.max(0, active ? items.indexOf(active) : items.findIndex((i) => i.selected));
      el.replaceChildren(...items.map(row));
      mark();
    },
    move(by) {
      at = (at + by + items.length) % items.length;
      mark();
    },
    pick() {
      if (items[at]) onPick(items[at]);
    },
  };
  el.addEventListener("keydown", (event) => {
    const act = {
      ArrowDown: () => list.move(1),
      ArrowUp: () => list.move(-1),
      Enter: list.pick,
      " ": list.pick,
      Tab: closePopover,
    }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
  return list;
}

/** The one list above the message box: commands, mentions, or an option's choices. */
export const popup = { list: null, title: "", owner: null };

export function showPopup(owner, title, items, onPick) {
  hidePopup();
  if (!items.length) return;
  popup.list = listbox({
    label: title,
    onPick: (item) => {
      hidePopup();
      onPick(item);
    },
    owner,
  });
  popup.owner = owner;
  popup.list.set(items);
  if (owner.hasAttribute("aria-expanded")) owner.setAttribute("aria-expanded", "true");
  $("popup").hidden = false;
  $("popup").replaceChildren(h("div.popup-title", {}, title), popup.list.el);
}

export function hidePopup() {
  $("popup").hidden = true;
  $("popup").replaceChildren();
  if (popup.owner?.hasAttribute("aria-expanded")) popup.owner.setAttribute("aria-expanded", "false");
  popup.owner?.removeAttribute("aria-activedescendant");
  Object.assign(popup, { list: null, owner: null });
}

/** Arrows, Tab, Enter and Escape drive the open list; true when the key was for it. */
export function popupKey(event) {
  if (!popup.list) return false;
  const act = {
    ArrowDown: () => popup.list.move(1),
    ArrowUp: () => popup.list.move(-1),
    Escape: hidePopup,
    Enter: () => popup.list.pick(),
    Tab: () => popup.list.pick(),
  }[event.key];
  if (!act || event.shiftKey || event.isComposing) return false;
  event.preventDefault();
  act();
  return true;
}
