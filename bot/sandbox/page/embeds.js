/**
 * Embeds: the boxes with a coloured bar.
 */

import { colour, h, link } from "./dom.js";
import { headline, markdown } from "./markdown.js";
import { renderMedia, unfurledMedia } from "./media.js";
import { friendlyTime } from "./time.js";

/** Whether a message is nothing but a link whose picture is shown: then only the picture is. */
export const isBareLink = (m) =>
  m.embeds?.length === 1 && m.embeds[0].type === "image" && m.embeds[0].url === m.content?.trim();

export function renderEmbed(e) {
  const bare = { image: e.thumbnail, video: e.video }[e.type];
  return bare ? renderMedia(unfurledMedia({ media: bare })) : renderBox(e);
}

function renderBox(e) {
  const picture = (image, name) =>
    image?.url &&
    h(
      `div.${name}`,
      {},
      renderMedia(unfurledMedia({ media: { content_type: "image/png", ...image }, description: image.description })),
    );
  const box = h(
    "div.embed",
    {},
    h(
      "div.embed-main",
      {},
      e.provider?.name && h("div.embed-provider", {}, e.provider.name),
      e.author?.name &&
        h(
          "div.embed-author",
          {},
          e.author.icon_url && h("img", { src: e.author.icon_url, alt: "" }),
          link(e.author.url, e.author.name),
        ),
      e.title && h("div.embed-title", {}, e.url ? link(e.url, headline(e.title)) : headline(e.title)),
      e.description && h("div.embed-text", {}, markdown(e.description)),
      e.fields?.length > 0 &&
        h(
          "div.embed-fields",
          {},
          e.fields.map((f) =>
            h(
              "div.embed-field",
              { class: f.inline ? "inline" : "" },
              h("div.embed-field-name", {}, headline(f.name)),
              h("div.embed-text", {}, markdown(f.value)),
            ),
          ),
        ),
    ),
    picture(e.thumbnail, "embed-thumbnail"),
    picture(e.image, "embed-image"),
    renderEmbedFooter(e),
  );
  if (e.color != null) box.style.setProperty("--accent", colour(e.color));
  return box;
}

function renderEmbedFooter({ footer, timestamp }) {
  const text = [footer?.text, timestamp && friendlyTime(new Date(timestamp))].filter(Boolean).join(" • ");
  return text && h("div.embed-footer", {}, footer?.icon_url && h("img", { src: footer.icon_url, alt: "" }), text);
}
