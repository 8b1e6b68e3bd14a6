/**
 * The page of the local Discord: its servers, seen by one of its people.
 *
 * It owns what a Discord client owns: drawing messages, components and modals, and filling in commands.
 * It knows nothing about any bot; all it shows comes from the server's socket, and all that people do goes
 * back over `/sandbox/...`. This module starts it, takes the server's events, and draws the frame around the
 * channel; the others are imported, and none of them imports this one.
 */

import {
  addMessage,
  bindChannel,
  drawMessages,
  drawTyping,
  jumpTo,
  notDismissed,
  removeMessage,
  updateMessage,
} from "./channel.js";
import { bindComposer, bindDrop, drawComposer, enterComposer, setReply, updatePopup } from "./composer.js";
import { $, h, icon } from "./dom.js";
import { bindMenus } from "./menus.js";
import { avatar, coloured, displayName, isMember, rolesOf, roleWords } from "./people.js";
import { api, connect, noteInteraction } from "./server.js";
import { bindSidebar, drawSidebar, toggleDrawer } from "./sidebar.js";
import { channelIcon, channelTitle, isDirect, messageChanged, messagesOf, state } from "./state.js";
import { tickTimestamps } from "./time.js";

const TYPING_MS = 10_000; // how long Discord shows "is typing"

async function start() {
  bindShell();
  try {
    const { people } = await api("GET", "/sandbox/people");
    people.forEach((p) => state.everybody.set(p.id, p));
    state.me = personFromUrl(people);
    connect(EVENTS, onLost);
  } catch {
    showBanner("The local Discord is not answering. Trying again…");
    setTimeout(() => location.reload(), 3000);
  }
}

/** The person of `?as=`, an id or a name; else the first one, who is put there. */
function personFromUrl(people) {
  const wanted = new URLSearchParams(location.search).get("as")?.toLowerCase();
  const found = people.find((p) => [p.id, p.username, displayName(p)].some((n) => n.toLowerCase() === wanted));
  if (!found) history.replaceState(null, "", `?as=${encodeURIComponent(displayName(people[0]))}${location.hash}`);
  return found ?? people[0];
}

/** The socket is closed. When the server comes back as another world, this window starts over. */
async function onLost() {
  drawBanner();
  const answer = await api("GET", "/sandbox/people").catch(() => null);
  if (answer && !answer.people.some((p) => p.id === state.me.id)) location.reload();
}

/** What the server says, by event name. */
const EVENTS = {
  STATE(d) {
    Object.assign(state, { me: d.me, guilds: d.guilds, channels: d.channels, commands: d.commands });
    Object.assign(state, { locales: d.locales, portal: d.portal });
    state.botOnline = d.bot_online ?? state.botOnline;
    state.connected = true;
    state.people = new Map(d.people.map((p) => [p.id, p]));
    state.messages = new Map(Object.entries(d.messages).map(([id, list]) => [id, list.filter(notDismissed)]));
    $("app").removeAttribute("aria-busy");
    const again = Boolean(state.channel);
    openChannel(channelFromHash(), true);
    drawShell();
    if (again) drawMessages(true);
    document.body.dataset.ready = "true";
  },
  MESSAGE_CREATE: addMessage,
  MESSAGE_UPDATE: updateMessage,
  MESSAGE_DELETE: removeMessage,
  REACTIONS({ channel_id: channelId, message_id: id, reactions }) {
    const message = messagesOf(channelId).find((m) => m.id === id);
    if (message) messageChanged(Object.assign(message, { reactions }));
  },
  COMMANDS(commands) {
    state.commands = commands;
    if (document.activeElement === $("input")) updatePopup();
  },
  PEOPLE(people) {
    state.people = new Map(people.map((p) => [p.id, p]));
    people.forEach((p) => p.bot || state.everybody.set(p.id, p));
    const spoken = state.me.locale;
    state.me = state.people.get(state.me.id) ?? state.me;
    drawShell();
    if (state.me.locale !== spoken) state.command?.close();
    drawMessages(true);
    document.dispatchEvent(new Event("settings-changed"));
  },
  GUILDS(guilds) {
    state.guilds = guilds;
    state.guild = guilds.find((g) => g.id === state.guild.id) ?? state.guild;
    drawShell();
    document.dispatchEvent(new Event("settings-changed"));
  },
  PORTAL(portal) {
    state.portal = portal;
    document.dispatchEvent(new Event("settings-changed"));
  },
  CHANNELS(channels) {
    state.channels = channels;
    openChannel(channelFromHash());
  },
  TYPING({ channel_id: channelId, user_id: userId }) {
    if (channelId !== state.channel?.id || userId === state.me.id) return;
    state.typing.set(userId, Date.now() + TYPING_MS);
    drawTyping();
    setTimeout(drawTyping, TYPING_MS + 50);
  },
  BOT({ online }) {
    state.botOnline = online;
    drawBanner();
    drawMembers();
  },
  INTERACTION: noteInteraction,
};

