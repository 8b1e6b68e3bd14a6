/**
 * People as they are shown: names, roles, and coloured initials for avatars.
 */

import { h } from "./dom.js";
import { state } from "./state.js";

const known = (user) => state.people.get(user?.id) ?? user ?? { id: "0", username: "unknown" };
export const displayName = (user) => {
  const p = known(user);
  return p.nick ?? p.global_name ?? p.username;
};
export const roleOf = (user) => {
  const p = known(user);
  return p.bot ? "bot" : (p.role ?? "member");
};
export const roleWord = (user) => ({ bot: "Bot", admin: "Admin", member: "Member" })[roleOf(user)];
export const nameRole = (user) => `role-${roleOf(user)}`;
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

export const userName = (user) => h("span.name", { class: nameRole(user), "data-user-id": user.id }, displayName(user));
