/**
 * Reactions: the chips under a message, and the picker.
 */

import { h, icon } from "./dom.js";
import { closePopover, openPopover } from "./popover.js";
import { tryApi } from "./server.js";
import { state } from "./state.js";

const QUICK_REACTIONS = ["🎬", "👍", "❤️", "😂", "⏳", "✅", "⚠️"];

export function renderReactions(m) {
  if (!m.reactions?.length) return null;
  const chip = (r) =>
    h(
      "button.reaction",
      {
        type: "button",
        "aria-pressed": String(Boolean(r.me)),
        "data-emoji": r.emoji.name,
        "aria-label": `${r.emoji.name} reaction, ${r.count}${r.me ? ", yours too" : ""}`,
        onclick: () => react(m, r.emoji.name, !r.me),
      },
      h("span.emoji", {}, r.emoji.name),
      h("span.count", {}, String(r.count)),
    );
  return [
    ...m.reactions.map(chip),
    h(
      "button.reaction.add",
      { type: "button", "aria-label": "Add another reaction", onclick: (e) => openReactionPicker(m, e.currentTarget) },
      icon("react"),
    ),
  ];
}

function react(message, emoji, on) {
  return tryApi(on ? "PUT" : "DELETE", "/sandbox/reactions", {
    as: state.me.id,
    channel_id: message.channel_id,
    message_id: message.id,
    emoji,
  });
}

export function openReactionPicker(message, anchor) {
  const choose = (emoji) => {
    closePopover();
    if (emoji) react(message, emoji, true);
  };
  const other = h("input", { type: "text", "aria-label": "Another emoji", placeholder: "Any emoji", maxlength: "16" });
  const picker = h(
    "div.popover.emoji-picker",
    { role: "dialog", "aria-label": "Add a reaction" },
    h(
      "div.emoji-grid",
      {},
      QUICK_REACTIONS.map((emoji) =>
        h("button", { type: "button", "aria-label": `React with ${emoji}`, onclick: () => choose(emoji) }, emoji),
      ),
    ),
    h(
      "form",
      {
        onsubmit: (e) => {
          e.preventDefault();
          choose(other.value.trim());
        },
      },
      other,
      h("button.button.primary", { type: "submit" }, "React"),
    ),
  );
  openPopover(picker, anchor.getBoundingClientRect());
  picker.querySelector("button").focus();
}
