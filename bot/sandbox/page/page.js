/**
 * The page of the local Discord: one server, seen by one of its people.
 *
 * It owns what a Discord client owns: drawing messages, components and modals, and filling in commands.
 * It knows nothing about any bot; all it shows comes from the server's socket, and all that people do goes
 * back over `/sandbox/...`. Text from others only ever becomes text nodes, never markup.
 *
 * Top-down: start, events, channel, message, media, embeds, components, modal, composer, command, menus,
 * and at the end the small things that all of them use (markdown, pickers, DOM).
 */

/** @typedef {{id: string, username: string, global_name?: string, nick?: string, avatar_color?: string,
 *             bot?: boolean, role?: "member"|"admin"|"bot"}} Person */
/** @typedef {{id: string, name: string, type: number, topic?: string, nsfw?: boolean, position?: number,
 *             can_send?: boolean}} Channel */
/** @typedef {{id: string, filename: string, size: number, url: string, content_type?: string,
 *             width?: number, height?: number, description?: string}} Attachment */
/** @typedef {{type: number, custom_id?: string, components?: Component[], [key: string]: any}} Component */
/** @typedef {{id: string, channel_id: string, author: Person, content: string, flags?: number, type: number,
 *             timestamp: string, edited_timestamp?: string, attachments: Attachment[], embeds: object[],
 *             components: Component[], reactions?: object[], mentions?: Person[], nonce?: string,
 *             local?: {state: "sending"|"failed", reason?: string}, [key: string]: any}} Message */
/** @typedef {{name: string, type: number, description: string, required?: boolean, choices?: object[],
 *             options?: Option[], [key: string]: any}} Option */
/** @typedef {{command: object, path: string[], name: string, description: string, options: Option[]}} Leaf
 *           A command that can be run: "/animate", or one subcommand such as "/quota set". */

const FLAG = { EPHEMERAL: 1 << 6, LOADING: 1 << 7, V2: 1 << 15 };
const COMMAND = { SLASH: 1, USER: 2, MESSAGE: 3 };
const OPTION = {
  SUB: 1, GROUP: 2, STRING: 3, INTEGER: 4, BOOLEAN: 5, USER: 6, CHANNEL: 7, ROLE: 8, MENTIONABLE: 9,
  NUMBER: 10, ATTACHMENT: 11,
};
const GROUP_WINDOW_MS = 7 * 60_000; // messages of one author closer than this share a header
const TYPING_MS = 10_000; // how long Discord shows "is typing"
const QUICK_REACTIONS = ["🎬", "👍", "❤️", "😂", "⏳", "✅", "⚠️"];
const MEDIA_WIDTH = 550; // the largest box that a picture or video takes in a message
const MEDIA_HEIGHT = 350;
const NO_ANSWER = "The application did not respond";
// View, send, embed, attach, history, react, external emoji, application commands: what a plain member may do.
const MEMBER_PERMISSIONS = (1n << 10n) | (1n << 11n) | (1n << 14n) | (1n << 15n) | (1n << 16n) | (1n << 6n)
  | (1n << 18n) | (1n << 31n);

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const locale = navigator.language?.startsWith("en") ? navigator.language : "en-GB";

const state = {
  /** @type {Person|null} */ me: null,
  /** @type {Map<string, Person>} */ people: new Map(),
  guild: { id: "", name: "" },
  /** @type {Channel[]} */ channels: [],
  /** @type {object[]} */ commands: [],
  /** @type {Map<string, Message[]>} channel id → oldest first */ messages: new Map(),
  /** @type {Channel|null} */ channel: null,
  sizeLimit: Infinity,
  connected: false,
  botOnline: true,
  /** @type {Map<string, {unread: boolean, mentions: number}>} */ unread: new Map(),
  /** @type {Map<string, number>} user id → until (ms) */ typing: new Map(),
  /** @type {{message: Message, ping: boolean}|null} */ reply: null,
  /** @type {CommandForm|null} */ command: null,
  /** @type {Map<string, (event: object) => void>} nonce → who wants to know */ waiting: new Map(),
  /** @type {Map<string, string>} interaction id → nonce */ nonces: new Map(),
  /** @type {Map<string, string>} message id → custom id that was pressed */ pressed: new Map(),
  /** @type {Map<string, string>} message id → why the press failed */ refused: new Map(),
  /** @type {Map<string, string>} channel id → unsent text */ drafts: new Map(),
  atBottom: true,
  missed: 0,
};

// ───────────────────────────────────────────────────────────────────────────── start and connection

async function start() {
  bindShell();
  try {
    const { people } = await api("GET", "/sandbox/people");
    const wanted = new URLSearchParams(location.search).get("as")?.toLowerCase();
    state.me = people.find((p) => [p.id, p.username, displayName(p)].some((n) => n?.toLowerCase() === wanted))
      ?? people[0];
    people.forEach((p) => state.people.set(p.id, p));
    connect();
  } catch {
    showBanner("The local Discord is not answering. Trying again…");
    setTimeout(() => location.reload(), 3000);
  }
}

function connect(attempt = 0) {
  const url = new URL(`/sandbox/socket?as=${state.me.id}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  let opened = false;
  socket.onopen = () => { opened = true; };
  socket.onmessage = (frame) => {
    const { t, d } = JSON.parse(frame.data);
    EVENTS[t]?.(d);
  };
  socket.onclose = () => {
    state.connected = false;
    [...state.waiting.values()].forEach((tell) => tell({ state: "failed", reason: "The connection was lost" }));
    drawBanner();
    const next = opened ? 0 : attempt + 1;
    setTimeout(() => connect(next), Math.min(500 * 2 ** next, 5000));
  };
}

/** What the server says, by event name. */
const EVENTS = {
  STATE(d) {
    Object.assign(state, { me: d.me, guild: d.guild, channels: d.channels, commands: d.commands ?? [] });
    state.sizeLimit = d.attachment_size_limit ?? Infinity;
    state.botOnline = d.bot_online ?? state.botOnline;
    state.connected = true;
    state.people = new Map(d.people.map((p) => [p.id, p]));
    state.messages = new Map(Object.entries(d.messages).map(([id, list]) => [id, list.filter(notDismissed)]));
    drawShell();
    openChannel(channelFromHash(), true);
    $("app").removeAttribute("aria-busy");
    document.body.dataset.ready = "true";
  },
  MESSAGE_CREATE(message) {
    const list = messagesOf(message.channel_id);
    if (list.some((m) => m.id === message.id)) return EVENTS.MESSAGE_UPDATE(message);
    list.push(message);
    state.typing.delete(message.author.id);
    drawTyping();
    if (message.channel_id === state.channel?.id) appendMessage(message);
    noteUnread(message);
  },
  MESSAGE_UPDATE(message) {
    const list = messagesOf(message.channel_id);
    const at = list.findIndex((m) => m.id === message.id);
    if (at < 0) return;
    list[at] = { ...list[at], ...message };
    state.refused.delete(message.id);
    redraw(list[at]);
  },
  MESSAGE_DELETE({ id, channel_id: channelId }) {
    state.messages.set(channelId, messagesOf(channelId).filter((m) => m.id !== id));
    entryOf(id)?.remove();
    if (state.reply?.message.id === id) setReply(null);
    arrange();
  },
  REACTIONS({ channel_id: channelId, message_id: id, reactions }) {
    const message = messagesOf(channelId).find((m) => m.id === id);
    if (message) redraw(Object.assign(message, { reactions }));
  },
  COMMANDS(commands) {
    state.commands = commands;
    if (document.activeElement === $("input")) updatePopup();
  },
  CHANNELS(channels) {
    state.channels = channels;
    drawChannels();
    if (channels.some((c) => c.id === state.channel?.id)) openChannel(state.channel.id);
    else openChannel(channels[0]?.id);
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
  INTERACTION(event) {
    if (event.interaction_id) state.nonces.set(event.interaction_id, event.nonce);
    state.waiting.get(event.nonce)?.(event);
  },
};

class ApiError extends Error {
  /** @param {string} message @param {Record<string, string>} [errors] by option or custom id */
  constructor(message, errors) {
    super(message);
    this.errors = errors ?? {};
  }
}

/** One call to the people's side. Throws ApiError with a sentence that can be shown. */
async function api(method, path, body) {
  const isForm = body instanceof FormData;
  const response = await fetch(path, {
    method,
    headers: body && !isForm ? { "Content-Type": "application/json" } : {},
    body: isForm ? body : body && JSON.stringify(body),
  }).catch(() => { throw new ApiError("The local Discord is not answering."); });
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const fields = answer.errors && Object.values(answer.errors).join(" ");
  throw new ApiError(answer.error ?? fields ?? `The server refused (${response.status}).`, answer.errors);
}

/** As `api`, but a refusal becomes a toast. Resolves to undefined then. */
const tryApi = (method, path, body) => api(method, path, body).catch((error) => { toast(error.message); });

async function upload(file) {
  const form = new FormData();
  form.append("file", file, file.name || "image.png");
  return (await api("POST", `/sandbox/attachments?as=${state.me.id}`, form)).id;
}

/**
 * Sends an interaction and follows its state.
 * @param {object} body kind and what belongs to it
 * @param {(event: object) => void} follow gets every INTERACTION event of it until it is over
 */
async function interact(body, follow) {
  const nonce = body.nonce ?? newNonce();
  const over = () => state.waiting.delete(nonce);
  state.waiting.set(nonce, (event) => {
    if (["done", "failed", "modal", "choices"].includes(event.state)) over();
    follow(event);
  });
  try {
    const answer = await api("POST", "/sandbox/interactions",
      { as: state.me.id, channel_id: state.channel.id, ...body, nonce });
    state.nonces.set(answer.interaction_id, nonce);
    return answer;
  } catch (error) {
    over();
    throw error;
  }
}

// ───────────────────────────────────────────────────────────────────────────── the frame around it

function bindShell() {
  $("skip").onclick = () => $("input").focus();
  $("me").onclick = openPeopleMenu;
  $("open-drawer").onclick = () => toggleDrawer(true);
  $("backdrop").onclick = () => toggleDrawer(false);
  $("toggle-members").onclick = toggleMembers;
  $("new-pill").onclick = scrollToEnd;
  $("scroller").addEventListener("scroll", onScroll, { passive: true });
  new ResizeObserver(() => state.atBottom && scrollToEnd()).observe($("messages"));
  new ResizeObserver(() => state.atBottom && scrollToEnd()).observe($("scroller"));
  $("messages").addEventListener("keydown", onMessageKey);
  addEventListener("hashchange", () => openChannel(channelFromHash(), true));
  addEventListener("keydown", onGlobalKey);
  bindComposer();
  bindDrop();
  bindContextMenu();
  setInterval(tickTimestamps, 1000);
}

function drawShell() {
  $("guild-name").textContent = state.guild.name;
  $("rail-server").textContent = initials(state.guild.name);
  $("rail-server").title = state.guild.name;
  $("me").replaceChildren(
    avatar(state.me),
    h("span.me-names", {}, h("strong", {}, displayName(state.me)), h("small", {}, roleWord(state.me))),
    icon("swap"),
  );
  $("me").setAttribute("aria-label", `You are ${displayName(state.me)}. Act as somebody else`);
  document.body.dataset.me = state.me.id;
  drawChannels();
  drawMembers();
  drawBanner();
}

function drawChannels() {
  const row = (c) => {
    const { unread, mentions } = state.unread.get(c.id) ?? {};
    const current = c.id === state.channel?.id;
    return h("li", {}, h("a.channel", {
      href: `#${c.name}`, class: unread ? "unread" : "", "aria-current": current ? "page" : null,
      "data-channel-id": c.id, "data-channel-name": c.name, onclick: () => toggleDrawer(false),
    }, icon(c.nsfw ? "warning" : "hash"), h("span", {}, c.name),
    c.nsfw && h("span.visually-hidden", {}, " (age-restricted)"),
    mentions > 0 && h("span.badge", { "aria-label": `${mentions} mentions` }, String(mentions))));
  };
  $("channels").replaceChildren(...[...state.channels].sort((a, b) => a.position - b.position).map(row));
}

