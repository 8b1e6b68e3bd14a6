/**
 * Menus on messages and people: right-click, long press, the menu key, or the buttons on a message.
 */

import { dismiss } from "./channel.js";
import { commandsOf, runCommand } from "./commands.js";
import { setReply } from "./composer.js";
import { $, h } from "./dom.js";
import { startEditing } from "./editor.js";
import { openForward } from "./forwards.js";
import { plainText } from "./markdown.js";
import { avatar, botPerson, displayName, may, roleDot, rolesOf } from "./people.js";
import { copyText, openMenu, toast } from "./popover.js";
import { openReactionPicker, openReactions } from "./reactions.js";
import { tryApi } from "./server.js";
import { channelHref, COMMAND, FLAG, isForward, messageById, PERMISSION, state } from "./state.js";
import { nameOf } from "./words.js";

export function bindMenus() {
  let timer = 0;
  $("messages").addEventListener("click", onToolbar);
  document.addEventListener("contextmenu", (event) => {
    if (event.shiftKey || event.target.closest("a[href]:not(.button), input, textarea, audio")) return;
    if (openMenuFor(event.target, new DOMRect(event.clientX, event.clientY, 0, 0))) event.preventDefault();
  });
  document.addEventListener("pointerdown", (event) => {
    // browsers without a long-press menu of their own
    clearTimeout(timer);
    if (event.pointerType !== "touch" || event.target.closest("button, a, input, textarea, video, .popover")) return;
    timer = setTimeout(() => openMenuFor(event.target, new DOMRect(event.clientX, event.clientY, 0, 0)), 550);
  });
  for (const over of ["pointerup", "pointermove", "pointercancel"])
    document.addEventListener(over, () => clearTimeout(timer));
}

/** The buttons that appear on a message under the pointer. */
function onToolbar(event) {
  const button = event.target.closest("[data-action]");
  const message = button && messageById(button.closest("article")?.dataset.messageId);
  if (!message) return;
  if (button.dataset.action === "react") openReactionPicker(message, button);
  else if (button.dataset.action === "reply") setReply(message);
  else openMessageMenu(message, button.getBoundingClientRect());
}

function openMenuFor(target, rect) {
  const user = target.closest("[data-user-id]")?.dataset.userId;
  const message = messageById(target.closest("article[data-message-id]")?.dataset.messageId);
  if (user && state.people.has(user)) openUserMenu(state.people.get(user), rect);
  else if (message && !message.local) openMessageMenu(message, rect);
  else return false;
  return true;
}

function openMessageMenu(m, rect) {
  const ephemeral = Boolean(m.flags & FLAG.EPHEMERAL);
  const mine = m.author.id === state.me.id;
  const mayDelete = !ephemeral && (mine || state.channel.can_moderate);
  const there = { getBoundingClientRect: () => rect };
  const change = (more) => ({ as: state.me.id, channel_id: m.channel_id, message_id: m.id, ...more });
  const url = `${location.origin}/${location.search}${channelHref(state.channel)}/${m.id}`;
  openMenu(
    rect,
    [
      !ephemeral && {
        label: "Add Reaction",
        icon: "react",
        act: () => openReactionPicker(m, there),
      },
      m.reactions?.length > 0 && { label: "View Reactions", icon: "people", act: () => openReactions(m) },
      mine && !isForward(m) && { label: "Edit Message", icon: "edit", act: () => startEditing(m) },
      !ephemeral && { label: "Reply", icon: "reply", act: () => setReply(m) },
      !ephemeral && { label: "Forward", icon: "forward", act: () => openForward(m, rect) },
      !ephemeral && appsMenu(COMMAND.MESSAGE, m.id),
      m.content && { label: "Copy Text", icon: "copy", act: () => copyText(m.content) },
      { label: "Copy Message Link", icon: "link", act: () => copyText(url) },
      mayDelete &&
        m.embeds?.length > 0 && {
          label: "Remove All Embeds",
          icon: "close",
          act: () => tryApi("PATCH", "/sandbox/messages", change({ suppress_embeds: true })),
        },
      state.channel.can_moderate &&
        m.reactions?.length > 0 && {
          label: "Remove All Reactions",
          icon: "close",
          danger: true,
          act: () => tryApi("DELETE", "/sandbox/reactions", change({ all: true })),
        },
      { label: "Copy Message ID", icon: "copy", act: () => copyText(m.id) },
      mayDelete && { label: "Delete Message", icon: "trash", danger: true, act: () => confirmDelete(m) },
      ephemeral && { label: "Dismiss Message", icon: "close", act: () => dismiss(m) },
    ],
    "Message",
  );
}

function openUserMenu(person, rect) {
  openMenu(
    rect,
    [
      {
        label: "Mention",
        icon: "reply",
        act: () => {
          state.command?.close();
          $("input").focus();
          $("input").setRangeText(
            `@${displayName(person)} `,
            $("input").selectionStart,
            $("input").selectionEnd,
            "end",
          );
        },
      },
      rolesMenu(person),
      appsMenu(COMMAND.USER, person.id),
      { label: "Copy User ID", icon: "copy", act: () => copyText(person.id) },
    ],
    displayName(person),
  );
}

/** The roles that the one who is looking may give and take: those below their own. */
function rolesMenu(person) {
  const highest = rolesOf(state.me)[0]?.position ?? 0;
  const manageable = state.guild.roles.filter((r) => !r.managed && r.position > 0 && r.position < highest);
  return (
    may(PERMISSION.MANAGE_ROLES) &&
    manageable.length > 0 && {
      label: "Roles",
      icon: "people",
      items: manageable.map((role) => {
        const has = person.roles.includes(role.id);
        return {
          label: role.name,
          node: roleDot(role),
          checked: has,
          attrs: { role: "menuitemcheckbox", "data-role": role.name },
          act: () =>
            tryApi(has ? "DELETE" : "PUT", "/sandbox/roles", {
              as: state.me.id,
              user_id: person.id,
              role_id: role.id,
            }),
        };
      }),
    }
  );
}

function appsMenu(type, targetId) {
  const commands = commandsOf(type);
  return (
    commands.length > 0 && {
      label: "Apps",
      icon: "apps",
      items: commands.map((c) => ({
        label: nameOf(c),
        node: avatar(botPerson(), "tiny"),
        attrs: { "data-command": c.name },
        act: () =>
          runCommand({ type, name: c.name, target_id: targetId }, c.name).catch((error) => toast(error.message)),
      })),
    }
  );
}

function confirmDelete(m) {
  const dialog = $("confirm");
  const remove = h(
    "button.button.danger",
    {
      type: "button",
      onclick: () => {
        dialog.close();
        tryApi("DELETE", "/sandbox/messages", { as: state.me.id, channel_id: m.channel_id, message_id: m.id });
      },
    },
    "Delete",
  );
  dialog.replaceChildren(
    h("h2", { id: "confirm-title" }, "Delete Message"),
    h("p", {}, "Are you sure you want to delete this message?"),
    h("blockquote", {}, h("strong", {}, displayName(m.author)), " ", plainText(m.content || "(no text)").slice(0, 200)),
    h("footer", {}, h("button.button.plain", { type: "button", onclick: () => dialog.close() }, "Cancel"), remove),
  );
  dialog.showModal();
  remove.focus();
}
