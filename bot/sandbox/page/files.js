/**
 * Files that are about to be sent: choosing, previewing, uploading.
 */

import { bytes, h, icon } from "./dom.js";
import { toast } from "./popover.js";
import { ApiError, upload } from "./server.js";
import { state } from "./state.js";

/** @typedef {{file: File, id: Promise<string>, error: string|null, el: HTMLElement}} Entry */

/**
 * A place for files: a drop area with a real file input, and a card with preview for each chosen file.
 * Files are uploaded at once, so that a refusal shows before anything is sent.
 */
export class FileSlot {
  /** @type {Entry[]} */
  #entries = [];

  /** @param {{label: string, most?: number, fileTypes?: string[], onChange?: () => void}} options */
  constructor({ label, most = 1, fileTypes, onChange }) {
    this.most = most;
    this.onChange = onChange;
    this.input = h("input.visually-hidden", {
      type: "file",
      multiple: most > 1,
      "aria-label": label,
      accept: fileTypes?.map((t) => (/[./]/.test(t) ? t : `.${t}`)).join(","),
      onchange: () => this.add(this.input.files),
    });
    const words = [h("strong", {}, label), h("small", {}, "Drag, paste or click to choose")];
    this.list = h("ul.file-list");
    this.el = h("div.file-slot", {}, h("label.file-drop", {}, this.input, icon("upload"), words), this.list);
  }

  count() {
    return this.#entries.length;
  }

  files() {
    return this.#entries.map((e) => e.file);
  }

  /** The ids of the uploaded files. Rejects with the first refusal. */
  ids() {
    return Promise.all(this.#entries.map((e) => e.id));
  }

  /** Why one of the files cannot be sent, or null. */
  problem() {
    return this.#entries.find((e) => e.error)?.error ?? null;
  }

  /** Takes as many as fit; where only one fits, a new one replaces it. */
  add(files) {
    if (this.most === 1 && files.length) this.clear();
    const taken = [...files].slice(0, this.most - this.count());
    if (taken.length < files.length && this.most > 1) toast(`At most ${this.most} files.`);
    taken.forEach((file) => this.#take(file));
    this.input.value = "";
    this.#changed();
  }

  clear() {
    [...this.#entries].forEach((entry) => this.#remove(entry));
  }

  #take(file) {
    const error = tooLarge(file);
    const entry = { file, error, id: error ? Promise.reject(new ApiError(error)) : upload(file), el: null };
    entry.el = fileCard(file, () => this.#remove(entry));
    entry.id.then(
      () => entry.el.classList.add("uploaded"),
      (refusal) => failCard(entry, refusal.message),
    );
    this.#entries.push(entry);
    this.list.append(entry.el);
  }

  #remove(entry) {
    this.#entries = this.#entries.filter((e) => e !== entry);
    entry.el.remove();
    this.#changed();
  }

  #changed() {
    this.el.classList.toggle("full", this.count() >= this.most);
    this.onChange?.();
  }
}

const tooLarge = (file) =>
  file.size > state.channel.attachment_size_limit
    ? `Your file is too powerful: ${bytes(file.size)}, and the limit is ${bytes(state.channel.attachment_size_limit)}.`
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
    (file.type.startsWith("image/") ? h("img", { src: url, alt: "" }) : h("video", { src: url, preload: "metadata" }));
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
