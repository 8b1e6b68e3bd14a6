/**
 * Files that are about to be sent: choosing, previewing, uploading.
 */

import { $, bytes, h, icon } from "./dom.js";
import { toast } from "./popover.js";
import { ApiError, upload } from "./server.js";
import { state } from "./state.js";

/** @typedef {{file: File, id: Promise<string>, error: string|null, el: HTMLElement, spoiler: boolean,
 *             description: string}} Entry */

/**
 * A place for files: a drop area with a real file input, and a card with preview for each chosen file.
 * Files are uploaded at once, so that a refusal shows before anything is sent.
 */
export class FileSlot {
  /** @type {Entry[]} */
  #entries = [];

  /** @param {{label: string, most?: number, fileTypes?: string[], onChange?: () => void,
   *           forMessage?: boolean}} options  files of a message can be spoilers and have alt texts */
  constructor({ label, most = 1, fileTypes, onChange, forMessage = false }) {
    this.most = most;
    this.forMessage = forMessage;
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

  /** The files as a message takes them. Rejects with the first refusal. */
  attachments() {
    const one = async ({ id, spoiler, description }) => ({ id: await id, spoiler, description });
    return Promise.all(this.#entries.map(one));
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
    const id = error ? Promise.reject(new ApiError(error)) : upload(file);
    const entry = { file, error, id, el: null, spoiler: false, description: "" };
    entry.el = fileCard(file, () => this.#remove(entry), this.forMessage && messageTools(entry));
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

/** What can be said of a file in a message: that it is a spoiler, and what it shows. */
function messageTools(entry) {
  const name = entry.file.name;
  const spoiler = h(
    "button.icon-button.small",
    {
      type: "button",
      "aria-label": `Spoiler: ${name}`,
      "aria-pressed": "false",
      title: "Mark as spoiler",
      onclick: () => {
        entry.spoiler = !entry.spoiler;
        spoiler.setAttribute("aria-pressed", String(entry.spoiler));
        entry.el.classList.toggle("spoiler-card", entry.spoiler);
      },
    },
    icon("eye"),
  );
  const describe = h(
    "button.icon-button.small",
    {
      type: "button",
      "aria-label": `Describe ${name}`,
      title: "Add a description (alt text)",
      onclick: () => askForDescription(entry, () => describe.classList.toggle("set", Boolean(entry.description))),
    },
    icon("edit"),
  );
  return [spoiler, describe];
}

function askForDescription(entry, done) {
  const dialog = $("confirm");
  const box = h("textarea", { rows: "3", maxlength: "1024", "aria-label": "Description (alt text)" });
  const save = (event) => {
    event.preventDefault();
    entry.description = box.value.trim();
    dialog.close();
    done();
  };
  box.value = entry.description;
  const form = h(
    "form",
    { onsubmit: save },
    h("h2", { id: "confirm-title" }, "Description"),
    h("p", {}, "For people who cannot see the picture."),
    box,
    h(
      "footer",
      {},
      h("button.button.plain", { type: "button", onclick: () => dialog.close() }, "Cancel"),
      h("button.button.primary", { type: "submit" }, "Save"),
    ),
  );
  dialog.replaceChildren(form);
  dialog.showModal();
  box.focus();
}

function fileCard(file, remove, tools) {
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
      "div.upload-tools",
      {},
      tools,
      h(
        "button.icon-button.small.remove",
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
    ),
  );
}
