/**
 * One message, from the line above its author to the note below it.
 */

import { renderComponents } from "./components.js";
import { dots, h, icon } from "./dom.js";
import { renderEditor } from "./editor.js";
import { isBareLink, renderEmbed } from "./embeds.js";
import { renderSnapshots } from "./forwards.js";
import { markdown, plainText } from "./markdown.js";
import { keepPlaying, renderAttachments } from "./media.js";
import { avatar, coloured, displayName, userName } from "./people.js";
import { renderReactions } from "./reactions.js";
import { COMMAND, FLAG, interactionOf, isForward, isV2, mentionsMe, messageById, state } from "./state.js";
import { renderStickers } from "./stickers.js";
import { clock, friendlyTime, fullDate } from "./time.js";
import { menuTitleOf, titleOf } from "./words.js";

const CONTEXT_MENU_ANSWER = 23; // the type of a message that answers a command of the Apps menu
const NO_ANSWER = "The application did not respond";

/**
 * The parts of a message: [class, what it depends on, how to draw it]. A part is drawn anew only when what
 * it depends on changed, so a clip goes on playing while buttons or words around it are edited.
 */
const PARTS = [
  ["message-context", contextKey, renderContext],
  ["message-header", (m) => [m.author.id, m.timestamp], renderHeader],
  [
    "message-content",
    (m) => [m.content, m.edited_timestamp, m.flags, m.local, isBareLink(m), m.id === state.editing && m.attachments],
    renderContent,
  ],
  ["message-snapshot", (m) => [m.message_snapshots], renderSnapshots],
  ["message-media", (m) => [isV2(m) ? [] : m.attachments], (m) => renderAttachments(isV2(m) ? [] : m.attachments)],
  ["message-stickers", (m) => [m.sticker_items], (m) => renderStickers(m.sticker_items)],
  ["message-embeds", (m) => [m.embeds], (m) => (m.embeds ?? []).map(renderEmbed)],
  ["message-components", (m) => [m.components, state.pressed.get(m.id), state.refused.get(m.id)], renderComponents],
  ["message-reactions", (m) => [m.reactions], renderReactions],
  ["message-note", (m) => [m.flags & FLAG.EPHEMERAL], renderEphemeralNote],
];

export function renderEntry(message) {
  const parts = PARTS.map(([name]) => h(`div.${name}`));
  const article = h(
    "article.message",
    { "data-message-id": message.id, "aria-label": "" },
    parts[0],
    h("div.message-avatar", { "data-user-id": message.author.id }, avatar(message.author)),
    h("time.message-hover-time", { datetime: message.timestamp }, clock(message.timestamp)),
    h("div.message-body", {}, parts.slice(1)),
    !message.local && renderToolbar(message),
  );
  article.parts = parts;
  article.keys = [];
  refresh(article, message);
  return h("li", {}, h("div.divider", { role: "separator", hidden: true }), article);
}

export function refresh(article, message) {
  const focused = article.contains(document.activeElement) && document.activeElement.dataset.customId;
  PARTS.forEach(([, keyOf, render], i) => {
    const key = JSON.stringify(keyOf(message), withoutSignature);
    if (key === article.keys[i]) return;
    article.keys[i] = key;
    keepPlaying(article.parts[i], () => article.parts[i].replaceChildren(...[render(message)].flat().filter(Boolean)));
    article.parts[i].hidden = !article.parts[i].hasChildNodes();
  });
  describe(article, message);
  if (focused) article.querySelector(`[data-custom-id="${CSS.escape(focused)}"]`)?.focus();
}

/** What styles, tests and assistive technology know about a message. */
function describe(article, message) {
  const interaction = interactionOf(message);
  Object.assign(article.dataset, {
    author: message.author.username,
    authorId: message.author.id,
    flags: message.flags ?? 0,
    state: message.local?.state ?? (message.flags & FLAG.LOADING ? "loading" : "done"),
    nonce: message.nonce ?? state.nonces.get(interaction?.id) ?? "",
    interactionId: interaction?.id ?? "",
  });
  article.setAttribute("aria-label", `${displayName(message.author)}, ${clock(message.timestamp)}`);
  article.classList.toggle("mentioned", mentionsMe(message));
  article.classList.toggle("ephemeral", Boolean(message.flags & FLAG.EPHEMERAL));
}