function bindShell() {
  $("skip").onclick = () => $("input").focus();
  bindSidebar();
  for (const dialog of document.querySelectorAll("dialog"))
    dialog.addEventListener("close", () => dialog.replaceChildren()); // what is closed is gone
  $("toggle-members").onclick = toggleMembers;
  bindChannel();
  document.addEventListener("unread-changed", () => {
    drawSidebar();
    drawTitle();
  });
  addEventListener("hashchange", () => openChannel(channelFromHash(), true));
  addEventListener("keydown", onGlobalKey);
  bindComposer();
  bindDrop();
  bindMenus();
  setInterval(tickTimestamps, 1000);
}

function drawShell() {
  document.body.dataset.me = state.me.id;
  drawSidebar();
  drawMembers();
  drawBanner();
}

function drawMembers() {
  const groupOf = (p) => (p.bot ? "Bots" : (rolesOf(p)[0]?.name ?? "Members"));
  const titles = [...state.guild.roles.map((r) => r.name), "Members", "Bots"];
  $("members").replaceChildren(
    ...titles.flatMap((title) => {
      const people = [...state.people.values()].filter((p) => isMember(p) && groupOf(p) === title);
      if (!people.length) return [];
      return [h("h3", {}, `${title} — ${people.length}`), h("ul", {}, people.map(memberRow))];
    }),
  );
}

function memberRow(person) {
  const online = !person.bot || state.botOnline;
  return h(
    "li.member",
    { "data-user-id": person.id, tabindex: "0", class: online ? "" : "offline" },
    h("span.presence", { class: online ? "online" : "" }, avatar(person)),
    h("span.member-names", {}, coloured("span.name", person), !person.bot && h("small", {}, roleWords(person))),
    person.bot && h("span.app-badge", {}, "APP"),
    h("span.visually-hidden", {}, online ? "" : " (offline)"),
  );
}

function drawBanner() {
  const bot = [...state.people.values()].find((p) => p.bot);
  if (!state.connected) showBanner("Connection lost. Reconnecting…");
  else if (!state.botOnline)
    showBanner(`${bot ? displayName(bot) : "The bot"} is offline. It answers nothing until it is back.`);
  else $("banner").hidden = true;
}

function showBanner(text) {
  $("banner").hidden = false;
  $("banner").replaceChildren(icon("warning"), text);
}

function toggleMembers() {
  const shown = $("toggle-members").getAttribute("aria-pressed") === "true";
  $("toggle-members").setAttribute("aria-pressed", String(!shown));
  document.body.classList.toggle("members-hidden", shown);
}

/** Whether somebody just starts to type, with nothing in focus that would take it. */
const isTyping = (event) =>
  event.key.length === 1 &&
  document.activeElement === document.body &&
  !event.ctrlKey &&
  !event.metaKey &&
  !event.altKey;

function onGlobalKey(event) {
  if (event.key === "Escape" && document.body.classList.contains("drawer-open")) toggleDrawer(false);
  else if (event.key === "Escape" && !event.defaultPrevented && state.reply) setReply(null);
  else if (isTyping(event)) $("input").focus();
}

/** The hash is "#name", "#id" or either with "/message-id". */
function channelFromHash() {
  const [wanted] = decodeURIComponent(location.hash.slice(1)).split("/");
  const named = state.channels.find((c) => c.id === wanted || c.name === wanted);
  const present = state.channels.find((c) => c.id === state.channel?.id);
  return (named ?? present ?? state.channels[0])?.id;
}

/** Goes to a channel, or, when it is open already, shows what changed about it. */
function openChannel(id, byHash = false) {
  const channel = state.channels.find((c) => c.id === id);
  if (!channel) return;
  const entering = state.channel?.id !== id;
  if (entering && state.channel) leaveChannel();
  state.channel = channel;
  state.unread.delete(id);
  const guild = state.guilds.find((g) => g.id === channel.guild_id) ?? state.guilds[0];
  if (channel.guild_id) state.lastIn.set(guild.id, id);
  const crossing = state.guild.id !== guild.id;
  state.guild = guild;
  document.body.toggleAttribute("data-direct", isDirect(channel));
  $("channel-icon").setAttribute("href", `#i-${channelIcon(channel)}`);
  $("channel-name").textContent = channel.name;
  $("channel-topic").textContent = channel.topic ?? "";
  $("scroller").setAttribute("aria-label", `Messages in ${channelTitle(channel)}`);
  drawTitle();
  drawSidebar();
  if (crossing) drawMembers();
  drawComposer();
  if (entering) {
    toggleDrawer(false);
    drawMessages();
    drawTyping();
    enterComposer(channel);
  }
  const jump = byHash && location.hash.split("/")[1];
  if (jump) jumpTo(jump);
}

function leaveChannel() {
  state.drafts.set(state.channel.id, $("input").value);
  state.typing.clear();
  state.editing = null;
  setReply(null);
  state.command?.close();
}

function drawTitle() {
  const mentions = [...state.unread.values()].reduce((sum, u) => sum + u.mentions, 0);
  document.title = `${mentions ? `(${mentions}) ` : ""}${channelTitle(state.channel)} | Local Discord`;
}

start();
