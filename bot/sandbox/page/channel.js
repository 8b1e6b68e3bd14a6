/**
 * The messages of the open channel: their order, what is new, and where the reader is.
 */

import { $, dots, h, icon } from "./dom.js";
import { contextKey, refresh, renderEntry } from "./message.js";
import { displayName } from "./people.js";
import { toast } from "./popover.js";
import {
  channelIcon,
  channelTitle,
  FLAG,
  isDirect,
  mentionsMe,
  messageById,
  messageChanged,
  messagesOf,
  state,
} from "./state.js";
import { longDate } from "./time.js";

const GROUP_WINDOW_MS = 7 * 60_000; // messages of one author closer than this share a header
export const articleOf = (id) => $("messages").querySelector(`article[data-message-id="${CSS.escape(id)}"]`);
const entryOf = (id) => articleOf(id)?.closest("li");

/** Whether the reader is at the newest message, which came since they scrolled away, and how high it all is. */
const reading = { atBottom: true, missed: new Set(), height: 0 };

export function bindChannel() {
  const keepAtEnd = new ResizeObserver(() => reading.atBottom && scrollToEnd());
  keepAtEnd.observe($("messages"));
  keepAtEnd.observe($("scroller"));
  $("scroller").addEventListener("scroll", onScroll, { passive: true });
  $("new-pill").onclick = scrollToEnd;
  $("messages").addEventListener("keydown", onMessageKey);
  $("messages").addEventListener("click", (event) => {
    const jump = event.target.closest("[data-jump]");
    if (jump) jumpTo(jump.dataset.jump);
    const dismissed = messageById(event.target.closest("[data-dismiss]")?.dataset.dismiss);
    if (dismissed) dismiss(dismissed);
  });
  document.addEventListener("message-changed", ({ detail: message }) => {
    const article = articleOf(message.id);
    if (article) refresh(article, message);
  });
}

/** Draws the open channel from the start. @param {boolean} [again] the reader stays where they are */
export function drawMessages(again = false) {
  const { channel } = state;
  const { scrollTop } = $("scroller");
  $("scroller").setAttribute("aria-busy", "true"); // the backlog is not news
  $("beginning").replaceChildren(
    h("span.beginning-mark", {}, icon(channelIcon(channel))),
    h("h2", {}, `Welcome to ${channelTitle(channel)}!`),
    h("p", {}, `This is the start of ${channelTitle(channel)}.`),
  );
  $("messages").replaceChildren(...messagesOf(channel.id).map(renderEntry));
  arrange();
  if (again && !reading.atBottom) $("scroller").scrollTop = scrollTop;
  else scrollToEnd();
  requestAnimationFrame(() => $("scroller").removeAttribute("aria-busy"));
}

export function addMessage(message) {
  const list = messagesOf(message.channel_id);
  if (list.some((m) => m.id === message.id)) return updateMessage(message);
  list.push(message);
  state.typing.delete(message.author.id);
  drawTyping();
  if (message.channel_id === state.channel?.id) appendMessage(message);
  else noteUnread(message);
}

export function updateMessage(message) {
  const list = messagesOf(message.channel_id);
  const at = list.findIndex((m) => m.id === message.id);
  if (at < 0) return;
  list[at] = { ...list[at], ...message };
  state.refused.delete(message.id);
  messageChanged(list[at]);
}

export function removeMessage({ id, channel_id: channelId }) {
  state.messages.set(
    channelId,
    messagesOf(channelId).filter((m) => m.id !== id),
  );
  entryOf(id)?.remove();
  if (reading.missed.delete(id)) drawMissed();
  arrange();
  document.dispatchEvent(new CustomEvent("message-gone", { detail: id }));
}

function appendMessage(message) {
  const mine = message.author.id === state.me.id;
  $("messages").append(renderEntry(message));
  arrange();
  if (reading.atBottom || mine || message.local) scrollToEnd();
  else {
    reading.missed.add(message.id);
    drawMissed();
  }
}