/** Signed links change whenever a message is sent again; the file behind them does not. */
const withoutSignature = (key, value) =>
  /^(proxy_)?url$/.test(key) && typeof value === "string" ? value.split("?")[0] : value;

/** What the line above the header depends on, or null when there is none. */
export function contextKey(m) {
  if (m.local || (m.interaction?.name && [2, undefined].includes(m.interaction.type))) {
    return { name: m.interaction.name, user: m.interaction.user?.id, local: Boolean(m.local) };
  }
  if (m.message_reference && !isForward(m)) {
    return { to: m.message_reference.message_id, original: m.referenced_message?.content };
  }
  return null;
}

function renderContext(m) {
  const key = contextKey(m);
  if (!key) return null;
  return key.to ? renderReplyLine(m) : renderCommandLine(m);
}

function renderCommandLine(m) {
  const { name, user } = m.interaction;
  const isMenu = m.type === CONTEXT_MENU_ANSWER || (m.interaction.kind ?? COMMAND.SLASH) !== COMMAND.SLASH;
  const shown = isMenu ? menuTitleOf(name) : `/${titleOf(name)}`;
  return h(
    "div.context-line",
    { "data-command-line": name },
    h("span.spine"),
    avatar(user, "tiny"),
    userName(user),
    h("span", {}, " used "),
    h("span.mention", {}, shown),
  );
}

function renderReplyLine(m) {
  const original = m.referenced_message ?? messageById(m.message_reference.message_id);
  if (!original) return h("div.context-line", {}, h("span.spine"), h("em", {}, "Original message was deleted"));
  const what = original.attachments?.length ? "attachment" : original.sticker_items?.length ? "sticker" : "message";
  const text = original.content || `Click to see ${what}`;
  return h(
    "button.context-line",
    { type: "button", "data-jump": original.id },
    h("span.spine"),
    avatar(original.author, "tiny"),
    coloured("span.name", original.author),
    h("span.excerpt", {}, original.content ? plainText(text) : text),
    original.attachments?.length > 0 && icon("file"),
  );
}

function renderHeader(m) {
  return [
    userName(m.author),
    m.author.bot && h("span.app-badge", {}, icon("check"), "APP"),
    h("time", { datetime: m.timestamp, title: fullDate(new Date(m.timestamp)) }, friendlyTime(new Date(m.timestamp))),
  ];
}

function renderContent(m) {
  if (m.local) return renderLocal(m.local);
  if (m.id === state.editing) return renderEditor(m);
  if (isBareLink(m)) return [];
  if (m.flags & FLAG.LOADING) return h("div.thinking", {}, dots(), `${displayName(m.author)} is thinking…`);
  const blocks = markdown(m.content ?? "");
  if (!blocks.length || !m.edited_timestamp) return blocks;
  const edited = h("small.edited", { title: fullDate(new Date(m.edited_timestamp)) }, " (edited)");
  if (blocks.at(-1).nodeName !== "P") return [...blocks, edited];
  blocks.at(-1).append(edited);
  return blocks;
}

/** A command of our own that has no answer yet, or never got one. */
function renderLocal({ state: progress, reason }) {
  if (progress === "sending") return h("div.thinking", {}, dots(), "Sending command…");
  return h("div.local-failed", { role: "alert" }, icon("warning"), reason ?? NO_ANSWER);
}

function renderEphemeralNote(m) {
  if (!(m.flags & FLAG.EPHEMERAL)) return null;
  return [
    icon("eye"),
    "Only you can see this • ",
    h("button.link-button", { type: "button", "data-dismiss": m.id }, "Dismiss message"),
  ];
}

function renderToolbar(m) {
  const tool = (name, label) =>
    h("button", { type: "button", "aria-label": label, title: label, "data-action": name }, icon(name));
  const ephemeral = m.flags & FLAG.EPHEMERAL;
  return h(
    "div.message-toolbar",
    { role: "toolbar", "aria-label": "Message actions" },
    !ephemeral && tool("react", "Add Reaction"),
    !ephemeral && tool("reply", "Reply"),
    tool("more", "More"),
  );
}
