/**
 * The message box: text, files, replies, and the way into commands.
 */

import { articleOf } from "./channel.js";
import { CommandForm } from "./command-form.js";
import { leaves } from "./commands.js";
import { $, h, icon } from "./dom.js";
import { FileSlot } from "./files.js";
import { hidePopup, popupKey, showPopup } from "./listbox.js";
import { avatar, botPerson, coloured, displayName } from "./people.js";
import { toast } from "./popover.js";
import { channelItems, personItems } from "./select.js";
import { api } from "./server.js";
import { channelTitle, OPTION, state } from "./state.js";
import { openStickers } from "./stickers.js";
import { nameOf } from "./words.js";

const tray = new FileSlot({ label: "Attached files", most: 10, onChange: () => drawTrayOffer(), forMessage: true });

export function bindComposer() {
  tray.el.classList.add("tray");
  tray.input.tabIndex = -1;
  $("tray").append(tray.el, h("div", { id: "tray-offer" }));
  $("attach").onchange = (e) => {
    tray.add([...e.target.files]);
    e.target.value = "";
    $("input").focus();
  };
  $("input").addEventListener("input", () => {
    growInput();
    updatePopup();
  });
  $("input").addEventListener("keydown", onInputKey);
  $("input").addEventListener("blur", hidePopup);
  $("message-form").onsubmit = (e) => {
    e.preventDefault();
    sendMessage();
  };
  document.addEventListener("click", onCommandMention);
  document.addEventListener("message-gone", (e) => {
    if (state.reply?.message.id === e.detail) setReply(null);
  });
  $("open-stickers").onclick = (e) => openStickers(e.currentTarget, (sticker) => sendMessage([sticker.id]));
  $("open-picker").onclick = () => {
    $("input").value = "/";
    $("input").focus();
    updatePopup();
  };
}

export function enterComposer(channel) {
  fillInput(state.drafts.get(channel.id) ?? "");
  if (matchMedia("(hover: hover)").matches) $("input").focus({ preventScroll: true });
}

export function drawComposer() {
  const { channel } = state;
  const allowed = channel.can_send !== false;
  $("composer").classList.toggle("locked", !allowed);
  [...$("message-form").elements].forEach((e) => {
    e.disabled = !allowed;
  });
  $("input").placeholder = allowed
    ? `Message ${channelTitle(channel)}`
    : "You do not have permission to send messages here.";
  $("input").setAttribute("aria-label", `Message ${channelTitle(channel)}`);
  $("message-form").hidden = Boolean(state.command);
  $("tray").hidden = Boolean(state.command);
  drawTrayOffer();
}

/** A picture in the message box could go straight into a command that takes one. */
function drawTrayOffer() {
  const picture = tray.files().find((f) => f.type.startsWith("image/"));
  const leaf = picture && leaves().find((l) => l.options.some((o) => o.type === OPTION.ATTACHMENT && o.required));
  $("tray-offer").replaceChildren(
    ...(leaf
      ? [
          h(
            "button.button.primary",
            {
              type: "button",
              onclick: () => {
                tray.clear();
                startCommand(leaf, [picture]);
              },
            },
            icon("command"),
            `Use it with /${leaf.title}`,
          ),
        ]
      : []),
  );
}

function growInput() {
  $("input").style.height = "auto";
  $("input").style.height = `${Math.min($("input").scrollHeight, innerHeight * 0.4)}px`;
}

function onInputKey(event) {
  if (popupKey(event)) return;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    sendMessage();
  } else if (event.key === "ArrowUp" && !$("input").value) {
    event.preventDefault();
    [...$("messages").querySelectorAll("article")].at(-1)?.focus();
  }
}

let isSending = false; // files may take a while; a second Enter must not send them twice

async function sendMessage(stickerIds = []) {
  const text = $("input").value.trim();
  const exact = text.startsWith("/") && leaves().find((l) => [l.name, l.title].includes(text.slice(1)));
  if (exact) return startCommand(exact);
  if (isSending || (!text && !tray.count() && !stickerIds.length)) return;
  isSending = true;
  fillInput("");
  try {
    await postMessage(text, stickerIds);
    tray.clear();
    setReply(null);
  } catch (error) {
    toast(error.message);
    fillInput(text);
  } finally {
    isSending = false;
  }
}

async function postMessage(text, stickerIds = []) {
  const { me, channel, reply } = state;
  await api("POST", "/sandbox/messages", {
    as: me.id,
    channel_id: channel.id,
    content: encodeMentions(text),
    attachments: await tray.attachments(),
    sticker_ids: stickerIds,
    reply_to: reply?.message.id ?? null,
    ping: reply?.ping ?? true,
  });
}

function fillInput(text) {
  $("input").value = text;
  hidePopup();
  growInput();
}

/** "@Mia" and "#studio" become what Discord sends for them. */
function encodeMentions(text) {
  const names = [...state.people.values()]
    .flatMap((p) => [displayName(p), p.username].map((n) => ["@", n, `<@${p.id}>`]))
    .concat(state.channels.map((c) => ["#", c.name, `<#${c.id}>`]))
    .sort((a, b) => b[1].length - a[1].length);
  const escape = (s) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return names.reduce(
    (out, [sign, name, code]) =>
      out.replace(new RegExp(`(^|[^\\w<])${sign}${escape(name)}(?![\\w-])`, "g"), `$1${code}`),
    text,
  );
}