function drawMembers() {
  const groups = [["Admin", "admin"], ["Members", "member"], ["Bots", "bot"]];
  $("members").replaceChildren(...groups.flatMap(([title, role]) => {
    const people = [...state.people.values()].filter((p) => roleOf(p) === role);
    if (!people.length) return [];
    return [h("h3", {}, `${title} — ${people.length}`), h("ul", {}, people.map(memberRow))];
  }));
}

function memberRow(person) {
  const online = !person.bot || state.botOnline;
  return h("li.member", { "data-user-id": person.id, tabindex: "0", class: online ? "" : "offline" },
    h("span.presence", { class: online ? "online" : "" }, avatar(person)),
    h("span.name", { class: `role-${roleOf(person)}` }, displayName(person)),
    person.bot && h("span.app-badge", {}, "APP"),
    h("span.visually-hidden", {}, online ? "" : " (offline)"));
}

function drawBanner() {
  const bot = [...state.people.values()].find((p) => p.bot);
  if (!state.connected) showBanner("Connection lost. Reconnecting…");
  else if (!state.botOnline) showBanner(`${bot ? displayName(bot) : "The bot"} is offline. It answers nothing until it is back.`);
  else $("banner").hidden = true;
}

function showBanner(text) {
  $("banner").hidden = false;
  $("banner").replaceChildren(icon("warning"), text);
}

function toggleDrawer(open) {
  document.body.classList.toggle("drawer-open", open);
  $("backdrop").hidden = !open;
  $("open-drawer").setAttribute("aria-expanded", String(open));
  if (open) $("channels").querySelector("a")?.focus();
}

function toggleMembers() {
  const shown = $("toggle-members").getAttribute("aria-pressed") === "true";
  $("toggle-members").setAttribute("aria-pressed", String(!shown));
  document.body.classList.toggle("members-hidden", shown);
}

function openPeopleMenu() {
  const people = [...state.people.values()].filter((p) => !p.bot);
  openMenu($("me").getBoundingClientRect(), people.map((p) => ({
    label: `${displayName(p)} · ${roleWord(p)}`, node: avatar(p), checked: p.id === state.me.id,
    href: `?as=${encodeURIComponent(displayName(p))}#${state.channel?.name ?? ""}`,
    attrs: { "data-user-id": p.id },
  })), "Act as");
}

function onGlobalKey(event) {
  if (event.key === "Escape" && document.body.classList.contains("drawer-open")) toggleDrawer(false);
  else if (event.key === "Escape" && !event.defaultPrevented && state.reply) setReply(null);
}

// ───────────────────────────────────────────────────────────────────────────── one channel's messages

const messagesOf = (channelId) => {
  if (!state.messages.has(channelId)) state.messages.set(channelId, []);
  return state.messages.get(channelId);
};
const messageById = (id) => [...state.messages.values()].flat().find((m) => m.id === id);
const articleOf = (id) => $("messages").querySelector(`article[data-message-id="${CSS.escape(id)}"]`);
const entryOf = (id) => articleOf(id)?.closest("li");

/** The hash is "#name", "#id" or either with "/message-id". */
function channelFromHash() {
  const [wanted] = decodeURIComponent(location.hash.slice(1)).split("/");
  return (state.channels.find((c) => c.id === wanted || c.name === wanted) ?? state.channels[0])?.id;
}

function openChannel(id, byHash = false) {
  const channel = state.channels.find((c) => c.id === id);
  if (!channel) return;
  if (state.channel && state.channel.id !== id) leaveChannel();
  const entering = state.channel?.id !== id;
  state.channel = channel;
  state.unread.delete(id);
  $("channel-name").textContent = channel.name;
  $("channel-topic").textContent = channel.topic ?? "";
  $("scroller").setAttribute("aria-label", `Messages in #${channel.name}`);
  drawTitle();
  drawChannels();
  drawTyping();
  drawMessages();
  if (entering) enterComposer(channel);
  drawComposer();
  const jump = byHash && location.hash.split("/")[1];
  if (jump) jumpTo(jump);
}

function leaveChannel() {
  state.drafts.set(state.channel.id, $("input").value);
  state.typing.clear();
  setReply(null);
  state.command?.close();
}

function drawTitle() {
  const mentions = [...state.unread.values()].reduce((sum, u) => sum + u.mentions, 0);
  document.title = `${mentions ? `(${mentions}) ` : ""}#${state.channel.name} | Local Discord`;
}

function drawMessages() {
  const { channel } = state;
  $("scroller").setAttribute("aria-busy", "true"); // the backlog is not news
  $("beginning").replaceChildren(h("span.beginning-mark", {}, icon("hash")),
    h("h2", {}, `Welcome to #${channel.name}!`), h("p", {}, `This is the start of the #${channel.name} channel.`));
  $("messages").replaceChildren(...messagesOf(channel.id).map(renderEntry));
  arrange();
  scrollToEnd();
  requestAnimationFrame(() => $("scroller").removeAttribute("aria-busy"));
}

function appendMessage(message) {
  const mine = message.author.id === state.me.id;
  $("messages").append(renderEntry(message));
  arrange();
  if (state.atBottom || mine || message.local) scrollToEnd();
  else showMissed(state.missed + 1);
}

function noteUnread(message) {
  if (message.channel_id === state.channel?.id || message.author.id === state.me.id) return;
  const { mentions = 0 } = state.unread.get(message.channel_id) ?? {};
  state.unread.set(message.channel_id, { unread: true, mentions: mentions + (mentionsMe(message) ? 1 : 0) });
  drawChannels();
  drawTitle();
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
  return before.author.id === message.author.id && !contextKey(message) && !contextKey(before)?.local
    && (before.flags & FLAG.EPHEMERAL) === (message.flags & FLAG.EPHEMERAL)
    && new Date(message.timestamp) - new Date(before.timestamp) < GROUP_WINDOW_MS;
}

function onScroll() {
  const box = $("scroller");
  state.atBottom = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  if (state.atBottom) showMissed(0);
}

function scrollToEnd() {
  $("scroller").scrollTop = $("scroller").scrollHeight;
  state.atBottom = true;
  showMissed(0);
}

function showMissed(count) {
  state.missed = count;
  $("new-pill").hidden = count === 0;
  $("new-pill").replaceChildren(`${count} new message${count === 1 ? "" : "s"}`, icon("down"));
}

