/**
 * Lists to choose from, and the one that opens above the message box.
 */

import { $, h, icon, newId } from "./dom.js";
import { closePopover } from "./popover.js";

/**
 * A list to choose from. Either it has the focus itself, or an owner keeps it and forwards keys (`move`, `pick`).
 * Items: {value, label, description?, asides?, emoji?, node?, selected?}.
 */
export class Listbox {
  #items = [];
  #at = 0;

  /** @param {{label: string, multi?: boolean, owner?: HTMLElement, onPick: (item: object) => void}} options */
  constructor({ label, multi = false, owner, onPick }) {
    this.id = newId();
    this.multi = multi;
    this.onPick = onPick;
    this.el = h("ul.listbox", {
      role: "listbox",
      id: this.id,
      tabindex: owner ? null : "0",
      "aria-label": label,
      "aria-multiselectable": multi ? "true" : null,
      onkeydown: (event) => this.#onKey(event),
    });
    this.owner = owner ?? this.el;
  }

  /** Shows other items. The active one stays, or is the selected one, or the first. */
  set(items, active) {
    this.#items = items;
    this.#at = Math.max(0, active ? items.indexOf(active) : items.findIndex((i) => i.selected));
    this.el.replaceChildren(...items.map((item, i) => this.#row(item, i)));
    this.#mark();
  }

  move(by) {
    this.#at = (this.#at + by + this.#items.length) % this.#items.length;
    this.#mark();
  }

  pick() {
    if (this.#items[this.#at]) this.onPick(this.#items[this.#at]);
  }

  #mark() {
    [...this.el.children].forEach((row, i) => {
      row.classList.toggle("active", i === this.#at);
      row.setAttribute("aria-selected", String(this.multi ? Boolean(this.#items[i].selected) : i === this.#at));
    });
    this.owner.setAttribute("aria-activedescendant", `${this.id}-${this.#at}`);
    this.el.children[this.#at]?.scrollIntoView({ block: "nearest" });
  }

  #row(item, i) {
    const act = {
      onpointerdown: (e) => e.preventDefault(), // the owner keeps the focus
      onclick: () => {
        this.#at = i;
        this.pick();
      },
    };
    return h(
      "li",
      { role: "option", id: `${this.id}-${i}`, "data-value": String(item.value), ...act },
      item.node,
      item.emoji && h("span.emoji", {}, item.emoji),
      h(
        "span.option-text",
        {},
        h("span.option-label", {}, item.label),
        item.asides?.map((aside) => h("span.option-aside", {}, aside)),
        item.description && h("small", {}, item.description),
      ),
      item.selected && icon("check"),
    );
  }

  #onKey(event) {
    const act = {
      ArrowDown: () => this.move(1),
      ArrowUp: () => this.move(-1),
      Enter: () => this.pick(),
      " ": () => this.pick(),
      Tab: closePopover,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

/** The one list above the message box: commands, mentions, or an option's choices.
 *  @type {{list: Listbox|null, owner: HTMLElement|null}} */
export const popup = { list: null, owner: null };

/** @param {string} [note] what to say where there is nothing to choose; else nothing opens then */
export function showPopup(owner, title, items, onPick, note) {
  hidePopup();
  if (!items.length && !note) return;
  const choose = (item) => {
    hidePopup();
    onPick(item);
  };
  const list = new Listbox({ label: title, onPick: choose, owner });
  Object.assign(popup, { owner, list: items.length ? list : null });
  list.set(items);
  if (owner.hasAttribute("aria-expanded")) owner.setAttribute("aria-expanded", "true");
  $("popup").hidden = false;
  $("popup").replaceChildren(h("div.popup-title", {}, title), items.length ? list.el : h("p.popup-note", { role: "status" }, note));
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
