/**
 * Reactions: the chips under a message, and the picker.
 */

import { h, icon } from "./dom.js";
import { avatar, displayName } from "./people.js";
import { closePopover, openPopover } from "./popover.js";
import { api, tryApi } from "./server.js";
import { showDialog } from "./settings.js";
import { state } from "./state.js";

const QUICK_REACTIONS = ["🎬", "👍", "❤️", "😂", "⏳", "✅", "⚠️"];

export function renderReactions(m) {
  if (!m.reactions?.length) return null;
  const chip = (r) =>
    h(
      "button.reaction",
      {
        type: "button",
        class: r.count_details?.burst ? "burst" : "",
        "aria-pressed": String(Boolean(r.me || r.me_burst)),
        "data-emoji": r.emoji.name,
        "aria-label": `${r.emoji.name} reaction, ${r.count}${r.me || r.me_burst ? ", yours too" : ""}`,
        onclick: () => react(m, r.emoji.name, !(r.me || r.me_burst)),
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

/** Who reacted with what; one's own can be taken back, and by moderators everybody's. */
export async function openReactions(message) {
  const about = { as: state.me.id, channel_id: message.channel_id, message_id: message.id };
  const ask = () => api("GET", `/sandbox/reactions?${new URLSearchParams(about)}`);
  let given = await ask().catch(() => ({}));
  const remove = (emoji, id, redraw) => async () => {
    await tryApi("DELETE", "/sandbox/reactions", { ...about, emoji, user_id: id });
    given = await ask().catch(() => ({}));
    redraw();
  };
  const row = (emoji, id, redraw) => {
    const person = state.people.get(id) ?? { id, username: "Unknown User" };
    const mayRemove = id === state.me.id || state.channel.can_moderate;
    return h(
      "div.reactor",
      {},
      avatar(person),
      h("span", {}, displayName(person)),
      mayRemove &&
        h(
          "button.icon-button.small",
          {
            type: "button",
            "aria-label": `Remove ${emoji} of ${displayName(person)}`,
            onclick: remove(emoji, id, redraw),
          },
          icon("close"),
        ),
    );
  };
  showDialog("Reactions", (redraw) =>
    Object.entries(given).flatMap(([emoji, ids]) => [
      h("h3", {}, h("span.emoji", {}, emoji), ` ${ids.length}`),
      ...ids.map((id) => row(emoji, id, redraw)),
    ]),
  );
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
