/**
 * The commands that the bot registered: who may use them where, and running them.
 */

import { addMessage, removeMessage, updateMessage } from "./channel.js";
import { newNonce } from "./dom.js";
import { openModal } from "./modal.js";
import { botPerson } from "./people.js";
import { interact } from "./server.js";
import { COMMAND, FLAG, OPTION, state } from "./state.js";
import { descriptionOf, titleOf } from "./words.js";

/** @typedef {import("./state.js").Option} Option */

/** @typedef {{command: object, path: string[], name: string, title: string, description: string, options: Option[]}} Leaf
 *           `title` is the name as the one who is looking reads it. A command that can be run: "/animate", or one subcommand such as "/quota set". */

/** The server says where each command may be used: it knows the permissions. */
const canUse = (command) => command.usable_in.includes(state.channel?.id);

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
        title: titleOf([command.name, ...path].join(" ")),
        description: descriptionOf(node),
        options: node.options ?? [],
      },
    ];
  };
  return commandsOf(COMMAND.SLASH)
    .flatMap((c) => expand(c, c, []))
    .sort((a, b) => a.title.localeCompare(b.title));
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
