/**
 * The form that fills in one slash command.
 */

import { nestOptions, runCommand } from "./commands.js";
import { h, icon } from "./dom.js";
import { hidePopup, popup, popupKey, showPopup } from "./listbox.js";
import { makeField } from "./option.js";
import { avatar, botPerson } from "./people.js";
import { COMMAND, OPTION, state } from "./state.js";
import { descriptionOf, nameOf } from "./words.js";

/** @typedef {import("./option.js").Field} Field */
/** @typedef {import("./commands.js").Leaf} Leaf */

/** The form that fills in one slash command: required options first, optional ones added on demand. */
export class CommandForm {
  /** @param {Leaf} leaf @param {() => void} onClose */
  constructor(leaf, onClose) {
    this.leaf = leaf;
    this.onClose = onClose;
    /** @type {Map<string, Field>} */ this.fields = new Map();
    this.hint = h("div.command-hint", { "aria-live": "polite" });
    this.files = h("div.command-files");
    this.more = h("button.more-options", {
      type: "button",
      "aria-haspopup": "listbox",
      "aria-expanded": "false",
      onclick: () => this.offerOptional(),
    });
    this.more.addEventListener("keydown", popupKey);
    this.more.addEventListener("blur", hidePopup);
    this.error = h("p.form-error", { role: "alert" });
    this.send = h("button.icon-button", { type: "submit", "aria-label": `Send /${leaf.title}` }, icon("send"));
    this.cancel = h(
      "button.icon-button",
      { type: "button", "aria-label": "Cancel command", onclick: () => this.close() },
      icon("close"),
    );
    const line = h(
      "div.command-line",
      {},
      avatar(botPerson(), "tiny"),
      h("span.command-name", {}, `/${leaf.title}`),
      this.more,
    );
    this.el = h(
      "form.command-form",
      {
        "data-command": leaf.name,
        "aria-label": `/${leaf.title}`,
        novalidate: true,
        autocomplete: "off",
        onsubmit: (e) => {
          e.preventDefault();
          this.submit();
        },
        onkeydown: (e) => this.onKey(e),
      },
      h("div.command-head", {}, this.hint, this.cancel),
      h("div.command-body", {}, this.files, line, this.error),
      this.send,
    );
    leaf.options.filter((o) => o.required).forEach((o) => this.add(o));
    this.drawMore();
    this.describe(null);
  }

  add(option) {
    const field = makeField(option, this);
    this.fields.set(option.name, field);
    field.el.addEventListener("focusin", () => this.describe(option));
    if (option.type === OPTION.ATTACHMENT) this.files.append(field.el);
    else this.more.before(field.el);
    this.drawMore();
    return field;
  }

  remove(name) {
    this.fields.get(name).el.remove();
    this.fields.delete(name);
    this.drawMore();
    this.focusNext();
  }

  optional() {
    return this.leaf.options.filter((o) => !this.fields.has(o.name));
  }

  drawMore() {
    const left = this.optional().length;
    this.more.hidden = left === 0;
    this.more.textContent = `+${left} ${this.fields.size ? "more" : "optional"}`;
    this.more.setAttribute("aria-label", `${left} more options`);
  }

  offerOptional() {
    if (popup.owner === this.more) return hidePopup();
    this.more.focus();
    showPopup(
      this.more,
      "Optional",
      this.optional().map((o) => ({ value: o.name, label: nameOf(o), description: descriptionOf(o), option: o })),
      ({ option }) => this.add(option).focus(),
    );
  }

  describe(option) {
    const [name, text] = option
      ? [nameOf(option), descriptionOf(option)]
      : [`/${this.leaf.title}`, this.leaf.description];
    this.hint.replaceChildren(h("strong", {}, name), h("span", {}, text));
  }

  /** The first field that still wants something, or the button that sends. */
  focusNext() {
    const empty = [...this.fields.values()].find((f) => f.isEmpty());
    (empty ?? { focus: () => this.send.focus() }).focus();
  }

  wantsFiles() {
    return this.leaf.options.some((o) => o.type === OPTION.ATTACHMENT);
  }

  takeFiles(files) {
    const wanted = this.leaf.options.filter((o) => o.type === OPTION.ATTACHMENT);
    if (!wanted.length) return false;
    const free = wanted.find((o) => this.fields.get(o.name)?.isEmpty() ?? true) ?? wanted[0];
    (this.fields.get(free.name) ?? this.add(free)).addFiles([...files].slice(0, 1));
    return true;
  }

  onKey(event) {
    if (event.defaultPrevented) return;
    if (event.key === "Escape") {
      event.preventDefault();
      this.escape();
    }
    const chosen = event.target.type === "file" && !this.fields.get(event.target.dataset.option)?.isEmpty();
    if (event.key === "Enter" && chosen) {
      event.preventDefault();
      this.submit();
    }
  }

  /** Leaves an empty form; what was filled in is not thrown away by one key. */
  escape() {
    if ([...this.fields.values()].every((f) => f.isEmpty())) this.close();
    else this.cancel.focus();
  }

  async submit() {
    if (this.sending) return;
    this.error.textContent = "";
    const wrong = [...this.fields.values()].filter((f) => f.showProblem(f.problem()));
    if (wrong.length) return wrong[0].focus();
    this.sending = true;
    try {
      const filled = [...this.fields.values()].filter((f) => !f.isEmpty());
      const options = await Promise.all(
        filled.map(async (f) => ({ name: f.option.name, type: f.option.type, value: await f.value() })),
      );
      await runCommand(
        { type: COMMAND.SLASH, name: this.leaf.command.name, options: nestOptions(this.leaf, options) },
        this.leaf.name,
      );
      this.close();
    } catch (error) {
      this.showErrors(error);
    } finally {
      this.sending = false;
    }
  }

  showErrors(error) {
    const named = Object.entries(error.errors ?? {}).filter(([name]) => this.leaf.options.some((o) => o.name === name));
    for (const [name, text] of named)
      (this.fields.get(name) ?? this.add(this.leaf.options.find((o) => o.name === name))).showProblem(text);
    if (!named.length) this.error.textContent = error.message;
  }

  close() {
    if (state.command !== this) return;
    hidePopup();
    this.onClose();
  }
}
