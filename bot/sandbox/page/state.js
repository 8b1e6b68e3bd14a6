/**
 * What this window knows: who is looking, the channels, messages and commands, and what is under way.
 *
 * Data only; it draws nothing and asks nobody.
 */

/** @typedef {{id: string, username: string, global_name?: string, nick?: string, avatar_color?: string,
 *             bot?: boolean, locale?: string, premium_type?: number, roles?: string[],
 *             permissions?: Record<string, string>}} Person  permissions are by server */
/** @typedef {{id: string, name: string, color: number, position: number, managed: boolean}} Role */
/** @typedef {{id: string, name: string, type: number, guild_id: string|null, topic?: string, nsfw?: boolean,
 *             position?: number, can_send?: boolean, can_moderate?: boolean,
 *             attachment_size_limit: number}} Channel */
/** @typedef {{id: string, name: string, locale: string, premium_tier: number, roles: Role[],
 *             stickers: {id: string, name: string, format_type: number, url: string}[],
 *             command_permissions: Record<string, Record<string, boolean>>}} Guild  the highest role first */
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

export const FLAG = { EPHEMERAL: 1 << 6, LOADING: 1 << 7, V2: 1 << 15 };
export const CHANNEL = { TEXT: 0, DIRECT: 1 };
export const LOTTIE = 3; // the format of a sticker that is no picture
const FORWARD = 1; // the kind of reference that has a snapshot
export const COMMAND = { SLASH: 1, USER: 2, MESSAGE: 3 };

export const OPTION = {
  SUB: 1,
  GROUP: 2,
  STRING: 3,
  INTEGER: 4,
  BOOLEAN: 5,
  USER: 6,
  CHANNEL: 7,
  ROLE: 8,
  MENTIONABLE: 9,
  NUMBER: 10,
  ATTACHMENT: 11,
};

export const PERMISSION = { MANAGE_GUILD: 1n << 5n, MANAGE_ROLES: 1n << 28n };

export const state = {
  /** @type {Person|null} */ me: null,
  /** @type {Map<string, Person>} those one shares a server with */ people: new Map(),
  /** @type {Map<string, Person>} those who can be played */ everybody: new Map(),
  /** @type {Guild[]} */ guilds: [],
  /** @type {Guild} the open one */ guild: { id: "", name: "", roles: [], stickers: [], command_permissions: {} },
  /** @type {string[]} */ locales: [],
  /** @type {Record<string, boolean>} the developer portal's switches */ portal: {},
  /** @type {Channel[]} */ channels: [],
  /** @type {object[]} */ commands: [],
  /** @type {Map<string, Message[]>} channel id → oldest first */ messages: new Map(),
  /** @type {Channel|null} */ channel: null,
  connected: false,
  botOnline: true,
  /** @type {Map<string, {unread: boolean, mentions: number}>} */ unread: new Map(),
  /** @type {Map<string, number>} user id → until (ms) */ typing: new Map(),
  /** @type {{message: Message, ping: boolean}|null} */ reply: null,
  /** @type {string|null} the message that is being edited */ editing: null,
  /** @type {CommandForm|null} */ command: null,
  /** @type {Map<string, string>} interaction id → nonce */ nonces: new Map(),
  /** @type {Map<string, string>} message id → custom id that was pressed */ pressed: new Map(),
  /** @type {Map<string, string>} message id → why the press failed */ refused: new Map(),
  /** @type {Map<string, string>} channel id → unsent text */ drafts: new Map(),
  /** @type {Map<string, string>} server id → the channel that was open last */ lastIn: new Map(),
};

export const messagesOf = (channelId) => {
  if (!state.messages.has(channelId)) state.messages.set(channelId, []);
  return state.messages.get(channelId);
};

export const messageById = (id) => [...state.messages.values()].flat().find((m) => m.id === id);

/** Says that a message looks different now; the channel draws it again. */
export const messageChanged = (message) =>
  document.dispatchEvent(new CustomEvent("message-changed", { detail: message }));

export const interactionOf = (m) => m.interaction_metadata ?? m.interaction;
export const isForward = (m) => m.message_reference?.type === FORWARD;
export const isDirect = (c) => c.guild_id === null;
export const isV2 = (m) => Boolean(m.flags & FLAG.V2);

export function mentionsMe(message) {
  return (
    message.author.id !== state.me.id &&
    (message.mention_everyone || (message.mentions ?? []).some((u) => u.id === state.me.id))
  );
}

export const channelTitle = (c) => `${isDirect(c) ? "@" : "#"}${c.name}`;
export const channelHref = (c) => `#${c.type === CHANNEL.TEXT ? c.name : c.id}`;
export const channelIcon = (c) => (isDirect(c) ? "people" : c.nsfw ? "warning" : "hash");
