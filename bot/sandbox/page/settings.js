/**
 * Settings: one's own, the server's (integrations), and the developer portal's switches.
 *
 * What no Discord user could change (boosts, Nitro, the portal) is marked as the sandbox's own.
 */

import { $, h, icon } from "./dom.js";
import { avatar, botPerson, displayName, may, roleDot } from "./people.js";
import { tryApi } from "./server.js";
import { isDirect, PERMISSION, state } from "./state.js";
import { languageName } from "./time.js";

const NITRO = ["No Nitro", "Nitro Classic", "Nitro", "Nitro Basic"];
const INTENTS = {
  presences: ["Presence Intent", "Required to receive Presence Update events."],
  members: ["Server Members Intent", "Required to receive the list of a server's members."],
  message_content: [
    "Message Content Intent",
    "Required to read what others write: without it text, files, embeds and components of their messages are empty, unless they mention the app, write to it directly, or use its menu on a message.",
  ],
};

/** Shows a dialog whose body is drawn anew whenever the server says that something changed. */
export function showDialog(title, draw) {
  const dialog = $("settings");
  const body = h("div.settings-body");
  const close = h("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"));
  const redraw = () => {
    const focused = document.activeElement?.dataset?.focusKey;
    body.replaceChildren(...draw(redraw).flat().filter(Boolean));
    if (focused) body.querySelector(`[data-focus-key="${CSS.escape(focused)}"]`)?.focus();
  };
  redraw();
  document.addEventListener("settings-changed", redraw);
  dialog.onclose = () => document.removeEventListener("settings-changed", redraw);
  dialog.onclick = (e) => {
    if (e.target === dialog) dialog.close(); // beside it; an answer of `false` would undo the click
  };
  dialog.replaceChildren(h("header", {}, h("h2", { id: "settings-title" }, title), close), body);
  dialog.showModal();
}

const field = (label, control, hint) =>
  h("label.setting", {}, h("span.setting-label", {}, label), control, hint && h("small", {}, hint));

/** @param {[string|number, string][]} choices value, label */
function picker(key, value, choices, onchange) {
  const select = h(
    "select",
    { "data-focus-key": key, onchange: () => onchange(select.value) },
    choices.map(([v, label]) => h("option", { value: v, selected: String(v) === String(value) }, label)),
  );
  return select;
}

const toggle = (key, label, hint, on, onchange) => {
  const input = h("input", {
    type: "checkbox",
    role: "switch",
    checked: on,
    "data-focus-key": key,
    onchange: () => onchange(input.checked),
  });
  return h("label.setting.toggle", {}, h("span.setting-label", {}, label), input, hint && h("small", {}, hint));
};

export function openUserSettings() {
  const save = (change) => tryApi("PATCH", "/sandbox/settings", { as: state.me.id, ...change });
  showDialog("User Settings", () => [
    h("div.settings-who", {}, avatar(state.me), h("strong", {}, displayName(state.me))),
    field(
      "Language",
      picker(
        "locale",
        state.me.locale,
        state.locales.map((l) => [l, languageName(l)]),
        (locale) => save({ locale }),
      ),
      "Apps are told it, and show their commands in it.",
    ),
    field(
      "Nitro",
      picker(
        "nitro",
        state.me.premium_type,
        NITRO.map((name, i) => [i, name]),
        (v) => save({ premium_type: Number(v) }),
      ),
      "How large your files may be. Only in this sandbox can you choose.",
    ),
    toggle(
      "direct",
      "Allow direct messages from apps in your servers",
      null,
      state.me.takes_direct_messages,
      (on) => save({ takes_direct_messages: on }),
    ),
  ]);
}

export function openPortal() {
  const save = (name, on) => tryApi("PATCH", "/sandbox/control/portal", { [name]: on });
  showDialog("Developer Portal", () => [
    h("div.settings-who", {}, avatar(botPerson()), h("strong", {}, displayName(botPerson()))),
    h("h3", {}, "Privileged Gateway Intents"),
    h("p.settings-note", {}, "Off for a new app. An app that asks for one that is off is not let in (close code 4014)."),
    Object.entries(INTENTS).map(([name, [label, hint]]) =>
      toggle(name, label, hint, state.portal[name], (on) => save(name, on)),
    ),
  ]);
}

