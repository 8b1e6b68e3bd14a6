/**
 * Stickers: in messages, and the picker beside the message box.
 */

import { h, icon } from "./dom.js";
import { closePopover, openPopover } from "./popover.js";
import { LOTTIE, state } from "./state.js";

const ENDINGS = { 1: "png", 2: "png", 3: "json", 4: "gif" };

export const renderStickers = (items) =>
  (items ?? []).map((s) => stickerImage(s, `/stickers/${s.id}.${ENDINGS[s.format_type]}`));

/** Lottie is vectors, not a picture: its name stands in for it. */
const stickerImage = (sticker, url) =>
  sticker.format_type === LOTTIE
    ? h(
        "span.sticker.lottie",
        { role: "img", "aria-label": `Sticker: ${sticker.name}`, "data-sticker": sticker.name },
        icon("sticker"),
        h("small", {}, sticker.name),
      )
    : h("img.sticker", {
        src: url,
        alt: `Sticker: ${sticker.name}`,
        title: sticker.name,
        width: 160,
        height: 160,
        "data-sticker": sticker.name,
      });

/** @param {(sticker: {id: string, name: string}) => void} onPick */
export function openStickers(anchor, onPick) {
  const stickers = state.channel.guild_id ? state.guild.stickers : [];
  const pick = (sticker) => {
    closePopover();
    onPick(sticker);
  };
  const cells = stickers.map((s) =>
    h("button", { type: "button", "aria-label": s.name, onclick: () => pick(s) }, stickerImage(s, s.url)),
  );
  const picker = h(
    "div.popover.sticker-picker",
    { role: "dialog", "aria-label": "Stickers" },
    cells.length ? h("div.sticker-grid", {}, cells) : h("p.popup-note", {}, "There are no stickers here."),
  );
  openPopover(picker, anchor.getBoundingClientRect());
  picker.querySelector("button")?.focus();
}
