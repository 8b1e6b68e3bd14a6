/**
 * What this window knows: who is looking, the channels, messages and commands, and what is under way.
 *
 * Data only; it draws nothing and asks nobody.
 */

/** @typedef {{id: string, username: string, global_name?: string, nick?: string, avatar_color?: string,
 *             bot?: boolean, roles?: string[], permissions?: string}} Person */
/** @typedef {{id: string, name: string, color: number, position: number, managed: boolean}} Role */
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

export const FLAG = { EPHEMERAL: 1 << 6, LOADING: 1 << 7, V2: 1 << 15 };
export const CHANNEL = { TEXT: 0, DIRECT: 1 };
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

export const PERMISSION = { MANAGE_MESSAGES: 1n << 13n, MANAGE_ROLES: 1n << 28n };

export const state = {
  /** @type {Person|null} */ me: null,
  /** @type {Map<string, Person>} */ people: new Map(),
  /** @type {{id: string, name: string, roles: Role[]}} the highest role first */ guild: { id: "", name: "", roles: [] },
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
  /** @type {Map<string, string>} interaction id → nonce */ nonces: new Map(),
  /** @type {Map<string, string>} message id → custom id that was pressed */ pressed: new Map(),
  /** @type {Map<string, string>} message id → why the press failed */ refused: new Map(),
  /** @type {Map<string, string>} channel id → unsent text */ drafts: new Map(),
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
export const isV2 = (m) => Boolean(m.flags & FLAG.V2);

export function mentionsMe(message) {
  return (
    message.author.id !== state.me.id &&
    (message.mention_everyone || (message.mentions ?? []).some((u) => u.id === state.me.id))
  );
}

export const channelTitle = (c) => `${c.type === CHANNEL.DIRECT ? "@" : "#"}${c.name}`;
export const channelHref = (c) => `#${c.type === CHANNEL.TEXT ? c.name : c.id}`;
export const channelIcon = (c) => (c.type === CHANNEL.DIRECT ? "people" : c.nsfw ? "warning" : "hash");
