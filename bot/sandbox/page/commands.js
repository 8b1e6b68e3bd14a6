/**
 * The commands that the bot registered: who may use them where, and running them.
 */

import { addMessage, removeMessage, updateMessage } from "./channel.js";
import { newNonce } from "./dom.js";
import { openModal } from "./modal.js";
import { botPerson } from "./people.js";
import { interact } from "./server.js";
import { CHANNEL, COMMAND, FLAG, OPTION, state } from "./state.js";

/** @typedef {import("./state.js").Attachment} Attachment */
/** @typedef {import("./state.js").Component} Component */
/** @typedef {import("./state.js").Option} Option */
/** @typedef {import("./state.js").Person} Person */

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

// View, send, embed, attach, history, react, external emoji, application commands: what a plain member may do.
const MEMBER_PERMISSIONS =
  (1n << 10n) | (1n << 11n) | (1n << 14n) | (1n << 15n) | (1n << 16n) | (1n << 6n) | (1n << 18n) | (1n << 31n);

/** "0" is for administrators only; null is for all. */
function isAllowed({ default_member_permissions: needed }) {
  if (needed == null || state.me.role === "admin") return true;
  return needed !== "0" && (BigInt(needed) & ~MEMBER_PERMISSIONS) === 0n;
}

function fitsHere({ contexts, nsfw }) {
  const context = state.channel?.type === CHANNEL.DIRECT ? 1 : 0;
  return (!contexts || contexts.includes(context)) && (!nsfw || state.channel?.nsfw);
}

const canUse = (command) => isAllowed(command) && fitsHere(command);

export const commandsOf = (type) => state.commands.filter((c) => (c.type ?? 1) === type && canUse(c));

/** @returns {Leaf[]} every slash command that can be run, subcommands spelled out */
export function leaves() {
  const expand = (command, node, path) => {
    const subs = (node.options ?? []).filter((o) => o.type === OPTION.SUB || o.type === OPTION.GROUP);
    if (subs.length) return subs.flatMap((s) => expand(command, s, [...path, s.name]));
    return [
      {
        command,
        path,
        name: [command.name, ...path].join(" "),
        description: node.description ?? "",
        options: node.options ?? [],
      },
    ];
  };
  return commandsOf(COMMAND.SLASH)
    .flatMap((c) => expand(c, c, []))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Options as the API nests them: inside their subcommand, inside its group. */
export function nestOptions(leaf, options) {
  const [last, ...outer] = [...leaf.path].reverse();
  if (!last) return options;
  const inner = [{ name: last, type: OPTION.SUB, options }];
  return outer.reduce((nested, name) => [{ name, type: OPTION.GROUP, options: nested }], inner);
}

/**
 * Runs a command of any kind. Until the bot answers, a line of our own stands in for its answer.
 * Throws what the server refuses at once.
 */
export async function runCommand(body, name) {
  const nonce = newNonce();
  const local = {
    id: `local-${nonce}`,
    channel_id: state.channel.id,
    author: botPerson(),
    content: "",
    flags: 0,
    type: 20,
    nonce,
    timestamp: new Date().toISOString(),
    attachments: [],
    embeds: [],
    components: [],
    local: { state: "sending" },
    interaction: { name, user: state.me, kind: body.type },
  };
  addMessage(local);
  const gone = () => removeMessage(local);
  try {
    await interact({ kind: "command", nonce, ...body }, (event) => {
      if (event.state === "failed")
        updateMessage({ ...local, flags: FLAG.EPHEMERAL, local: { state: "failed", reason: event.reason } });
      else if (event.state !== "sent") gone();
      if (event.state === "modal") openModal(event);
    });
  } catch (error) {
    gone();
    throw error;
  }
}