export function updatePopup() {
  const input = $("input");
  const before = input.value.slice(0, input.selectionStart);
  if (/^\/[^\n]*$/.test(before)) return suggestCommands(before.slice(1));
  const [, sign, query] = /(?:^|\s)([@#])([\w.-]*)$/.exec(before) ?? [];
  if (!sign) return hidePopup();
  const items = (sign === "@" ? personItems() : channelItems().map((c) => ({ ...c, label: c.label.slice(1) })))
    .filter((i) => `${i.label} ${i.description ?? ""}`.toLowerCase().includes(query.toLowerCase()))
    .slice(0, 10);
  showPopup(input, sign === "@" ? "Members" : "Channels", items, ({ label }) => {
    input.setRangeText(`${sign}${label} `, before.length - query.length - 1, before.length, "end");
    growInput();
  });
}

function suggestCommands(query) {
  const typed = query.trim().toLowerCase();
  const all = leaves();
  const exact = query.endsWith(" ") && all.find((l) => [l.name, l.title.toLowerCase()].includes(typed));
  if (exact) return startCommand(exact);
  const rank = (l) => {
    const names = [l.name, l.title.toLowerCase()];
    const starts = names.some((n) => n.startsWith(typed));
    return [starts, names.some((n) => n.includes(typed)), l.description.toLowerCase().includes(typed)].indexOf(true);
  };
  const found = all
    .map((l) => [rank(l), l])
    .filter(([r]) => r >= 0)
    .sort(([a], [b]) => a - b);
  showPopup(
    $("input"),
    `Commands of ${displayName(botPerson())}`,
    found.map(([, leaf]) => ({
      value: leaf.name,
      label: `/${leaf.title}`,
      description: leaf.description,
      leaf,
      node: avatar(botPerson()),
      asides: leaf.options.filter((o) => o.required).map(nameOf),
    })),
    ({ leaf }) => startCommand(leaf),
  );
}

/** A command that is mentioned in a text was pressed. */
function onCommandMention(event) {
  const name = event.target.closest("[data-run-command]")?.dataset.runCommand;
  if (!name) return;
  const leaf = leaves().find((l) => l.name === name);
  if (leaf) startCommand(leaf);
  else toast(`You cannot use /${name} here.`);
}

function startCommand(leaf, files = []) {
  state.command?.close();
  setReply(null);
  fillInput("");
  state.command = new CommandForm(leaf, () => {
    state.command = null;
    $("command").replaceChildren();
    drawComposer();
    $("input").focus();
  });
  $("command").replaceChildren(state.command.el);
  drawComposer();
  if (files.length) state.command.takeFiles(files);
  state.command.focusNext();
}

export function setReply(message) {
  state.reply = message && { message, ping: message.author.id !== state.me.id };
  drawReplyBar();
  if (message) {
    state.command?.close();
    $("input").focus();
  }
}

function drawReplyBar() {
  const { reply } = state;
  $("messages").querySelector(".replying-to")?.classList.remove("replying-to");
  $("reply-bar").hidden = !reply;
  if (!reply) return;
  articleOf(reply.message.id)?.classList.add("replying-to");
  const flip = () => {
    reply.ping = !reply.ping;
    drawReplyBar();
  };
  $("reply-bar").replaceChildren(
    h("span", {}, "Replying to ", coloured("strong", reply.message.author)),
    h(
      "button.ping-toggle",
      {
        type: "button",
        role: "switch",
        "aria-checked": String(reply.ping),
        "aria-label": "Mention the author",
        onclick: flip,
      },
      reply.ping ? "@ ON" : "@ OFF",
    ),
    h(
      "button.icon-button.small",
      { type: "button", "aria-label": "Cancel reply", onclick: () => setReply(null) },
      icon("close"),
    ),
  );
}

/** Files that were dropped or pasted go to whatever is waiting for files: a modal, a command, or the message. */
function takeFiles(files) {
  if (!files.length) return;
  const slot = $("modal").open && $("modal").querySelector(".takes-drops");
  if (slot) slot.addFiles(files);
  else if (!$("modal").open && !state.command?.takeFiles(files)) tray.add(files);
}

export function bindDrop() {
  const hasFiles = (e) => e.dataTransfer?.types.includes("Files");
  const hint = (on) => {
    $("drop-hint").hidden = !on;
    $("drop-hint").firstElementChild.textContent = state.command?.wantsFiles()
      ? `Drop it to use it with /${state.command.leaf.title}`
      : `Drop to attach it to a message in ${channelTitle(state.channel)}`;
  };
  addEventListener("dragover", (e) => {
    if (hasFiles(e)) {
      e.preventDefault();
      hint(true);
    }
  });
  addEventListener("dragleave", (e) => {
    if (!e.relatedTarget) hint(false);
  });
  addEventListener("drop", (e) => {
    if (!hasFiles(e)) return;
    e.preventDefault();
    hint(false);
    takeFiles(e.dataTransfer.files);
  });
  addEventListener("paste", (e) => {
    if (!e.clipboardData?.files.length) return;
    e.preventDefault();
    takeFiles(e.clipboardData.files);
  });
}