function isForMe(message) {
  const channel = state.channels.find((c) => c.id === message.channel_id);
  return mentionsMe(message) || Boolean(channel && isDirect(channel));
}

function noteUnread(message) {
  if (message.author.id === state.me.id) return;
  const { mentions = 0 } = state.unread.get(message.channel_id) ?? {};
  state.unread.set(message.channel_id, { unread: true, mentions: mentions + (isForMe(message) ? 1 : 0) });
  document.dispatchEvent(new Event("unread-changed"));
}

/** Day dividers and grouping follow from the order alone, so they are derived again after each change. */
function arrange() {
  let before = null;
  const list = messagesOf(state.channel.id);
  for (const message of list) {
    const entry = entryOf(message.id);
    if (!entry) continue;
    const newDay = !before || dayOf(before) !== dayOf(message);
    entry.firstChild.hidden = !newDay;
    entry.firstChild.textContent = newDay ? longDate(new Date(message.timestamp)) : "";
    entry.lastChild.classList.toggle("grouped", !newDay && continues(before, message));
    entry.lastChild.tabIndex = message === list.at(-1) ? 0 : -1;
    before = message;
  }
}

const dayOf = (message) => new Date(message.timestamp).toDateString();

function continues(before, message) {
  return (
    before.author.id === message.author.id &&
    !contextKey(message) &&
    !contextKey(before)?.local &&
    (before.flags & FLAG.EPHEMERAL) === (message.flags & FLAG.EPHEMERAL) &&
    new Date(message.timestamp) - new Date(before.timestamp) < GROUP_WINDOW_MS
  );
}

function onScroll() {
  const box = $("scroller");
  const isTheirs = box.scrollHeight === reading.height; // else the messages moved, not the reader
  reading.height = box.scrollHeight;
  if (!isTheirs) return;
  reading.atBottom = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  if (reading.atBottom) nothingMissed();
}

function scrollToEnd() {
  $("scroller").scrollTop = $("scroller").scrollHeight;
  reading.atBottom = true;
  nothingMissed();
}

function nothingMissed() {
  reading.missed.clear();
  drawMissed();
}

function drawMissed() {
  const count = reading.missed.size;
  $("new-pill").hidden = count === 0;
  $("new-pill").replaceChildren(`${count} new message${count === 1 ? "" : "s"}`, icon("down"));
}

export function jumpTo(id) {
  const article = articleOf(id);
  if (!article) return toast("That message is not here any more.");
  article.scrollIntoView({ block: "center" });
  article.focus({ preventScroll: true });
  article.classList.remove("flash");
  void article.offsetWidth; // restarts the animation
  article.classList.add("flash");
}

/** Arrow keys walk from message to message, as in Discord. */
function onMessageKey(event) {
  if (!["ArrowUp", "ArrowDown"].includes(event.key) || !event.target.matches("article")) return;
  event.preventDefault();
  const all = [...$("messages").querySelectorAll("article")];
  all[all.indexOf(event.target) + (event.key === "ArrowUp" ? -1 : 1)]?.focus();
}

export function drawTyping() {
  const names = [...state.typing]
    .filter(([, until]) => until > Date.now())
    .map(([id]) => displayName(state.people.get(id) ?? { username: "Someone" }));
  $("typing").replaceChildren(
    ...(names.length
      ? [dots(), h("span", {}, h("strong", {}, names.join(", ")), names.length > 1 ? " are typing…" : " is typing…")]
      : []),
  );
}

export function dismiss(message) {
  if (!message.local) {
    const known = JSON.parse(sessionStorage.getItem("dismissed") ?? "[]");
    sessionStorage.setItem("dismissed", JSON.stringify([...known, message.id].slice(-500)));
  }
  removeMessage(message);
}

export const notDismissed = (message) => !JSON.parse(sessionStorage.getItem("dismissed") ?? "[]").includes(message.id);
