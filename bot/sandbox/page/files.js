/**
 * Files that are about to be sent: choosing, previewing, uploading.
 */

import { bytes, h, icon } from "./dom.js";
import { toast } from "./popover.js";
import { ApiError, upload } from "./server.js";
import { state } from "./state.js";

/**
 * A place for files: a drop area with a real file input, and a card with preview for each chosen file.
 * Files are uploaded at once, so that a refusal shows before anything is sent.
 * @param {{label: string, most?: number, fileTypes?: string[], onChange?: () => void}} options
 */
export function fileSlot({ label, most = 1, fileTypes, onChange }) {
  /** @type {{file: File, id: Promise<string>, error: string|null, el: HTMLElement}[]} */
  let entries = [];
  const input = h("input.visually-hidden", {
    type: "file",
    multiple: most > 1,
    "aria-label": label,
    accept: fileTypes?.map((t) => (/[./]/.test(t) ? t : `.${t}`)).join(","),
  });
  const list = h("ul.file-list");
  const drop = h(
    "label.file-drop",
    {},
    input,
    icon("upload"),
    h("strong", {}, label),
    h("small", {}, "Drag, paste or click to choose"),
  );
  const el = h("div.file-slot", {}, drop, list);
  const changed = () => {
    el.classList.toggle("full", entries.length >= most);
    onChange?.();
  };
  const remove = (entry) => {
    entries = entries.filter((e) => e !== entry);
    entry.el.remove();
    changed();
  };
  const add = (files) => {
    const room = [...files].slice(0, Math.max(0, most - (most > 1 ? entries.length : 0)));
    if (most === 1 && room.length) entries.forEach(remove);
    if (room.length < files.length && most > 1) toast(`At most ${most} files.`);
    for (const file of room) {
      const entry = { file, error: tooLarge(file), el: null, id: null };
      entry.id = entry.error ? Promise.reject(new ApiError(entry.error)) : upload(file);
      entry.el = fileCard(file, () => remove(entry));
      entry.id.then(
        () => entry.el.classList.add("uploaded"),
        (error) => failCard(entry, error.message),
      );
      entries.push(entry);
      list.append(entry.el);
    }
    input.value = "";
    changed();
  };
  input.onchange = () => add(input.files);
  return {
    el,
    input,
    add,
    count: () => entries.length,
    files: () => entries.map((e) => e.file),
    ids: () => Promise.all(entries.map((e) => e.id)),
    problem: () => entries.find((e) => e.error)?.error ?? null,
    clear: () => {
      entries.slice().forEach(remove);
    },
  };
}

const tooLarge = (file) =>
  file.size > state.sizeLimit
    ? `Your file is too powerful: ${bytes(file.size)}, and the limit is ${bytes(state.sizeLimit)}.`
    : null;

function failCard(entry, text) {
  entry.error = text;
  entry.el.classList.add("failed");
  entry.el.append(h("p.field-error", { role: "alert" }, text));
}

function fileCard(file, remove) {
  const url = /^(image|video)\//.test(file.type) ? URL.createObjectURL(file) : null;
  const preview =
    url &&
    (file.type.startsWith("image/")
      ? h("img", { src: url, alt: "" })
      : h("video", { src: url, muted: true, preload: "metadata" }));
  return h(
    "li.upload-card",
    { "data-filename": file.name },
    h("div.upload-preview", {}, preview ?? icon("file")),
    h("div.upload-names", {}, h("span", { title: file.name }, file.name), h("small", {}, bytes(file.size))),
    h(
      "button.icon-button.small",
      {
        type: "button",
        "aria-label": `Remove ${file.name}`,
        onclick: () => {
          if (url) URL.revokeObjectURL(url);
          remove();
        },
      },
      icon("trash"),
    ),
  );
}
