/**
 * Select menus, in messages and in modals, and what they offer.
 */

import { h, icon } from "./dom.js";
import { Listbox } from "./listbox.js";
import { avatar, displayName, isMember, roleDot } from "./people.js";
import { closePopover, openPopover } from "./popover.js";
import { state } from "./state.js";

/** @typedef {import("./state.js").Component} Component */

/** What a select menu offers, by component type. */
function selectItems(c) {
  const chosen = new Set((c.default_values ?? []).map((v) => v.id));
  const entry = (e) => ({ ...e, selected: chosen.has(e.value) });
  if (c.type === 3)
    return c.options.map((o) => ({
      value: o.value,
      label: o.label,
      description: o.description,
      emoji: o.emoji?.name,
      selected: o.default,
    }));
  if (c.type === 8) return channelItems(c.channel_types).map(entry);
  return [...(c.type === 6 ? [] : personItems()), ...(c.type === 5 ? [] : roleItems())].map(entry);
}

export const personItems = () =>
  [...state.people.values()].filter(isMember).map((p) => ({
    value: p.id,
    label: displayName(p),
    description: p.username,
    node: avatar(p, "tiny"),
  }));
export const roleItems = () =>
  state.guild.roles.map((r) => ({ value: r.id, label: `@${r.name.replace(/^@/, "")}`, node: roleDot(r) }));

export const channelItems = (types) =>
  state.channels
    .filter((c) => c.guild_id === state.channel.guild_id && (!types?.length || types.includes(c.type)))
    .map((c) => ({ value: c.id, label: `#${c.name}` }));

/**
 * A select menu. Single ones commit when picked, multiple ones when the list closes, as Discord does.
 * @param {Component} c
 * @param {{label?: string, commit?: (values: string[]) => void}} options
 */
export function selectControl(c, { label, commit }) {
  const prompt = c.placeholder || "Make a selection";
  const least = c.min_values ?? 1;
  const most = c.max_values ?? 1;
  const items = selectItems(c);
  const values = () => items.filter((i) => i.selected).map((i) => i.value);
  const el = h("button.select", {
    type: "button",
    "aria-haspopup": "listbox",
    "aria-expanded": "false",
    "data-custom-id": c.custom_id,
  });
  const draw = () => {
    const labels = items
      .filter((i) => i.selected)
      .map((i) => i.label)
      .join(", ");
    el.replaceChildren(h("span", { class: labels ? "" : "placeholder" }, labels || prompt), icon("down"));
    el.setAttribute("aria-label", `${label ?? prompt}: ${labels || (label ? prompt : "nothing selected")}`);
  };
  const pick = (item) => {
    if (most === 1)
      items.forEach((i) => {
        i.selected = i === item && (least > 0 || !i.selected);
      });
    else if (item.selected || values().length < most) item.selected = !item.selected;
    draw();
    if (most > 1) return list.set(items, item);
    closePopover();
    commit?.(values());
  };
  const list = new Listbox({ label: prompt, multi: most > 1, onPick: pick });
  el.onclick = () => {
    const before = JSON.stringify(values());
    list.set(items);
    openPopover(h("div.popover.select-list", {}, list.el), el.getBoundingClientRect(), {
      width: el.offsetWidth,
      owner: el,
      onClose: () => most > 1 && JSON.stringify(values()) !== before && values().length >= least && commit?.(values()),
    });
    list.el.focus();
  };
  draw();
  return { el, values };
}