/** @type {string|null} the command whose permissions are open */
let openCommand = null;

export function openServerSettings() {
  openCommand = null;
  showDialog(`${state.guild.name}: Settings`, (redraw) => [
    field(
      "Server boost",
      picker(
        "boost",
        state.guild.premium_tier,
        [0, 1, 2, 3].map((tier) => [tier, tier ? `Level ${tier}` : "No boosts"]),
        (v) => tryApi("PATCH", "/sandbox/control/guild", { guild_id: state.guild.id, premium_tier: Number(v) }),
      ),
      "How large files may be here. Only in this sandbox can you choose.",
    ),
    h("h3", {}, "Integrations"),
    may(PERMISSION.MANAGE_GUILD | PERMISSION.MANAGE_ROLES)
      ? integrations(redraw)
      : h("p.settings-note", {}, "Only those who manage this server and its roles can change its integrations."),
  ]);
}

function integrations(redraw) {
  const app = { id: botPerson().id, name: displayName(botPerson()), description: "All commands that have no entries of their own" };
  const here = state.commands.filter((c) => !c.guild_id || c.guild_id === state.guild.id);
  return [app, ...here].map((c) => commandRow(c, redraw));
}

function commandRow(command, redraw) {
  const entries = state.guild.command_permissions[command.id] ?? {};
  const count = Object.keys(entries).length;
  const isOpen = openCommand === command.id;
  const name = command.type === 1 ? `/${command.name}` : command.name;
  const flip = () => {
    openCommand = isOpen ? null : command.id;
    redraw();
  };
  return h(
    "section.command-permissions",
    { "data-command": command.name },
    h(
      "button.command-row",
      { type: "button", "aria-expanded": String(isOpen), "data-focus-key": command.id, onclick: flip },
      h("strong", {}, name),
      h("small", {}, count ? `${count} of the server's own` : standard(command)),
      icon(isOpen ? "down" : "chevron"),
    ),
    isOpen && targets().map((t) => entryRow(command, entries, t)),
  );
}

function standard(command) {
  const wanted = command.default_member_permissions;
  if (wanted == null) return command.description || "For everybody";
  return wanted === "0" ? "For administrators" : "For members with the permissions that the app asks for";
}

/** Whom and what a permission can be about: roles, people, channels. */
function targets() {
  const everywhere = { id: String(BigInt(state.guild.id) - 1n), label: "All channels", node: icon("hash") };
  return [
    ...state.guild.roles.filter((r) => !r.managed).map((r) => ({ id: r.id, label: `@${r.name.replace(/^@/, "")}`, node: roleDot(r) })),
    ...[...state.people.values()].filter((p) => !p.bot).map((p) => ({ id: p.id, label: displayName(p), node: avatar(p, "tiny") })),
    everywhere,
    ...state.channels
      .filter((c) => !isDirect(c) && c.guild_id === state.guild.id && !c.parent_id)
      .map((c) => ({ id: c.id, label: `#${c.name}`, node: icon("hash") })),
  ];
}

function entryRow(command, entries, target) {
  const now = entries[target.id];
  const set = (value) =>
    tryApi("PUT", "/sandbox/command-permissions", {
      as: state.me.id,
      guild_id: state.guild.id,
      command_id: command.id,
      permissions: { ...entries, [target.id]: value },
    });
  const choice = (value, label) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String((now ?? null) === value),
        "aria-label": `${label}: ${target.label}`,
        "data-focus-key": `${command.id}-${target.id}-${label}`,
        onclick: () => set(value),
      },
      label,
    );
  return h(
    "div.entry",
    { "data-target": target.label },
    target.node,
    h("span", {}, target.label),
    h("span.three-way", { role: "group", "aria-label": target.label }, choice(false, "Deny"), choice(null, "Default"), choice(true, "Allow")),
  );
}
