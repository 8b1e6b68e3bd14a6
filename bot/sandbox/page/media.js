/**
 * Pictures, clips and other files in messages. Their boxes have their final size from the start.
 */

import { $, bytes, h, icon, safeUrl } from "./dom.js";

/** @typedef {import("./state.js").Attachment} Attachment */

/** @typedef {{url: string, name: string, kind: string, width?: number, height?: number, size?: number,
 *             description?: string, spoiler?: boolean}} Media */

const MEDIA_WIDTH = 550; // the largest box that a picture or video takes in a message
const MEDIA_HEIGHT = 350;
const IS_SPOILER = 1 << 3; // the flag of a file that is hidden until it is asked for
const PREVIEW_BYTES = 10_000; // of a text, as much as is shown in a message

/** @param {Attachment} a @returns {Media} */
const attachmentMedia = (a) => ({
  url: safeUrl(a.url) ?? "",
  name: a.filename,
  kind: mediaKind(a.content_type, a.filename),
  width: a.width,
  height: a.height,
  size: a.size,
  description: a.description,
  spoiler: a.filename.startsWith("SPOILER_") || Boolean(a.flags & IS_SPOILER),
});

function lastPart(url) {
  const part = url.split("?")[0].split("/").pop();
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray percent sign
  }
}

/** A component's or embed's media object. */
export const unfurledMedia = ({ media, ...item }) => {
  const name = lastPart(media.url);
  return {
    url: safeUrl(media.proxy_url ?? media.url) ?? "",
    name,
    kind: mediaKind(media.content_type, name),
    width: media.width,
    height: media.height,
    description: item.description,
    spoiler: item.spoiler,
    size: item.size,
  };
};

function mediaKind(contentType, name) {
  const ending = name.toLowerCase().split(".").pop();
  if (/^image\/(?!svg)/.test(contentType ?? "") || (!contentType && /^(png|jpe?g|gif|webp|avif)$/.test(ending)))
    return "image";
  if (/^video\//.test(contentType ?? "") || /^(mp4|webm|mov|m4v)$/.test(ending)) return "video";
  if (/^text\//.test(contentType ?? "")) return "text";
  return /^audio\//.test(contentType ?? "") ? "audio" : "file";
}

export function renderAttachments(attachments) {
  const media = (attachments ?? []).map(attachmentMedia);
  const images = media.filter((m) => m.kind === "image");
  const others = media.filter((m) => m.kind !== "image");
  return [images.length > 1 ? renderMosaic(images) : images.map(renderMedia), others.map(renderMedia)].flat();
}

export const renderMosaic = (list) =>
  h("div.mosaic", { "data-count": Math.min(list.length, 4) }, list.map(renderMedia));

/** @param {Media} media */
export function renderMedia(media) {
  const draw = { image: renderImage, video: renderVideo, audio: renderAudio, text: renderText, file: renderFile }[media.kind];
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
  const image = h("img", {
    src: media.url,
    alt: media.description ?? "",
    loading: "lazy",
    width: media.width,
    height: media.height,
  });
  const button = h(
    "button.media.image",
    {
      type: "button",
      "data-filename": media.name,
      "aria-label": `Open picture: ${media.description || media.name}`,
      onclick: () => openLightbox(media),
    },
    image,
    media.description && h("span.alt-badge", { title: media.description, "aria-hidden": "true" }, "ALT"),
  );
  image.onerror = () => button.replaceWith(renderFile(media));
  return reserve(button, media);
}

function renderVideo(media) {
  const path = media.url.split("?")[0];
  const old = [...$("messages").querySelectorAll("video")].find((v) => v.dataset.path === path && !v.error);
  if (old) return old.closest("figure");
  const video = h("video", {
    src: media.url,
    controls: true,
    playsinline: true,
    preload: "metadata",
    "data-path": path,
    "aria-label": media.description || media.name,
    title: media.description,
  });
  const figure = reserve(h("figure.media.video", { "data-filename": media.name }, video), media, 300);
  video.onerror = () => figure.replaceWith(renderFile(media));
  return figure;
}

const renderAudio = (media) =>
  h("div.file-card.audio", {}, fileNames(media), h("audio", { src: media.url, controls: true, preload: "metadata" }));

/** The beginning of a text above its file card, a few lines until more is asked for. */
function renderText(media) {
  const code = h("code", {}, "…");
  const flip = () => {
    const open = box.classList.toggle("expanded");
    expand.textContent = open ? "Collapse" : "Expand";
    expand.setAttribute("aria-expanded", String(open));
  };
  const expand = h("button.link-button", { type: "button", "aria-expanded": "false", onclick: flip }, "Expand");
  const box = h(
    "div.text-file",
    {},
    h("pre", { tabindex: "0", "aria-label": `Beginning of ${media.name}` }, code),
    renderFile(media, expand),
  );
  fetch(media.url, { headers: { Range: `bytes=0-${PREVIEW_BYTES - 1}` } })
    .then((response) => (response.ok ? response.text() : Promise.reject(response.status)))
    .then((text) => {
      code.textContent = text + (media.size > PREVIEW_BYTES ? "…" : "");
      expand.hidden = text.trim().split("\n").length <= 5;
    })
    .catch(() => box.replaceWith(renderFile(media)));
  return box;
}

const renderFile = (media, more) =>
  h(
    "div.file-card",
    { "data-filename": media.name },
    icon("file"),
    fileNames(media),
    more,
    h(
      "a.icon-button",
      {
        href: media.url,
        download: media.name,
        target: "_blank",
        rel: "noopener noreferrer",
        "aria-label": `Download ${media.name}`,
      },
      icon("download"),
    ),
  );

const fileNames = (media) =>
  h(
    "span.file-names",
    {},
    h("a", { href: media.url, target: "_blank", rel: "noopener noreferrer" }, media.name),
    h("small", {}, media.size ? bytes(media.size) : (media.description ?? "")),
  );

export function hideBehindSpoiler(node) {
  const cover = h(
    "button.spoiler-cover",
    { type: "button", "aria-label": "Show spoiler", onclick: () => cover.parentNode.classList.add("shown") },
    h("span", {}, "Spoiler"),
  );
  const box = h("div.spoiler-box", {}, node, cover);
  box.style.width = node.style.width;
  return box;
}

/** Runs a change of the page; videos that were playing before and are still there go on. */
export function keepPlaying(part, change) {
  const playing = [...part.querySelectorAll("video")].filter((v) => !v.paused);
  change();
  playing.filter((v) => v.isConnected).forEach((v) => v.play().catch(() => {}));
}

function openLightbox(media) {
  const box = $("lightbox");
  box.replaceChildren(
    h("img", { src: media.url, alt: media.description ?? "", width: media.width, height: media.height }),
    h(
      "p",
      {},
      media.description ? `${media.description} · ` : "",
      h("a", { href: media.url, target: "_blank", rel: "noopener noreferrer" }, "Open in browser"),
    ),
    h(
      "button.icon-button.lightbox-close",
      { type: "button", "aria-label": "Close", onclick: () => box.close() },
      icon("close"),
    ),
  );
  box.onclick = (e) => {
    if (e.target === box) box.close();
  };
  box.showModal();
}
