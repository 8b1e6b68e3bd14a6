/**
 * Forwards: how they look, and where to send one.
 */

import { h, icon } from "./dom.js";
import { renderEmbed } from "./embeds.js";
import { markdown } from "./markdown.js";
import { renderAttachments } from "./media.js";
import { openMenu, toast } from "./popover.js";
import { api } from "./server.js";
import { channelHref, channelIcon, channelTitle, isDirect, state } from "./state.js";
import { renderStickers } from "./stickers.js";
import { friendlyTime } from "./time.js";

export function renderSnapshots(m) {
  return (m.message_snapshots ?? []).map(({ message: s }) => {
    const from = state.channels.find((c) => c.id === m.message_reference.channel_id);
    const source = [from && icon(channelIcon(from)), from?.name, from && " • ", friendlyTime(new Date(s.timestamp))];
    const href = from && `${channelHref(from)}/${m.message_reference.message_id}`;
    return h(
      "div.forwarded",
      {},
      h("div.forwarded-label", {}, icon("forward"), "Forwarded"),
      h("div.forwarded-text", {}, markdown(s.content ?? "")),
      h("div.message-media", {}, renderAttachments(s.attachments), renderStickers(s.sticker_items)),
      h("div.message-embeds", {}, (s.embeds ?? []).map(renderEmbed)),
      href ? h("a.forwarded-source", { href }, source) : h("span.forwarded-source", {}, source),
    );
  });
}

/** Asks for the channel, and forwards a message there. */
export function openForward(message, rect) {
  const serverOf = (c) => state.guilds.find((g) => g.id === c.guild_id)?.name;
  const send = (channel) =>
    api("POST", "/sandbox/forwards", {
      as: state.me.id,
      channel_id: message.channel_id,
      message_id: message.id,
      to: channel.id,
    }).then(
      () => toast(`Forwarded to ${channelTitle(channel)}.`),
      (error) => toast(error.message),
    );
  const channels = state.channels.filter((c) => c.can_send !== false);
  openMenu(
    rect,
    channels.map((c) => ({
      label: isDirect(c) || state.guilds.length === 1 ? channelTitle(c) : `${channelTitle(c)} · ${serverOf(c)}`,
      icon: channelIcon(c),
      attrs: { "data-forward-to": c.name },
      act: () => send(c),
    })),
    "Forward to",
  );
}
