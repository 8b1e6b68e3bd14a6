/**
 * People as they are shown: names, roles, and coloured initials for avatars.
 */

import { colour, h } from "./dom.js";
import { state } from "./state.js";

const known = (user) => state.people.get(user?.id) ?? user ?? { id: "0", username: "unknown" };
export const displayName = (user) => {
  const p = known(user);
  return p.nick ?? p.global_name ?? p.username;
};
/** The roles that somebody was given, the highest first. @returns {import("./state.js").Role[]} */
export const rolesOf = (user) => {
  const ids = known(user).roles ?? [];
  return state.guild.roles.filter((r) => ids.includes(r.id));
};
export const roleWords = (user) =>
  known(user).bot
    ? "Bot"
    : rolesOf(user)
        .map((r) => r.name)
        .join(", ") || "No roles";

/** Whether the one who is looking may do this in the whole open server. @param {bigint} permission */
export const may = (permission) => (BigInt(state.me.permissions?.[state.guild.id] ?? 0) & permission) === permission;

export const isMember = (person) => person.bot || state.guild.id in (person.permissions ?? {});

export const botPerson = () => [...state.people.values()].find((p) => p.bot) ?? { id: "0", username: "bot", bot: true };
export const initials = (name) =>
  name
    .split(/[\s_-]+/)
    .map((w) => [...w][0] ?? "")
    .join("")
    .slice(0, 2)
    .toUpperCase();

export function avatar(user, size = "") {
  const el = h("span.avatar", { class: size, "aria-hidden": "true" }, initials(displayName(user)));
  el.style.backgroundColor =
    known(user).avatar_color ??
    ["#5865f2", "#3ba55d", "#faa61a", "#ed4245", "#eb459e"][Number(String(user?.id ?? 0).slice(-4)) % 5];
  return el;
}

/** A name, in the colour of the highest role that has one. */
export function coloured(tag, user, props = {}) {
  const el = h(tag, props, displayName(user));
  const role = rolesOf(user).find((r) => r.color);
  if (role) el.style.color = colour(role.color);
  return el;
}

export function roleDot(role) {
  const el = h("span.role-dot", { "aria-hidden": "true" });
  if (role.color) el.style.backgroundColor = colour(role.color);
  return el;
}

export const userName = (user) => coloured("span.name", user, { "data-user-id": user.id });