function jumpTo(id) {
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

function drawTyping() {
  const names = [...state.typing].filter(([, until]) => until > Date.now())
    .map(([id]) => displayName(state.people.get(id) ?? { username: "Someone" }));
  $("typing").replaceChildren(...names.length
    ? [dots(), h("span", {}, h("strong", {}, names.join(", ")), names.length > 1 ? " are typing…" : " is typing…")] : []);
}

// ───────────────────────────────────────────────────────────────────────────── one message

/**
 * The parts of a message: [class, what it depends on, how to draw it]. A part is drawn anew only when what
 * it depends on changed, so a clip goes on playing while buttons or words around it are edited.
 */
const PARTS = [
  ["message-context", contextKey, renderContext],
  ["message-header", (m) => [m.author.id, m.timestamp], renderHeader],
  ["message-content", (m) => [m.content, m.edited_timestamp, m.flags, m.local], renderContent],
  ["message-media", (m) => [isV2(m) ? [] : m.attachments], (m) => renderAttachments(isV2(m) ? [] : m.attachments)],
  ["message-embeds", (m) => [m.embeds], (m) => (m.embeds ?? []).map(renderEmbed)],
  ["message-components", (m) => [m.components, state.pressed.get(m.id), state.refused.get(m.id)], renderComponents],
  ["message-reactions", (m) => [m.reactions], renderReactions],
  ["message-note", (m) => [m.flags & FLAG.EPHEMERAL], renderEphemeralNote],
];

function renderEntry(message) {
  const parts = PARTS.map(([name]) => h(`div.${name}`));
  const article = h("article.message", { "data-message-id": message.id, "aria-label": "" },
    parts[0], h("div.message-avatar", { "data-user-id": message.author.id }, avatar(message.author)),
    h("time.message-hover-time", { datetime: message.timestamp }, clock(message.timestamp)),
    h("div.message-body", {}, parts.slice(1)),
    !message.local && renderToolbar(message));
  article.parts = parts;
  article.keys = [];
  refresh(article, message);
  return h("li", {}, h("div.divider", { role: "separator", hidden: true }), article);
}

function refresh(article, message) {
  const focused = article.contains(document.activeElement) && document.activeElement.dataset.customId;
  PARTS.forEach(([, keyOf, render], i) => {
    const key = JSON.stringify(keyOf(message), withoutSignature);
    if (key === article.keys[i]) return;
    article.keys[i] = key;
    keepPlaying(article.parts[i], () => article.parts[i].replaceChildren(...[render(message)].flat().filter(Boolean)));
    article.parts[i].hidden = !article.parts[i].hasChildNodes();
  });
  Object.assign(article.dataset, {
    author: message.author.username, authorId: message.author.id, flags: message.flags ?? 0,
    state: message.local?.state ?? (message.flags & FLAG.LOADING ? "loading" : "done"),
    nonce: message.nonce ?? state.nonces.get(interactionOf(message)?.id) ?? "",
    interactionId: interactionOf(message)?.id ?? "",
  });
  article.setAttribute("aria-label", `${displayName(message.author)}, ${clock(message.timestamp)}`);
  article.classList.toggle("mentioned", mentionsMe(message));
  article.classList.toggle("ephemeral", Boolean(message.flags & FLAG.EPHEMERAL));
  if (focused) article.querySelector(`[data-custom-id="${CSS.escape(focused)}"]`)?.focus();
}

function redraw(message) {
  const article = articleOf(message.id);
  if (article) refresh(article, message);
}

/** Signed links change whenever a message is sent again; the file behind them does not. */
const withoutSignature = (key, value) =>
  (/^(proxy_)?url$/.test(key) && typeof value === "string" ? value.split("?")[0] : value);

const interactionOf = (m) => m.interaction_metadata ?? m.interaction;
const isV2 = (m) => Boolean(m.flags & FLAG.V2);

function mentionsMe(message) {
  return message.author.id !== state.me.id
    && (message.mention_everyone || (message.mentions ?? []).some((u) => u.id === state.me.id));
}

/** What the line above the header depends on, or null when there is none. */
function contextKey(m) {
  if (m.local || (m.interaction?.name && [2, undefined].includes(m.interaction.type))) {
    return { name: m.interaction.name, user: m.interaction.user?.id, local: Boolean(m.local) };
  }
  if (m.message_reference && m.message_reference.type !== 1) {
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
  const slash = m.type === 23 || m.interaction.kind === COMMAND.MESSAGE ? name : `/${name}`;
  return h("div.context-line", { "data-command-line": name }, h("span.spine"), avatar(user, "tiny"),
    userName(user), h("span", {}, " used "), h("span.mention", {}, slash));
}

function renderReplyLine(m) {
  const original = m.referenced_message ?? messageById(m.message_reference.message_id);
  if (!original) return h("div.context-line", {}, h("span.spine"), h("em", {}, "Original message was deleted"));
  const text = original.content || (original.attachments?.length ? "Click to see attachment" : "Click to see message");
  return h("button.context-line", { type: "button", onclick: () => jumpTo(original.id) }, h("span.spine"),
    avatar(original.author, "tiny"), h("span.name", { class: nameRole(original.author) }, displayName(original.author)),
    h("span.excerpt", {}, original.content ? plainText(text) : text),
    original.attachments?.length > 0 && icon("file"));
}

function renderHeader(m) {
  return [userName(m.author), m.author.bot && h("span.app-badge", {}, icon("check"), "APP"),
    h("time", { datetime: m.timestamp, title: fullDate(new Date(m.timestamp)) }, friendlyTime(new Date(m.timestamp)))];
}

const userName = (user) =>
  h("span.name", { class: nameRole(user), "data-user-id": user.id }, displayName(user));

function renderContent(m) {
  if (m.local?.state === "failed") {
    return [h("div.local-failed", { role: "alert" }, icon("warning"), m.local.reason ?? NO_ANSWER)];
  }
  if (m.local) return [h("div.thinking", {}, dots(), "Sending command…")];
  if (m.flags & FLAG.LOADING) {
    return [h("div.thinking", {}, dots(), `${displayName(m.author)} is thinking…`)];
  }
  if (!m.content) return null;
  const edited = m.edited_timestamp
    && h("small.edited", { title: fullDate(new Date(m.edited_timestamp)) }, " (edited)");
  const blocks = markdown(m.content);
  if (edited) (blocks.at(-1)?.nodeName === "P" ? blocks.at(-1) : { append: (e) => blocks.push(e) }).append(edited);
  return blocks;
}

function renderEphemeralNote(m) {
  if (!(m.flags & FLAG.EPHEMERAL)) return null;
  return [icon("eye"), "Only you can see this • ",
    h("button.link-button", { type: "button", onclick: () => dismiss(m) }, "Dismiss message")];
}

function dismiss(message) {
  if (!message.local) {
    const known = JSON.parse(sessionStorage.getItem("dismissed") ?? "[]");
    sessionStorage.setItem("dismissed", JSON.stringify([...known, message.id].slice(-500)));
  }
  EVENTS.MESSAGE_DELETE(message);
}

const notDismissed = (message) => !JSON.parse(sessionStorage.getItem("dismissed") ?? "[]").includes(message.id);

function renderToolbar(m) {
  const tool = (name, label, act) => h("button", { type: "button", "aria-label": label, title: label, onclick: act }, icon(name));
  const ephemeral = m.flags & FLAG.EPHEMERAL;
  return h("div.message-toolbar", { role: "toolbar", "aria-label": "Message actions" },
    !ephemeral && tool("react", "Add Reaction", (e) => openReactionPicker(messageById(m.id), e.currentTarget)),
    !ephemeral && tool("reply", "Reply", () => setReply(messageById(m.id))),
    tool("more", "More", (e) => openMessageMenu(messageById(m.id), e.currentTarget.getBoundingClientRect())));
}

// ───────────────────────────────────────────────────────────────────────────── reactions and replies

function renderReactions(m) {
  if (!m.reactions?.length) return null;
  const chip = (r) => h("button.reaction", {
    type: "button", "aria-pressed": String(Boolean(r.me)), "data-emoji": r.emoji.name,
    "aria-label": `${r.emoji.name} reaction, ${r.count}${r.me ? ", yours too" : ""}`,
    onclick: () => react(m, r.emoji.name, !r.me),
  }, h("span.emoji", {}, r.emoji.name), h("span.count", {}, String(r.count)));
  return [...m.reactions.map(chip), h("button.reaction.add", {
    type: "button", "aria-label": "Add another reaction",
    onclick: (e) => openReactionPicker(m, e.currentTarget),
  }, icon("react"))];
}

function react(message, emoji, on) {
  return tryApi(on ? "PUT" : "DELETE", "/sandbox/reactions",
    { as: state.me.id, channel_id: message.channel_id, message_id: message.id, emoji });
}

function openReactionPicker(message, anchor) {
  const choose = (emoji) => { closePopover(); if (emoji) react(message, emoji, true); };
  const other = h("input", { type: "text", "aria-label": "Another emoji", placeholder: "Any emoji", maxlength: "16" });
  const picker = h("div.popover.emoji-picker", { role: "dialog", "aria-label": "Add a reaction" },
    h("div.emoji-grid", {}, QUICK_REACTIONS.map((emoji) =>
      h("button", { type: "button", "aria-label": `React with ${emoji}`, onclick: () => choose(emoji) }, emoji))),
    h("form", { onsubmit: (e) => { e.preventDefault(); choose(other.value.trim()); } }, other,
      h("button.button.primary", { type: "submit" }, "React")));
  openPopover(picker, anchor.getBoundingClientRect());
  picker.querySelector("button").focus();
}

function setReply(message) {
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
  const flip = () => { reply.ping = !reply.ping; drawReplyBar(); };
  $("reply-bar").replaceChildren(
    h("span", {}, "Replying to ", h("strong", { class: nameRole(reply.message.author) }, displayName(reply.message.author))),
    h("button.ping-toggle", { type: "button", role: "switch", "aria-checked": String(reply.ping), "aria-label": "Mention the author", onclick: flip },
      reply.ping ? "@ ON" : "@ OFF"),
    h("button.icon-button.small", { type: "button", "aria-label": "Cancel reply", onclick: () => setReply(null) }, icon("close")));
}

// ───────────────────────────────────────────────────────────────────────────── attachments and media

/** @typedef {{url: string, name: string, kind: string, width?: number, height?: number, size?: number,
 *             description?: string, spoiler?: boolean}} Media */

/** @param {Attachment} a @returns {Media} */
const attachmentMedia = (a) => ({
  url: a.url, name: a.filename, kind: mediaKind(a.content_type, a.filename), width: a.width, height: a.height,
  size: a.size, description: a.description, spoiler: a.filename.startsWith("SPOILER_"),
});

/** A component's or embed's media object. */
const unfurledMedia = ({ media, ...item }) => {
  const name = decodeURIComponent(media.url.split("?")[0].split("/").pop() ?? "file");
  return { url: media.url, name, kind: mediaKind(media.content_type, name), width: media.width,
    height: media.height, description: item.description, spoiler: item.spoiler, size: item.size };
};

function mediaKind(contentType, name) {
  const ending = name.toLowerCase().split(".").pop();
  if (/^image\/(?!svg)/.test(contentType ?? "") || (!contentType && /^(png|jpe?g|gif|webp|avif)$/.test(ending))) return "image";
  if (/^video\//.test(contentType ?? "") || /^(mp4|webm|mov|m4v)$/.test(ending)) return "video";
  return /^audio\//.test(contentType ?? "") ? "audio" : "file";
}

function renderAttachments(attachments) {
  const media = (attachments ?? []).map(attachmentMedia);
  const images = media.filter((m) => m.kind === "image");
  const others = media.filter((m) => m.kind !== "image");
  return [images.length > 1 ? renderMosaic(images) : images.map(renderMedia), others.map(renderMedia)].flat();
}

const renderMosaic = (list) => h("div.mosaic", { "data-count": Math.min(list.length, 4) }, list.map(renderMedia));

/** @param {Media} media */
function renderMedia(media) {
  const draw = { image: renderImage, video: renderVideo, audio: renderAudio, file: renderFile }[media.kind];
  const node = draw(media);
  return media.spoiler ? hideBehindSpoiler(node) : node;
}

/** Reserves the box from the known size, so that nothing moves when the file arrives. */
function reserve(node, { width, height }, leastWidth = 0) {
  const w = width || 16 * 25;
  const ht = height || 9 * 25;
  const scale = Math.min(MEDIA_WIDTH / w, MEDIA_HEIGHT / ht, Math.max(1, leastWidth / w));
  node.style.width = `${Math.round(w * scale)}px`;
  node.style.aspectRatio = `${w} / ${ht}`;
  return node;
}

function renderImage(media) {
  const image = h("img", { src: media.url, alt: media.description ?? "", loading: "lazy", width: media.width, height: media.height });
  const button = h("button.media.image", {
    type: "button", "data-filename": media.name, "aria-label": `Open picture: ${media.description || media.name}`,
    onclick: () => openLightbox(media),
  }, image);
  image.onerror = () => button.replaceWith(renderFile(media));
  return reserve(button, media);
}

function renderVideo(media) {
  const path = media.url.split("?")[0];
  const old = [...$("messages").querySelectorAll("video")].find((v) => v.dataset.path === path && !v.error);
  if (old) return old.closest("figure");
  const video = h("video", {
    src: media.url, controls: true, playsinline: true, preload: "metadata", "data-path": path,
    "aria-label": media.description || media.name, title: media.description,
  });
  const figure = reserve(h("figure.media.video", { "data-filename": media.name }, video), media, 300);
  video.onerror = () => figure.replaceWith(renderFile(media));
  return figure;
}

const renderAudio = (media) => h("div.file-card.audio", {}, fileNames(media), h("audio", { src: media.url, controls: true, preload: "metadata" }));

const renderFile = (media) => h("div.file-card", { "data-filename": media.name }, icon("file"), fileNames(media),
  h("a.icon-button", { href: media.url, download: media.name, target: "_blank", rel: "noopener noreferrer", "aria-label": `Download ${media.name}` }, icon("download")));

const fileNames = (media) => h("span.file-names", {},
  h("a", { href: media.url, target: "_blank", rel: "noopener noreferrer" }, media.name),
  h("small", {}, media.size ? bytes(media.size) : media.description ?? ""));

function hideBehindSpoiler(node) {
  const cover = h("button.spoiler-cover", { type: "button", "aria-label": "Show spoiler", onclick: () => cover.parentNode.classList.add("shown") },
    h("span", {}, "Spoiler"));
  const box = h("div.spoiler-box", {}, node, cover);
  box.style.width = node.style.width;
  return box;
}

/** Runs a change of the page; videos that were playing before and are still there go on. */
function keepPlaying(part, change) {
  const playing = [...part.querySelectorAll("video")].filter((v) => !v.paused);
  change();
  playing.filter((v) => v.isConnected).forEach((v) => v.play().catch(() => {}));
}

function openLightbox(media) {
  const box = $("lightbox");
  box.replaceChildren(
    h("img", { src: media.url, alt: media.description ?? "", width: media.width, height: media.height }),
    h("p", {}, media.description ? `${media.description} · ` : "",
      h("a", { href: media.url, target: "_blank", rel: "noopener noreferrer" }, "Open in browser")),
    h("button.icon-button.lightbox-close", { type: "button", "aria-label": "Close", onclick: () => box.close() }, icon("close")));
  box.onclick = (e) => e.target === box && box.close();
  box.showModal();
}

// ───────────────────────────────────────────────────────────────────────────── embeds

function renderEmbed(e) {
  const picture = (image, name) => image?.url && h(`div.${name}`, {}, renderMedia(unfurledMedia({ media: { content_type: "image/png", ...image }, description: image.description })));
  const box = h("article.embed", {},
    h("div.embed-main", {},
      e.author?.name && h("div.embed-author", {}, e.author.icon_url && h("img", { src: e.author.icon_url, alt: "" }), link(e.author.url, e.author.name)),
      e.title && h("div.embed-title", {}, e.url ? link(e.url, inline(e.title)) : inline(e.title)),
      e.description && h("div.embed-text", {}, markdown(e.description)),
      e.fields?.length > 0 && h("div.embed-fields", {}, e.fields.map((f) => h("div.embed-field", { class: f.inline ? "inline" : "" },
        h("div.embed-field-name", {}, inline(f.name)), h("div.embed-text", {}, markdown(f.value)))))),
    picture(e.thumbnail, "embed-thumbnail"), picture(e.image, "embed-image"), renderEmbedFooter(e));
  if (e.color != null) box.style.setProperty("--accent", colour(e.color));
  return box;
}

function renderEmbedFooter({ footer, timestamp }) {
  const text = [footer?.text, timestamp && friendlyTime(new Date(timestamp))].filter(Boolean).join(" • ");
  return text && h("div.embed-footer", {}, footer?.icon_url && h("img", { src: footer.icon_url, alt: "" }), text);
}

// ───────────────────────────────────────────────────────────────────────────── components

const BUTTON_STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };

/** How each type of component in a message is drawn. Unknown types are left out. */
const COMPONENTS = {
  1: (c, m) => h("div.action-row", {}, drawAll(c.components, m)),
  2: renderButton,
  3: renderSelect, 5: renderSelect, 6: renderSelect, 7: renderSelect, 8: renderSelect,
  9: (c, m) => h("div.section", {}, h("div", {}, drawAll(c.components, m)), drawAll([c.accessory], m)),
  10: (c) => h("div.text-display", {}, markdown(c.content)),
  11: (c) => h("div.thumbnail", {}, renderMedia(unfurledMedia(c))),
  12: (c) => (c.items.length > 1 ? renderMosaic(c.items.map(unfurledMedia)) : renderMedia(unfurledMedia(c.items[0]))),
  13: (c) => renderMedia({ ...unfurledMedia({ media: c.file, spoiler: c.spoiler, size: c.size }), ...(c.name && { name: c.name }), kind: "file" }),
  14: (c) => h("hr.separator", { class: `${c.divider === false ? "plain" : ""} ${c.spacing === 2 ? "wide" : ""}` }),
  17: renderContainer,
};

const drawAll = (components, m) => (components ?? []).filter(Boolean).map((c) => COMPONENTS[c.type]?.(c, m));

function renderComponents(m) {
  if (!m.components?.length) return null;
  const refused = state.refused.get(m.id);
  return [...drawAll(m.components, m), refused && h("p.refused", { role: "alert" }, icon("warning"), refused)];
}

function renderContainer(c, m) {
  const inner = drawAll(c.components, m);
  const box = h("div.container", {}, inner);
  if (c.accent_color != null) box.style.setProperty("--accent", colour(c.accent_color));
  return c.spoiler ? hideBehindSpoiler(box) : box;
}

function renderButton(c, m) {
  const inner = [c.emoji?.name && h("span.emoji", {}, c.emoji.name), c.label && h("span", {}, c.label)];
  if (c.style === 5) return h("a.button.link", { href: safeUrl(c.url), target: "_blank", rel: "noopener noreferrer" }, inner, icon("external"));
  const busy = state.pressed.get(m.id) === c.custom_id;
  return h("button.button", {
    type: "button", class: `${BUTTON_STYLES[c.style] ?? "secondary"} ${busy ? "busy" : ""}`, "data-custom-id": c.custom_id,
    disabled: c.disabled || (!busy && state.pressed.has(m.id)), "aria-busy": busy ? "true" : null,
    "aria-label": c.label ? null : c.emoji?.name, onclick: () => busy || press(m, c.custom_id),
  }, inner, busy && dots());
}

function renderSelect(c, m) {
  const select = selectControl(c, (values) => press(m, c.custom_id, values));
  select.el.disabled = c.disabled || state.pressed.has(m.id);
  return select.el;
}

function press(m, customId, values) {
  state.refused.delete(m.id);
  state.pressed.set(m.id, customId);
  redraw(m);
  const settle = (problem) => {
    state.pressed.delete(m.id);
    if (problem) state.refused.set(m.id, problem);
    redraw(messageById(m.id) ?? m);
  };
  interact({ kind: "component", channel_id: m.channel_id, message_id: m.id, custom_id: customId, ...(values && { values }) }, (event) => {
    if (event.state !== "sent") settle(event.state === "failed" ? "This interaction failed" : null);
    if (event.state === "modal") openModal(event);
  }).catch((error) => settle(error.message));
}

/** What a select menu offers, by component type. */
function selectItems(c) {
  const chosen = new Set((c.default_values ?? []).map((v) => v.id));
  const entry = (e) => ({ ...e, selected: chosen.has(e.value) });
  if (c.type === 3) return c.options.map((o) => ({ value: o.value, label: o.label, description: o.description, emoji: o.emoji?.name, selected: o.default }));
  if (c.type === 8) return channelItems(c.channel_types).map(entry);
  return [...(c.type === 6 ? [] : personItems()), ...(c.type === 5 ? [] : roleItems())].map(entry);
}

const personItems = () => [...state.people.values()].map((p) => ({ value: p.id, label: displayName(p), description: p.username, node: avatar(p, "tiny") }));
const roleItems = () => (state.guild.roles ?? []).map((r) => ({ value: r.id, label: `@${r.name.replace(/^@/, "")}` }));
const channelItems = (types) => state.channels.filter((c) => !types?.length || types.includes(c.type))
  .map((c) => ({ value: c.id, label: `#${c.name}` }));

/**
 * A select menu. Single ones commit when picked, multiple ones when the list closes, as Discord does.
 * @param {Component} c @param {(values: string[]) => void} [commit]
 */
function selectControl(c, commit) {
  const least = c.min_values ?? 1;
  const most = c.max_values ?? 1;
  const items = selectItems(c);
  const values = () => items.filter((i) => i.selected).map((i) => i.value);
  const el = h("button.select", { type: "button", "aria-haspopup": "listbox", "aria-expanded": "false", "data-custom-id": c.custom_id });
  const draw = () => {
    const labels = items.filter((i) => i.selected).map((i) => i.label).join(", ");
    el.replaceChildren(h("span", { class: labels ? "" : "placeholder" }, labels || c.placeholder || "Make a selection"), icon("down"));
    el.setAttribute("aria-label", `${c.placeholder || "Make a selection"}${labels ? `: ${labels}` : ""}`);
  };
  const pick = (item) => {
    if (most === 1) items.forEach((i) => { i.selected = i === item && (least > 0 || !i.selected); });
    else if (item.selected || values().length < most) item.selected = !item.selected;
    draw();
    if (most > 1) return list.set(items, item);
    closePopover();
    commit?.(values());
  };
  const list = listbox({ label: c.placeholder || "Options", multi: most > 1, onPick: pick });
  el.onclick = () => {
    const before = JSON.stringify(values());
    list.set(items);
    openPopover(h("div.popover.select-list", {}, list.el), el.getBoundingClientRect(), {
      width: el.offsetWidth, owner: el,
      onClose: () => most > 1 && JSON.stringify(values()) !== before && values().length >= least && commit?.(values()),
    });
    list.el.focus();
  };
  draw();
  return { el, values };
}

// ───────────────────────────────────────────────────────────────────────────── modals

/** @typedef {{el: HTMLElement, problem: () => string|null, answer: () => Promise<Component>|Component,
 *             customId?: string, focus?: HTMLElement}} Control  one component of a modal */

/** Shows the modal that an interaction was answered with. @param {object} event INTERACTION, state "modal" */
function openModal({ interaction_id: interactionId, modal }) {
  const dialog = $("modal");
  const bot = botPerson();
  const controls = modal.components.map(modalRow);
  const error = h("p.form-error", { role: "alert" });
  const submit = h("button.button.primary", { type: "submit" }, "Submit");
  const form = h("form", {
    novalidate: true, autocomplete: "off", "data-custom-id": modal.custom_id,
    onsubmit: (e) => { e.preventDefault(); submitModal(); },
  }, h("header", {}, avatar(bot), h("h2", { id: "modal-title" }, modal.title),
    h("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"))),
  h("div.modal-body", {}, h("p.modal-note", {}, icon("warning"), `This form goes to ${displayName(bot)}. Do not share passwords or other secrets.`),
    controls.map((c) => c.el)),
  h("footer", {}, error, h("button.button.plain", { type: "button", onclick: () => dialog.close() }, "Cancel"), submit));

  const busy = (on) => { submit.disabled = on; submit.classList.toggle("busy", on); };
  async function submitModal() {
    error.textContent = "";
    const wrong = controls.filter((c) => c.showProblem(c.problem?.() ?? null));
    if (wrong.length) return wrong[0].focus?.focus();
    busy(true);
    try {
      const components = await Promise.all(controls.map((c) => c.answer()));
      await interact({ kind: "modal", interaction_id: interactionId, custom_id: modal.custom_id, components }, (answer) => {
        if (answer.state === "failed") { busy(false); error.textContent = "Something went wrong. Try again."; }
        else if (answer.state !== "sent") dialog.close();
      });
    } catch (problem) {
      busy(false);
      error.textContent = problem.message;
      controls.forEach((c) => c.showProblem(problem.errors?.[c.customId] ?? null));
    }
  }
  dialog.replaceChildren(form);
  dialog.showModal();
  (controls.find((c) => c.focus)?.focus ?? submit).focus();
}

/** A top-level component of a modal: text, a label around a control, or the older action row. */
function modalRow(c) {
  if (c.type === 10) return { el: h("div.text-display", {}, markdown(c.content)), answer: () => ({ type: 10, id: c.id }), showProblem: () => false };
  const inner = c.type === 18 ? c.component : c.components[0];
  const id = newId();
  const control = (MODAL_CONTROLS[inner.type] ?? textControl)(inner, id);
  const grouped = [21, 22].includes(inner.type);
  const label = c.type === 18 ? c.label : inner.label;
  const problem = h("p.field-error", { role: "alert", id: `${id}-error` });
  control.focus?.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  if (inner.type !== 23 && !grouped && control.focus?.tagName !== "BUTTON") control.focus?.setAttribute("aria-label", label);
  const el = h("div.modal-row", { "data-custom-id": inner.custom_id, role: grouped ? "group" : null, "aria-label": grouped ? label : null },
    h("label.modal-label", { for: grouped ? null : id }, label, isRequired(inner) && h("span.required", { "aria-hidden": "true" }, " *")),
    c.description && h("p.modal-hint", { id: `${id}-hint` }, c.description), control.el, problem);
  return {
    ...control, el, customId: inner.custom_id,
    answer: async () => (c.type === 18 ? { type: 18, id: c.id, component: await control.answer() } : { type: 1, components: [await control.answer()] }),
    showProblem: (text) => { problem.textContent = text ?? ""; el.classList.toggle("invalid", Boolean(text)); return text; },
  };
}

const isRequired = (c) => c.type !== 23 && c.required !== false;
const reply = (c, more) => ({ type: c.type, id: c.id, custom_id: c.custom_id, ...more });

/** @type {Record<number, (c: Component, id: string) => Control>} */
const MODAL_CONTROLS = {
  4: textControl,
  3: modalSelect, 5: modalSelect, 6: modalSelect, 7: modalSelect, 8: modalSelect,
  19: fileControl,
  21: choiceControl, 22: choiceControl,
  23: checkboxControl,
};

function textControl(c, id) {
  const input = h(c.style === 2 ? "textarea" : "input", {
    id, type: c.style === 2 ? null : "text", rows: c.style === 2 ? "4" : null, placeholder: c.placeholder,
    maxlength: c.max_length, required: isRequired(c), "data-custom-id": c.custom_id,
  });
  input.value = c.value ?? "";
  return {
    el: input, focus: input, answer: () => reply(c, { value: input.value }),
    problem: () => {
      if (isRequired(c) && !input.value.trim()) return "This field is required.";
      return input.value && input.value.length < (c.min_length ?? 0) ? `Must be at least ${c.min_length} characters.` : null;
    },
  };
}

function modalSelect(c, id) {
  const select = selectControl(c);
  select.el.id = id;
  return { el: select.el, focus: select.el, answer: () => reply(c, { values: select.values() }),
    problem: () => countProblem(select.values().length, c) };
}

function fileControl(c) {
  const slot = fileSlot({ label: "Choose files", most: c.max_values ?? 1, fileTypes: c.file_types });
  slot.el.classList.add("takes-drops");
  slot.el.addFiles = slot.add;
  return { el: slot.el, focus: slot.input, answer: async () => reply(c, { values: await slot.ids() }),
    problem: () => slot.problem() ?? countProblem(slot.count(), c) };
}

function choiceControl(c) {
  const many = c.type === 22;
  const name = newId();
  const inputs = c.options.map((o) => h("input", { type: many ? "checkbox" : "radio", name, value: o.value, checked: o.default }));
  const chosen = () => inputs.filter((i) => i.checked).map((i) => i.value);
  const el = h("div.choices", { role: many ? null : "radiogroup" }, c.options.map((o, i) => h("label.choice", {}, inputs[i],
    h("span", {}, o.label, o.description && h("small", {}, o.description)))));
  return { el, focus: inputs[0], answer: () => reply(c, many ? { values: chosen() } : { value: chosen()[0] ?? null }),
    problem: () => countProblem(chosen().length, many ? { max_values: c.options.length, ...c } : c) };
}

function checkboxControl(c, id) {
  const input = h("input", { type: "checkbox", id, checked: c.default });
  return { el: input, focus: input, problem: () => null, answer: () => reply(c, { value: input.checked }) };
}

function countProblem(count, c) {
  const least = isRequired(c) ? Math.max(1, c.min_values ?? 1) : 0;
  if (count === 0 && least > 0) return "This field is required.";
  if (count > 0 && count < (c.min_values ?? 0)) return `Choose at least ${c.min_values}.`;
  return count > (c.max_values ?? 1) ? `Choose at most ${c.max_values ?? 1}.` : null;
}

// ───────────────────────────────────────────────────────────────────────────── files to be sent

/**
 * A place for files: a drop area with a real file input, and a card with preview for each chosen file.
 * Files are uploaded at once, so that a refusal shows before anything is sent.
 * @param {{label: string, most?: number, fileTypes?: string[], onChange?: () => void}} options
 */
function fileSlot({ label, most = 1, fileTypes, onChange }) {
  /** @type {{file: File, id: Promise<string>, error: string|null, el: HTMLElement}[]} */
  let entries = [];
  const input = h("input.visually-hidden", { type: "file", multiple: most > 1, "aria-label": label,
    accept: fileTypes?.map((t) => (/[./]/.test(t) ? t : `.${t}`)).join(",") });
  const list = h("ul.file-list");
  const drop = h("label.file-drop", {}, input, icon("upload"), h("strong", {}, label), h("small", {}, "Drag, paste or click to choose"));
  const el = h("div.file-slot", {}, drop, list);
  const changed = () => { el.classList.toggle("full", entries.length >= most); onChange?.(); };
  const remove = (entry) => {
    entries = entries.filter((e) => e !== entry);
    entry.el.remove();
    changed();
  };
  const add = (files) => {
    const room = [...files].slice(0, Math.max(0, most - (most > 1 ? entries.length : 0)));
    if (most === 1 && room.length) entries.forEach(remove);
    if (room.length < files.length && most > 1) toast(`At most ${most} files.`);
    for (const file of room) {
      const entry = { file, error: tooLarge(file), el: null, id: null };
      entry.id = entry.error ? Promise.reject(new ApiError(entry.error)) : upload(file);
      entry.el = fileCard(file, () => remove(entry));
      entry.id.then(() => entry.el.classList.add("uploaded"), (error) => failCard(entry, error.message));
      entries.push(entry);
      list.append(entry.el);
    }
    input.value = "";
    changed();
  };
  input.onchange = () => add(input.files);
  return {
    el, input, add,
    count: () => entries.length,
    files: () => entries.map((e) => e.file),
    ids: () => Promise.all(entries.map((e) => e.id)),
    problem: () => entries.find((e) => e.error)?.error ?? null,
    clear: () => { entries.slice().forEach(remove); },
  };
}

const tooLarge = (file) => (file.size > state.sizeLimit ? `Your file is too powerful: ${bytes(file.size)}, and the limit is ${bytes(state.sizeLimit)}.` : null);

function failCard(entry, text) {
  entry.error = text;
  entry.el.classList.add("failed");
  entry.el.append(h("p.field-error", { role: "alert" }, text));
}

function fileCard(file, remove) {
  const url = /^(image|video)\//.test(file.type) ? URL.createObjectURL(file) : null;
  const preview = url && (file.type.startsWith("image/") ? h("img", { src: url, alt: "" }) : h("video", { src: url, muted: true, preload: "metadata" }));
  return h("li.upload-card", { "data-filename": file.name }, h("div.upload-preview", {}, preview ?? icon("file")),
    h("div.upload-names", {}, h("span", { title: file.name }, file.name), h("small", {}, bytes(file.size))),
    h("button.icon-button.small", { type: "button", "aria-label": `Remove ${file.name}`, onclick: () => { if (url) URL.revokeObjectURL(url); remove(); } }, icon("trash")));
}

/** Files that were dropped or pasted go to whatever is waiting for files: a modal, a command, or the message. */
function takeFiles(files) {
  if (!files.length) return;
  const slot = $("modal").open && $("modal").querySelector(".takes-drops");
  if (slot) slot.addFiles(files);
  else if (!$("modal").open && !state.command?.takeFiles(files)) tray.add(files);
}

function bindDrop() {
  const hasFiles = (e) => e.dataTransfer?.types.includes("Files");
  const hint = (on) => {
    $("drop-hint").hidden = !on;
    $("drop-hint").firstElementChild.textContent = state.command?.wantsFiles() ? `Drop it to use it with /${state.command.leaf.name}` : `Drop to attach it to a message in #${state.channel?.name}`;
  };
  addEventListener("dragover", (e) => { if (hasFiles(e)) { e.preventDefault(); hint(true); } });
  addEventListener("dragleave", (e) => { if (!e.relatedTarget) hint(false); });
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

// ───────────────────────────────────────────────────────────────────────────── composer: messages

const tray = fileSlot({ label: "Attached files", most: 10, onChange: () => drawTrayOffer() });

function bindComposer() {
  tray.el.classList.add("tray");
  tray.input.tabIndex = -1;
  $("tray").append(tray.el, h("div", { id: "tray-offer" }));
  $("attach").onchange = (e) => { tray.add([...e.target.files]); e.target.value = ""; $("input").focus(); };
  $("input").addEventListener("input", () => { growInput(); updatePopup(); });
  $("input").addEventListener("keydown", onInputKey);
  $("input").addEventListener("blur", hidePopup);
  $("message-form").onsubmit = (e) => { e.preventDefault(); sendMessage(); };
  $("open-picker").onclick = () => { $("input").value = "/"; $("input").focus(); updatePopup(); };
}

function enterComposer(channel) {
  $("input").value = state.drafts.get(channel.id) ?? "";
  hidePopup();
  growInput();
  if (matchMedia("(hover: hover)").matches) $("input").focus({ preventScroll: true });
}

function drawComposer() {
  const { channel } = state;
  const allowed = channel.can_send !== false;
  $("composer").classList.toggle("locked", !allowed);
  [...$("message-form").elements].forEach((e) => { e.disabled = !allowed; });
  $("input").placeholder = allowed ? `Message #${channel.name}` : "You do not have permission to send messages here.";
  $("input").setAttribute("aria-label", `Message #${channel.name}`);
  $("message-form").hidden = Boolean(state.command);
  $("tray").hidden = Boolean(state.command);
  drawTrayOffer();
}

/** A picture in the message box could go straight into a command that takes one. */
function drawTrayOffer() {
  const picture = tray.files().find((f) => f.type.startsWith("image/"));
  const leaf = picture && leaves().find((l) => l.options.some((o) => o.type === OPTION.ATTACHMENT && o.required));
  $("tray-offer").replaceChildren(...(leaf ? [h("button.button.primary", {
    type: "button", onclick: () => { tray.clear(); startCommand(leaf, [picture]); },
  }, icon("command"), `Use it with /${leaf.name}`)] : []));
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

async function sendMessage() {
  const text = $("input").value.trim();
  const exact = text.startsWith("/") && leaves().find((l) => `/${l.name}` === text);
  if (exact) return startCommand(exact);
  if (!text && !tray.count()) return;
  try {
    const attachments = await tray.ids();
    await api("POST", "/sandbox/messages", {
      as: state.me.id, channel_id: state.channel.id, content: encodeMentions(text), attachments,
      reply_to: state.reply?.message.id ?? null, ping: state.reply?.ping ?? true,
    });
    $("input").value = "";
    tray.clear();
    setReply(null);
    growInput();
    hidePopup();
  } catch (error) {
    toast(error.message);
  }
}

/** "@Mia" and "#studio" become what Discord sends for them. */
function encodeMentions(text) {
  const names = [...state.people.values()].flatMap((p) => [displayName(p), p.username].map((n) => ["@", n, `<@${p.id}>`]))
    .concat(state.channels.map((c) => ["#", c.name, `<#${c.id}>`])).sort((a, b) => b[1].length - a[1].length);
  const escape = (s) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return names.reduce((out, [sign, name, code]) => out.replace(new RegExp(`(^|[^\\w<])${sign}${escape(name)}(?![\\w-])`, "g"), `$1${code}`), text);
}

// ───────────────────────────────────────────────────────────────────────────── composer: the popup list above it

/** The one list above the message box: commands, mentions, or an option's choices. */
const popup = { list: null, title: "", owner: null };

function showPopup(owner, title, items, onPick) {
  hidePopup();
  if (!items.length) return;
  popup.list = listbox({ label: title, onPick: (item) => { hidePopup(); onPick(item); }, owner });
  popup.owner = owner;
  popup.list.set(items);
  owner.setAttribute("aria-expanded", "true");
  $("popup").hidden = false;
  $("popup").replaceChildren(h("div.popup-title", {}, title), popup.list.el);
}

function hidePopup() {
  $("popup").hidden = true;
  $("popup").replaceChildren();
  popup.owner?.setAttribute("aria-expanded", "false");
  popup.owner?.removeAttribute("aria-activedescendant");
  Object.assign(popup, { list: null, owner: null });
}

/** Arrows, Tab, Enter and Escape drive the open list; true when the key was for it. */
function popupKey(event) {
  if (!popup.list) return false;
  const act = { ArrowDown: () => popup.list.move(1), ArrowUp: () => popup.list.move(-1), Escape: hidePopup,
    Enter: () => popup.list.pick(), Tab: () => popup.list.pick() }[event.key];
  if (!act || event.shiftKey || event.isComposing) return false;
  event.preventDefault();
  act();
  return true;
}

function updatePopup() {
  const input = $("input");
  const before = input.value.slice(0, input.selectionStart);
  if (/^\/[^\n]*$/.test(before)) return suggestCommands(before.slice(1));
  const [, sign, query] = /(?:^|\s)([@#])([\w.-]*)$/.exec(before) ?? [];
  if (!sign) return hidePopup();
  const items = (sign === "@" ? personItems() : channelItems().map((c) => ({ ...c, label: c.label.slice(1) })))
    .filter((i) => `${i.label} ${i.description ?? ""}`.toLowerCase().includes(query.toLowerCase())).slice(0, 10);
  showPopup(input, sign === "@" ? "Members" : "Channels", items, ({ label }) => {
    input.setRangeText(`${sign}${label} `, before.length - query.length - 1, before.length, "end");
    growInput();
  });
}

function suggestCommands(query) {
  const typed = query.trim().toLowerCase();
  const all = leaves();
  const exact = query.endsWith(" ") && all.find((l) => l.name === typed);
  if (exact) return startCommand(exact);
  const rank = (l) => [l.name.startsWith(typed), l.name.includes(typed), l.description.toLowerCase().includes(typed)].indexOf(true);
  const found = all.map((l) => [rank(l), l]).filter(([r]) => r >= 0).sort(([a], [b]) => a - b);
  showPopup($("input"), `Commands of ${displayName(botPerson())}`, found.map(([, leaf]) => ({
    value: leaf.name, label: `/${leaf.name}`, description: leaf.description, leaf, node: avatar(botPerson()),
    aside: leaf.options.filter((o) => o.required).map((o) => o.name).join("  "),
  })), ({ leaf }) => startCommand(leaf));
}

// ───────────────────────────────────────────────────────────────────────────── composer: commands

const canUse = (command) => {
  const needed = command.default_member_permissions;
  const inGuild = !command.contexts || command.contexts.includes(0);
  const allowed = needed == null || state.me.role === "admin" || (needed !== "0" && (BigInt(needed) & ~MEMBER_PERMISSIONS) === 0n);
  return inGuild && allowed && (!command.nsfw || state.channel?.nsfw);
};
const commandsOf = (type) => state.commands.filter((c) => (c.type ?? 1) === type && canUse(c));

/** @returns {Leaf[]} every slash command that can be run, subcommands spelled out */
function leaves() {
  const expand = (command, node, path) => {
    const subs = (node.options ?? []).filter((o) => o.type === OPTION.SUB || o.type === OPTION.GROUP);
    if (subs.length) return subs.flatMap((s) => expand(command, s, [...path, s.name]));
    return [{ command, path, name: [command.name, ...path].join(" "), description: node.description ?? "", options: node.options ?? [] }];
  };
  return commandsOf(COMMAND.SLASH).flatMap((c) => expand(c, c, [])).sort((a, b) => a.name.localeCompare(b.name));
}

/** Options as the API nests them: inside their subcommand, inside its group. */
function nestOptions(leaf, options) {
  const [last, ...outer] = [...leaf.path].reverse();
  if (!last) return options;
  const inner = [{ name: last, type: OPTION.SUB, options }];
  return outer.reduce((nested, name) => [{ name, type: OPTION.GROUP, options: nested }], inner);
}

function startCommand(leaf, files = []) {
  state.command?.close();
  setReply(null);
  $("input").value = "";
  growInput();
  hidePopup();
  state.command = new CommandForm(leaf);
  $("command").replaceChildren(state.command.el);
  drawComposer();
  if (files.length) state.command.takeFiles(files);
  state.command.focusNext();
}

/** The form that fills in one slash command: required options first, optional ones added on demand. */
class CommandForm {
  /** @param {Leaf} leaf */
  constructor(leaf) {
    this.leaf = leaf;
    /** @type {Map<string, Field>} */ this.fields = new Map();
    this.hint = h("div.command-hint", { "aria-live": "polite" });
    this.files = h("div.command-files");
    this.more = h("button.more-options", { type: "button", "aria-haspopup": "listbox", "aria-expanded": "false", onclick: () => this.offerOptional() });
    this.more.addEventListener("keydown", popupKey);
    this.more.addEventListener("blur", hidePopup);
    this.error = h("p.form-error", { role: "alert" });
    this.send = h("button.icon-button", { type: "submit", "aria-label": `Send /${leaf.name}` }, icon("send"));
    this.line = h("div.command-line", {}, avatar(botPerson(), "tiny"), h("span.command-name", {}, `/${leaf.name}`), this.more, h("span.grow"),
      h("button.icon-button", { type: "button", "aria-label": "Cancel command", onclick: () => this.close() }, icon("close")), this.send);
    this.el = h("form.command-form", { "data-command": leaf.name, "aria-label": `/${leaf.name}`, novalidate: true, autocomplete: "off",
      onsubmit: (e) => { e.preventDefault(); this.submit(); }, onkeydown: (e) => this.onKey(e) }, this.hint, this.files, this.line, this.error);
    leaf.options.filter((o) => o.required).forEach((o) => this.add(o));
    this.describe(null);
  }

  add(option) {
    const field = makeField(option, this);
    this.fields.set(option.name, field);
    field.el.addEventListener("focusin", () => this.describe(option));
    if (option.type === OPTION.ATTACHMENT) this.files.append(field.el);
    else this.more.before(field.el);
    this.drawMore();
    return field;
  }

  remove(name) {
    this.fields.get(name).el.remove();
    this.fields.delete(name);
    this.drawMore();
    this.focusNext();
  }

  optional() { return this.leaf.options.filter((o) => !this.fields.has(o.name)); }

  drawMore() {
    const left = this.optional().length;
    this.more.hidden = left === 0;
    this.more.textContent = `+${left} ${this.fields.size ? "more" : "optional"}`;
    this.more.setAttribute("aria-label", `${left} more options`);
  }

  offerOptional() {
    if (popup.owner === this.more) return hidePopup();
    this.more.focus();
    showPopup(this.more, "Optional", this.optional().map((o) => ({ value: o.name, label: o.name, description: o.description, option: o })),
      ({ option }) => this.add(option).focus());
  }

  describe(option) {
    const [name, text] = option ? [option.name, option.description] : [`/${this.leaf.name}`, this.leaf.description];
    this.hint.replaceChildren(h("strong", {}, name), h("span", {}, text));
  }

  /** The first field that still wants something, or the button that sends. */
  focusNext() {
    const empty = [...this.fields.values()].find((f) => f.isEmpty());
    (empty ?? { focus: () => this.send.focus() }).focus();
  }

  wantsFiles() { return this.leaf.options.some((o) => o.type === OPTION.ATTACHMENT); }

  takeFiles(files) {
    const wanted = this.leaf.options.filter((o) => o.type === OPTION.ATTACHMENT);
    if (!wanted.length) return false;
    const free = wanted.find((o) => this.fields.get(o.name)?.isEmpty() ?? true) ?? wanted[0];
    (this.fields.get(free.name) ?? this.add(free)).addFiles([...files].slice(0, 1));
    return true;
  }

  onKey(event) {
    if (event.defaultPrevented) return;
    if (event.key === "Escape") { event.preventDefault(); this.close(); }
    const chosen = event.target.type === "file" && !this.fields.get(event.target.dataset.option)?.isEmpty();
    if (event.key === "Enter" && chosen) { event.preventDefault(); this.submit(); }
  }

  async submit() {
    if (this.sending) return;
    this.error.textContent = "";
    const wrong = [...this.fields.values()].filter((f) => f.showProblem(f.problem()));
    if (wrong.length) return wrong[0].focus();
    this.sending = true;
    try {
      const filled = [...this.fields.values()].filter((f) => !f.isEmpty());
      const options = await Promise.all(filled.map(async (f) => ({ name: f.option.name, type: f.option.type, value: await f.value() })));
      await runCommand({ type: COMMAND.SLASH, name: this.leaf.command.name, options: nestOptions(this.leaf, options) }, this.leaf.name);
      this.close();
    } catch (error) {
      this.showErrors(error);
    } finally {
      this.sending = false;
    }
  }

  showErrors(error) {
    const named = Object.entries(error.errors ?? {}).filter(([name]) => this.leaf.options.some((o) => o.name === name));
    for (const [name, text] of named) (this.fields.get(name) ?? this.add(this.leaf.options.find((o) => o.name === name))).showProblem(text);
    if (!named.length) this.error.textContent = error.message;
  }

  close() {
    if (state.command !== this) return;
    state.command = null;
    hidePopup();
    $("command").replaceChildren();
    drawComposer();
    $("input").focus();
  }
}

/**
 * Runs a command of any kind. Until the bot answers, a line of our own stands in for its answer.
 * Throws what the server refuses at once.
 */
async function runCommand(body, name) {
  const nonce = newNonce();
  const local = {
    id: `local-${nonce}`, channel_id: state.channel.id, author: botPerson(), content: "", flags: 0, type: 20, nonce,
    timestamp: new Date().toISOString(), attachments: [], embeds: [], components: [], local: { state: "sending" },
    interaction: { name, user: state.me, kind: body.type },
  };
  EVENTS.MESSAGE_CREATE(local);
  const gone = () => EVENTS.MESSAGE_DELETE(local);
  try {
    await interact({ kind: "command", nonce, ...body }, (event) => {
      if (event.state === "failed") EVENTS.MESSAGE_UPDATE({ ...local, flags: FLAG.EPHEMERAL, local: { state: "failed", reason: event.reason } });
      else if (event.state !== "sent") gone();
      if (event.state === "modal") openModal(event);
    });
  } catch (error) {
    gone();
    throw error;
  }
}

// ───────────────────────────────────────────────────────────────────────────── composer: a command's options

/** @typedef {{option: Option, el: HTMLElement, focus: () => void, isEmpty: () => boolean, value: () => any,
 *             problem: () => string|null, showProblem: (text: string|null) => any, addFiles?: Function}} Field */

/** @param {Option} option @param {CommandForm} form @returns {Field} */
function makeField(option, form) {
  if (option.type === OPTION.ATTACHMENT) return fileField(option, form);
  if (option.choices?.length || option.autocomplete || OPTION_ITEMS[option.type]) return choiceField(option, form);
  return textField(option, form);
}

/** What the options of a fixed set offer. */
const OPTION_ITEMS = {
  [OPTION.BOOLEAN]: () => [{ value: true, label: "True" }, { value: false, label: "False" }],
  [OPTION.USER]: () => personItems(),
  [OPTION.CHANNEL]: (o) => channelItems(o.channel_types),
  [OPTION.ROLE]: () => roleItems(),
  [OPTION.MENTIONABLE]: () => [...personItems(), ...roleItems()],
};

const isNumeric = (option) => option.type === OPTION.INTEGER || option.type === OPTION.NUMBER;

function pill(option, form, input) {
  const error = h("span.field-error", { role: "alert", id: newId() });
  const drop = !option.required && h("button.pill-remove", { type: "button", "aria-label": `Remove ${option.name}`, onclick: () => form.remove(option.name) }, icon("close"));
  const el = h("div.pill", { "data-option": option.name, onclick: (e) => e.target === el && input.focus() },
    h("label", { for: input.id }, option.name), input, drop, error);
  input.setAttribute("aria-describedby", error.id);
  input.addEventListener("input", () => showProblem(null));
  input.addEventListener("keydown", (e) => {
    if (e.key === "Backspace" && !input.value && !option.required) { e.preventDefault(); form.remove(option.name); }
  });
  const showProblem = (text) => {
    error.textContent = text ?? "";
    el.classList.toggle("invalid", Boolean(text));
    input.setAttribute("aria-invalid", String(Boolean(text)));
    return text;
  };
  return { el, showProblem, option, focus: () => input.focus() };
}

const optionInput = (option, more) => h("input", { id: newId(), "data-option": option.name, "aria-required": String(Boolean(option.required)),
  enterkeyhint: "send", autocomplete: "off", ...more });

function textField(option, form) {
  const numeric = isNumeric(option);
  const input = optionInput(option, numeric ? { type: "number", step: option.type === OPTION.INTEGER ? "1" : "any", min: option.min_value, max: option.max_value }
    : { type: "text", maxlength: option.max_length ?? 6000 });
  const text = () => input.value.trim();
  return {
    ...pill(option, form, input), isEmpty: () => !text() && !input.validity.badInput, value: () => (numeric ? Number(text()) : input.value),
    problem: () => (numeric && input.validity.badInput ? numberWords(option) : optionProblem(option, text())),
  };
}

const numberWords = (option) => (option.type === OPTION.INTEGER ? "Input a valid integer." : "Input a valid number.");

/** Why Discord would not send this text for this option, or null. */
function optionProblem(option, text) {
  if (!text) return option.required ? "This option is required. Specify a value." : null;
  if (isNumeric(option)) return numberProblem(option, Number(text));
  if (option.min_length && text.length < option.min_length) return `Must be at least ${option.min_length} characters.`;
  return null;
}

function numberProblem(option, number) {
  const { min_value: least, max_value: most } = option;
  if (!Number.isFinite(number) || (option.type === OPTION.INTEGER && !Number.isInteger(number))) return numberWords(option);
  if (least != null && number < least) return `Must be at least ${least}.`;
  return most != null && number > most ? `Must be at most ${most}.` : null;
}

function choiceField(option, form) {
  const input = optionInput(option, { type: "text", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "popup" });
  let chosen = null;
  const fixed = option.choices?.length ? option.choices.map((c) => ({ value: c.value, label: c.name })) : OPTION_ITEMS[option.type]?.(option);
  const fits = (i) => `${i.label} ${i.description ?? ""}`.toLowerCase().includes(input.value.toLowerCase());
  const pick = (item) => { chosen = item; input.value = item.label; base.showProblem(null); form.focusNext(); };
  const suggest = async () => {
    const items = fixed ? fixed.filter((i) => chosen || fits(i)) : await autocomplete(form, option, input.value);
    if (document.activeElement === input && items) showPopup(input, option.name, items, pick);
  };
  const base = pill(option, form, input);
  const exact = () => chosen ?? fixed?.find((i) => i.label.toLowerCase() === input.value.trim().toLowerCase());
  let timer = 0;
  input.addEventListener("focus", suggest);
  input.addEventListener("click", () => popup.owner === input || suggest());
  input.addEventListener("blur", hidePopup);
  input.addEventListener("keydown", popupKey);
  input.addEventListener("input", () => { chosen = null; clearTimeout(timer); timer = setTimeout(suggest, fixed ? 0 : 150); });
  const typed = () => (isNumeric(option) ? Number(input.value) : input.value);
  return {
    ...base, isEmpty: () => !input.value.trim(), value: () => (exact() ? exact().value : typed()),
    problem: () => {
      if (!input.value.trim() || exact()) return exact() ? null : optionProblem(option, "");
      return fixed ? "Choose one of the options." : optionProblem(option, input.value.trim());
    },
  };
}

/** Asks the bot for choices; null when it does not answer. */
function autocomplete(form, option, text) {
  const others = [...form.fields.values()].filter((f) => f.option !== option && !f.isEmpty() && f.option.type !== OPTION.ATTACHMENT)
    .map((f) => ({ name: f.option.name, type: f.option.type, value: f.value() }));
  const options = nestOptions(form.leaf, [...others, { name: option.name, type: option.type, value: text, focused: true }]);
  return new Promise((resolve) => {
    interact({ kind: "autocomplete", type: COMMAND.SLASH, name: form.leaf.command.name, options }, (event) => {
      if (event.state === "choices") resolve(event.choices.map((c) => ({ value: c.value, label: c.name })));
      if (event.state === "failed") resolve(null);
    }).catch(() => resolve(null));
  });
}

function fileField(option, form) {
  const slot = fileSlot({ label: option.name, fileTypes: option.file_types, onChange: () => { showProblem(null); if (slot.count()) form.focusNext(); } });
  const error = h("p.field-error", { role: "alert" });
  const showProblem = (text) => {
    error.textContent = text ?? "";
    slot.el.classList.toggle("invalid", Boolean(text));
    return text;
  };
  slot.input.dataset.option = option.name;
  slot.input.setAttribute("aria-required", String(Boolean(option.required)));
  if (!option.required) slot.el.append(h("button.pill-remove", { type: "button", "aria-label": `Remove ${option.name}`, onclick: () => form.remove(option.name) }, icon("close")));
  slot.el.dataset.option = option.name;
  slot.el.append(error);
  return {
    option, el: slot.el, showProblem, isEmpty: () => slot.count() === 0, focus: () => slot.input.focus(),
    value: async () => (await slot.ids())[0], addFiles: slot.add,
    problem: () => slot.problem() ?? (option.required && !slot.count() ? "This option is required. Add a file." : null),
  };
}

// ───────────────────────────────────────────────────────────────────────────── menus on messages and people

function bindContextMenu() {
  let timer = 0;
  document.addEventListener("contextmenu", (event) => {
    if (event.shiftKey || event.target.closest("a[href]:not(.button), input, textarea, audio")) return;
    if (openMenuFor(event.target, new DOMRect(event.clientX, event.clientY, 0, 0))) event.preventDefault();
  });
  document.addEventListener("pointerdown", (event) => { // browsers without a long-press menu of their own
    clearTimeout(timer);
    if (event.pointerType !== "touch" || event.target.closest("button, a, input, textarea, video, .popover")) return;
    timer = setTimeout(() => openMenuFor(event.target, new DOMRect(event.clientX, event.clientY, 0, 0)), 550);
  });
  for (const over of ["pointerup", "pointermove", "pointercancel"]) document.addEventListener(over, () => clearTimeout(timer));
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
  const mayDelete = !ephemeral && (m.author.id === state.me.id || state.me.role === "admin");
  const url = `${location.origin}/${location.search}#${state.channel.name}/${m.id}`;
  openMenu(rect, [
    !ephemeral && { label: "Add Reaction", icon: "react", act: () => openReactionPicker(m, { getBoundingClientRect: () => rect }) },
    !ephemeral && { label: "Reply", icon: "reply", act: () => setReply(m) },
    !ephemeral && appsMenu(COMMAND.MESSAGE, m.id),
    m.content && { label: "Copy Text", icon: "copy", act: () => copy(m.content) },
    { label: "Copy Message Link", icon: "link", act: () => copy(url) },
    { label: "Copy Message ID", icon: "copy", act: () => copy(m.id) },
    mayDelete && { label: "Delete Message", icon: "trash", danger: true, act: () => confirmDelete(m) },
    ephemeral && { label: "Dismiss Message", icon: "close", act: () => dismiss(m) },
  ], "Message");
}

function openUserMenu(person, rect) {
  openMenu(rect, [
    { label: "Mention", icon: "reply", act: () => { state.command?.close(); $("input").focus(); $("input").setRangeText(`@${displayName(person)} `, $("input").selectionStart, $("input").selectionEnd, "end"); } },
    appsMenu(COMMAND.USER, person.id),
    { label: "Copy User ID", icon: "copy", act: () => copy(person.id) },
  ], displayName(person));
}

function appsMenu(type, targetId) {
  const commands = commandsOf(type);
  return commands.length > 0 && {
    label: "Apps", icon: "apps", items: commands.map((c) => ({
      label: c.name, node: avatar(botPerson(), "tiny"), attrs: { "data-command": c.name },
      act: () => runCommand({ type, name: c.name, target_id: targetId }, c.name).catch((error) => toast(error.message)),
    })),
  };
}

function confirmDelete(m) {
  const dialog = $("confirm");
  const remove = h("button.button.danger", { type: "button", onclick: () => {
    dialog.close();
    tryApi("DELETE", "/sandbox/messages", { as: state.me.id, channel_id: m.channel_id, message_id: m.id });
  } }, "Delete");
  dialog.replaceChildren(h("h2", { id: "confirm-title" }, "Delete Message"), h("p", {}, "Are you sure you want to delete this message?"),
    h("blockquote", {}, h("strong", {}, displayName(m.author)), " ", plainText(m.content || "(no text)").slice(0, 200)),
    h("footer", {}, h("button.button.plain", { type: "button", onclick: () => dialog.close() }, "Cancel"), remove));
  dialog.showModal();
  remove.focus();
}

async function copy(text) {
  await navigator.clipboard?.writeText(text).then(() => toast("Copied."), () => toast("The browser did not allow copying."));
}

// ───────────────────────────────────────────────────────────────────────────── popovers, menus and lists

let openOne = null; // the popover that is open: {el, close}

/** Shows `el` beside `rect` until it is closed, Escape is pressed, or something else is pressed. */
function openPopover(el, rect, { width, owner, onClose } = {}) {
  closePopover();
  const back = document.activeElement;
  const host = owner?.closest("dialog") ?? document.body;
  if (width) el.style.width = `${width}px`;
  host.append(el);
  const below = rect.bottom + 4 + el.offsetHeight <= innerHeight;
  const top = below ? rect.bottom + 4 : Math.max(8, Math.min(rect.top - el.offsetHeight - 4, innerHeight - el.offsetHeight - 8));
  el.style.top = `${top}px`;
  el.style.left = `${Math.max(8, Math.min(rect.left, innerWidth - el.offsetWidth - 8))}px`;
  owner?.setAttribute("aria-expanded", "true");
  const outside = (e) => { if (!el.contains(e.target) && !owner?.contains(e.target)) closePopover(); };
  const onKey = (e) => { if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); closePopover(); } };
  document.addEventListener("pointerdown", outside, true);
  host.addEventListener("keydown", onKey, true);
  addEventListener("resize", closePopover);
  openOne = { close: () => {
    openOne = null;
    document.removeEventListener("pointerdown", outside, true);
    host.removeEventListener("keydown", onKey, true);
    removeEventListener("resize", closePopover);
    owner?.setAttribute("aria-expanded", "false");
    const hadFocus = el.contains(document.activeElement);
    el.remove();
    if (hadFocus) back?.focus?.({ preventScroll: true });
    onClose?.();
  } };
}

function closePopover() { openOne?.close(); }

/** @param {DOMRect} rect @param {(object|false)[]} items label, icon|node, act|href|items, danger, checked */
function openMenu(rect, items, label) {
  const menu = h("ul.popover.menu", { role: "menu", "aria-label": label }, items.filter(Boolean).map(menuItem));
  menu.addEventListener("keydown", onMenuKey);
  openPopover(menu, rect);
  menu.querySelector("[role^=menuitem]").focus();
}

function menuItem(item) {
  const inner = [item.node ?? (item.icon && icon(item.icon)), h("span.menu-label", {}, item.label),
    item.items && icon("chevron"), item.checked && icon("check")];
  const common = { role: item.checked === undefined ? "menuitem" : "menuitemradio", tabindex: "-1", class: item.danger ? "danger" : "",
    "aria-checked": item.checked === undefined ? null : String(item.checked), ...item.attrs };
  if (item.href) return h("li", { role: "none" }, h("a", { ...common, href: item.href }, inner));
  if (!item.items) return h("li", { role: "none" }, h("button", { ...common, type: "button", onclick: () => { closePopover(); item.act(); } }, inner));
  const sub = h("ul.menu.submenu", { role: "menu", "aria-label": item.label }, item.items.map(menuItem));
  const button = h("button", { ...common, type: "button", "aria-haspopup": "menu", onclick: () => { sub.classList.add("open"); sub.querySelector("button").focus(); } }, inner);
  return h("li.has-submenu", { role: "none" }, button, sub);
}

function onMenuKey(event) {
  const menu = event.target.closest("[role=menu]");
  const items = [...menu.children].map((li) => li.firstElementChild);
  const at = items.indexOf(event.target);
  const go = (i) => items.at(i % items.length)?.focus();
  const act = {
    ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), Home: () => go(0), End: () => go(-1), Tab: closePopover,
    ArrowRight: () => event.target.getAttribute("aria-haspopup") && event.target.click(),
    ArrowLeft: () => { if (menu.matches(".submenu")) { menu.classList.remove("open"); menu.previousElementSibling.focus(); } },
  }[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}

/**
 * A list to choose from. The owner keeps the focus and forwards keys (`move`, `pick`), or the list itself has it.
 * @param {{label: string, multi?: boolean, owner?: HTMLElement, onPick: (item: object) => void}} options
 */
function listbox({ label, multi = false, owner, onPick }) {
  const id = newId();
  const el = h("ul.listbox", { role: "listbox", id, tabindex: owner ? null : "0", "aria-label": label, "aria-multiselectable": multi ? "true" : null });
  let items = [];
  let at = 0;
  const mark = () => {
    [...el.children].forEach((row, i) => {
      row.classList.toggle("active", i === at);
      row.setAttribute("aria-selected", String(multi ? Boolean(items[i].selected) : i === at));
    });
    (owner ?? el).setAttribute("aria-activedescendant", `${id}-${at}`);
    el.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const row = (item, i) => h("li", {
    role: "option", id: `${id}-${i}`, "data-value": String(item.value), onpointerdown: (e) => e.preventDefault(), onclick: () => { at = i; onPick(item); },
  }, item.node, item.emoji && h("span.emoji", {}, item.emoji),
  h("span.option-text", {}, h("span.option-label", {}, item.label), item.aside && h("span.option-aside", {}, item.aside),
    item.description && h("small", {}, item.description)), item.selected && icon("check"));
  const list = {
    el,
    set(next, active) {
      items = next;
      at = Math.max(0, active ? items.indexOf(active) : items.findIndex((i) => i.selected));
      el.replaceChildren(...items.map(row));
      mark();
    },
    move(by) { at = (at + by + items.length) % items.length; mark(); },
    pick() { if (items[at]) onPick(items[at]); },
  };
  el.addEventListener("keydown", (event) => {
    const act = { ArrowDown: () => list.move(1), ArrowUp: () => list.move(-1), Enter: list.pick, " ": list.pick, Tab: closePopover }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  return list;
}

function toast(text) {
  const el = h("div.toast", {}, text);
  $("toasts").append(el);
  setTimeout(() => el.remove(), 5000);
}

// ───────────────────────────────────────────────────────────────────────────── Discord's markdown

/** Block structure: code, quotes, headings, small text, lists, and lines. @returns {Node[]} */
function markdown(text, depth = 0) {
  const out = [];
  let rest = text;
  while (rest) {
    const rule = BLOCKS.find(([pattern]) => (pattern.lastIndex = 0, pattern.test(rest)));
    const [found, ...groups] = rule[0].exec(rest);
    const node = rule[1](groups, depth);
    if (node) out.push(node);
    rest = rest.slice(found.length);
  }
  return out;
}

/** [pattern at the start of the rest, how to draw it]; the last one takes any line. */
const BLOCKS = [
  [/^```(?:([\w+.#-]+)\n)?\n?([\s\S]*?)\n?```\n?/, ([lang, code]) => h("pre", {}, h("code", { "data-lang": lang }, code))],
  [/^>>> ?([\s\S]+)/, ([body], d) => quote(body, d)],
  [/^((?:> [^\n]*(?:\n|$))+)/, ([body], d) => quote(body.replace(/^> /gm, "").replace(/\n$/, ""), d)],
  [/^(#{1,3}) +([^\n]+)(?:\n|$)/, ([level, body]) => h(`h${level.length + 3}.md-h${level.length}`, {}, inline(body))],
  [/^-# +([^\n]+)(?:\n|$)/, ([body]) => h("p.subtext", {}, inline(body))],
  [/^((?: *(?:[-*]|\d{1,9}\.) [^\n]*(?:\n {2,}[^\n]+)*(?:\n|$))+)/, ([body]) => markdownList(body)],
  [/^\n+/, ([]) => null],
  [/^((?:(?!```|>>> |> |#{1,3} |-# | *[-*] | *\d{1,9}\. )[^\n]+(?:\n+|$))+?(?=```|>>> |> |#{1,3} |-# | *[-*] | *\d{1,9}\. |$))/, ([body]) => h("p", {}, inline(body.replace(/\n$/, "")))],
  [/^([^\n]*)(?:\n|$)/, ([body]) => h("p", {}, inline(body))],
];

const quote = (body, depth) => h("blockquote", {}, depth < 3 ? markdown(body, depth + 1) : inline(body));

function markdownList(body) {
  const lines = body.replace(/\n$/, "").split(/\n(?= *(?:[-*]|\d{1,9}\.) )/);
  const ordered = /^ *\d/.test(lines[0]);
  const items = lines.map((l) => {
    const [, indent, text] = /^( *)(?:[-*]|\d{1,9}\.) ([\s\S]*)$/.exec(l);
    const item = h("li", {}, inline(text));
    item.style.marginInlineStart = `${Math.min(indent.length, 8) * 0.6}em`;
    return item;
  });
  return h(ordered ? "ol" : "ul", { start: ordered ? parseInt(lines[0], 10) : null }, items);
}

/** [pattern at this place, how to draw what it caught]. Earlier ones win. */
const INLINES = [
  [/\\([^\sA-Za-z0-9])/y, ([c]) => c],
  [/(`{1,2})([\s\S]*?[^`])\1(?!`)/y, ([, code]) => h("code", {}, code.replace(/^ (.*) $/, "$1"))],
  [/<t:(-?\d{1,13})(?::([tTdDfFsSR]))?>/y, ([unix, style]) => timestamp(Number(unix), style ?? "f")],
  [/<@!?(\d+)>/y, ([id]) => mentionUser(id)],
  [/<#(\d+)>/y, ([id]) => mentionChannel(id)],
  [/<@&(\d+)>/y, ([id]) => h("span.mention", {}, `@${state.guild.roles?.find((r) => r.id === id)?.name ?? "role"}`)],
  [/<\/([^:>\n]{1,100}):(\d+)>/y, ([name]) => mentionCommand(name)],
  [/<a?:(\w+):\d+>/y, ([name]) => `:${name}:`],
  [/@(everyone|here)\b/y, ([who]) => h("span.mention", {}, `@${who}`)],
  [/\[((?:\[[^\]\n]*\]|[^[\]\n])+)\]\(<?(https?:\/\/[^\s)>]+)>?(?: +"[^"\n]*")?\)/y, ([body, url], d) => link(url, inline(body, d + 1))],
  [/<?(https?:\/\/[^\s<>]*[^\s<>.,:;"'\])!?])>?/y, ([url]) => link(url, url)],
  [/\*\*\*((?:\\[\s\S]|[^\\])+?)\*\*\*(?!\*)/y, ([body], d) => h("strong", {}, h("em", {}, inline(body, d + 1)))],
  [/\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/y, ([body], d) => h("strong", {}, inline(body, d + 1))],
  [/__((?:\\[\s\S]|[^\\])+?)__(?!_)/y, ([body], d) => h("u", {}, inline(body, d + 1))],
  [/\*(?=\S)((?:\*\*|\\[\s\S]|[^*\\])+?)\*(?!\*)/y, ([body], d) => h("em", {}, inline(body, d + 1))],
  [/(?<!\w)_((?:__|\\[\s\S]|[^\\_])+?)_(?!\w)/y, ([body], d) => h("em", {}, inline(body, d + 1))],
  [/~~(?=\S)((?:\\[\s\S]|[^\\])*?\S)~~/y, ([body], d) => h("s", {}, inline(body, d + 1))],
  [/\|\|([\s\S]+?)\|\|/y, ([body], d) => spoiler(inline(body, d + 1))],
];

/** @returns {(Node|string)[]} */
function inline(text, depth = 0) {
  if (depth > 8) return [text];
  const out = [];
  let plain = "";
  for (let at = 0; at < text.length;) {
    const hit = /[\\`<@[h*_~|]/.test(text[at]) && matchInline(text, at);
    if (!hit) { plain += text[at]; at += 1; continue; }
    out.push(plain, hit.draw(hit.groups, depth));
    plain = "";
    at += hit.length;
  }
  return [...out, plain].filter((n) => n !== "");
}

function matchInline(text, at) {
  for (const [pattern, draw] of INLINES) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) return { draw, groups: found.slice(1), length: found[0].length };
  }
  return null;
}

const plainText = (text) => h("div", {}, markdown(text)).textContent;

function mentionUser(id) {
  const person = state.people.get(id);
  return h("span.mention", { "data-user-id": person && id }, `@${person ? displayName(person) : "unknown-user"}`);
}

function mentionChannel(id) {
  const channel = state.channels.find((c) => c.id === id);
  return channel ? h("a.mention", { href: `#${channel.name}` }, `#${channel.name}`) : h("span.mention", {}, "#No Access");
}

function mentionCommand(name) {
  const run = () => {
    const leaf = leaves().find((l) => l.name === name);
    if (leaf) startCommand(leaf);
    else toast(`You cannot use /${name} here.`);
  };
  return h("button.mention", { type: "button", onclick: run }, `/${name}`);
}

function spoiler(children) {
  const show = () => { el.classList.add("shown"); el.setAttribute("aria-expanded", "true"); };
  const el = h("span.spoiler", { role: "button", tabindex: "0", "aria-label": "Spoiler", "aria-expanded": "false", onclick: show,
    onkeydown: (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); show(); } } }, h("span", {}, children));
  return el;
}

function link(url, children) {
  const href = safeUrl(url);
  return href ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, children) : h("span", {}, children);
}

const safeUrl = (url) => (/^https?:\/\//i.test(url ?? "") ? url : null);

// ───────────────────────────────────────────────────────────────────────────── time

const TIME_STYLES = {
  t: { timeStyle: "short" }, T: { timeStyle: "medium" }, d: { dateStyle: "short" }, D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" }, F: { dateStyle: "full", timeStyle: "short" },
  s: { dateStyle: "short", timeStyle: "short" }, S: { dateStyle: "short", timeStyle: "medium" },
};
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relativeFormat = new Intl.RelativeTimeFormat(locale, { numeric: "always" });

function timestamp(unix, style) {
  const date = new Date(unix * 1000);
  if (Number.isNaN(date.getTime())) return "Invalid date";
  return h("time.timestamp", { datetime: date.toISOString(), title: fullDate(date), "data-unix": unix, "data-style": style },
    style === "R" ? relative(unix) : date.toLocaleString(locale, TIME_STYLES[style]));
}

function relative(unix) {
  const seconds = Math.round(unix - Date.now() / 1000);
  const [unit, size] = UNITS.find(([, s]) => Math.abs(seconds) >= s) ?? UNITS.at(-1);
  return relativeFormat.format(Math.round(seconds / size), unit);
}

function tickTimestamps() {
  for (const el of document.querySelectorAll('time[data-style="R"]')) {
    const text = relative(Number(el.dataset.unix));
    if (el.textContent !== text) el.textContent = text;
  }
}

const clock = (iso) => new Date(iso).toLocaleTimeString(locale, { timeStyle: "short" });
const longDate = (date) => date.toLocaleDateString(locale, { dateStyle: "long" });
const fullDate = (date) => date.toLocaleString(locale, { dateStyle: "full", timeStyle: "short" });

function friendlyTime(date) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  const time = clock(date);
  if (days === 0) return `Today at ${time}`;
  return days === 1 ? `Yesterday at ${time}` : date.toLocaleString(locale, { dateStyle: "short", timeStyle: "short" });
}

// ───────────────────────────────────────────────────────────────────────────── people, and small things

const known = (user) => state.people.get(user?.id) ?? user ?? { id: "0", username: "unknown" };
const displayName = (user) => { const p = known(user); return p.nick ?? p.global_name ?? p.username; };
const roleOf = (user) => { const p = known(user); return p.bot ? "bot" : p.role ?? "member"; };
const roleWord = (user) => ({ bot: "Bot", admin: "Admin", member: "Member" })[roleOf(user)];
const nameRole = (user) => `role-${roleOf(user)}`;
const botPerson = () => [...state.people.values()].find((p) => p.bot) ?? { id: "0", username: "bot", bot: true };
const initials = (name) => name.split(/[\s_-]+/).map((w) => [...w][0] ?? "").join("").slice(0, 2).toUpperCase();
const colour = (number) => `#${number.toString(16).padStart(6, "0")}`;

const bytes = (n) => {
  const [unit, size] = [["MB", 2 ** 20], ["KB", 2 ** 10]].find(([, s]) => n >= s) ?? ["bytes", 1];
  return `${(n / size).toFixed(size > 1 && n / size < 100 ? 2 : 0).replace(/\.00$/, "")} ${unit}`;
};

function avatar(user, size = "") {
  const el = h("span.avatar", { class: size, "aria-hidden": "true" }, initials(displayName(user)));
  el.style.backgroundColor = known(user).avatar_color ?? ["#5865f2", "#3ba55d", "#faa61a", "#ed4245", "#eb459e"][Number(String(user?.id ?? 0).slice(-4)) % 5];
  return el;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

const dots = () => h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i"));

let ids = 0;
const newId = () => `x${(ids += 1)}`;
const newNonce = () => `${Date.now()}${Math.floor(Math.random() * 1e6)}`;

/**
 * Makes an element: h("div.card.wide", {onclick, "aria-label": …}, children…). Null and false children are
 * left out, strings become text nodes: there is no way to pass markup.
 */
function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const el = document.createElement(name);
  el.classList.add(...classes, ...(props.class ?? "").split(" ").filter(Boolean));
  for (const [key, value] of Object.entries(props)) {
    if (key === "class" || value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) el.addEventListener(key.slice(2), value);
    else if (key === "muted") el.muted = value;
    else el.setAttribute(key, value === true ? "" : String(value));
  }
  el.append(...children.flat(Infinity).filter((c) => c || c === 0));
  return el;
}

start();
