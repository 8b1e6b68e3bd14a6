/**
 * Modals: the forms that a bot answers an interaction with.
 */

import { $, h, icon, newId } from "./dom.js";
import { FileSlot } from "./files.js";
import { markdown } from "./markdown.js";
import { avatar, botPerson, displayName } from "./people.js";
import { selectControl } from "./select.js";
import { interact } from "./server.js";

/** @typedef {import("./state.js").Component} Component */

const TYPE = { TEXT: 10, LABEL: 18, RADIO_GROUP: 21, CHECKBOX_GROUP: 22, CHECKBOX: 23 };
const PARAGRAPH = 2; // the style of a text input with several lines
const REQUIRED = "This field is required.";

/** @typedef {{el: HTMLElement, problem: () => string|null, answer: () => Promise<Component>|Component,
 *             customId?: string, focus?: HTMLElement}} Control  one component of a modal */

/** Shows the modal that an interaction was answered with. @param {object} event INTERACTION, state "modal" */
export const openModal = (event) => new Modal(event).show();

class Modal {
  constructor({ interaction_id: interactionId, modal }) {
    this.interactionId = interactionId;
    this.modal = modal;
    this.dialog = $("modal");
    this.rows = modal.components.map(modalRow);
    this.error = h("p.form-error", { role: "alert" });
    this.button = h("button.button.primary", { type: "submit" }, "Submit");
  }

  show() {
    const send = (event) => {
      event.preventDefault();
      this.submit();
    };
    const form = h(
      "form",
      { novalidate: true, autocomplete: "off", "data-custom-id": this.modal.custom_id, onsubmit: send },
      this.#header(),
      this.#body(),
      this.#footer(),
    );
    this.dialog.replaceChildren(form);
    this.dialog.showModal();
    (this.rows.find((r) => r.focus)?.focus ?? this.button).focus();
  }

  async submit() {
    this.error.textContent = "";
    const wrong = this.rows.filter((r) => r.showProblem(r.problem()));
    if (wrong.length) return wrong[0].focus?.focus();
    this.#busy(true);
    try {
      const components = await Promise.all(this.rows.map((r) => r.answer()));
      const form = { interaction_id: this.interactionId, custom_id: this.modal.custom_id, components };
      await interact({ kind: "modal", ...form }, (event) => this.#follow(event));
    } catch (refusal) {
      this.#fail(refusal.message);
      this.rows.forEach((r) => r.showProblem(refusal.errors?.[r.customId] ?? null));
    }
  }

  #follow({ state }) {
    if (state === "failed") this.#fail("Something went wrong. Try again.");
    else if (state !== "sent") this.dialog.close();
  }

  #fail(text) {
    this.#busy(false);
    this.error.textContent = text;
  }

  #busy(on) {
    this.button.disabled = on;
    this.button.classList.toggle("busy", on);
  }

  #closing(tag, props, child) {
    return h(tag, { type: "button", onclick: () => this.dialog.close(), ...props }, child);
  }

  #header() {
    const title = h("h2", { id: "modal-title" }, this.modal.title);
    const close = this.#closing("button.icon-button", { "aria-label": "Close" }, icon("close"));
    return h("header", {}, avatar(botPerson()), title, close);
  }

  #body() {
    const warning = `This form goes to ${displayName(botPerson())}. Do not share passwords or other secrets.`;
    const note = h("p.modal-note", {}, icon("warning"), warning);
    return h("div.modal-body", {}, note, ...this.rows.map((r) => r.el));
  }

  #footer() {
    return h("footer", {}, this.error, this.#closing("button.button.plain", {}, "Cancel"), this.button);
  }
}

/** A top-level component of a modal: text, a label around a control, or the older action row. */
function modalRow(c) {
  if (c.type === TYPE.TEXT) {
    const el = h("div.text-display", {}, markdown(c.content));
    return { el, answer: () => ({ type: c.type, id: c.id }), problem: () => null, showProblem: () => null };
  }
  const inner = c.type === TYPE.LABEL ? c.component : c.components[0];
  const answer = async (control) =>
    c.type === TYPE.LABEL
      ? { type: c.type, id: c.id, component: await control.answer() }
      : { type: c.type, components: [await control.answer()] };
  return labelled(c.label ?? inner.label, c.description, inner, answer);
}

/** A control under its label, with room for what is wrong with it. */
function labelled(label, description, inner, answer) {
  const id = newId();
  const control = (MODAL_CONTROLS[inner.type] ?? textControl)(inner, id, label);
  const group = [TYPE.RADIO_GROUP, TYPE.CHECKBOX_GROUP].includes(inner.type);
  const star = isRequired(inner) && h("span.required", { "aria-hidden": "true" }, " *");
  const problem = h("p.field-error", { role: "alert", id: `${id}-error` });
  const el = h(
    "div.modal-row",
    { "data-custom-id": inner.custom_id, role: group ? "group" : null, "aria-label": group ? label : null },
    h(group ? "div.modal-label" : "label.modal-label", { for: group ? null : id }, label, star),
    description && h("p.modal-hint", { id: `${id}-hint` }, description),
    control.el,
    problem,
  );
  control.focus?.setAttribute("aria-describedby", `${description ? `${id}-hint ` : ""}${id}-error`);
  const showProblem = (text) => {
    problem.textContent = text ?? "";
    el.classList.toggle("invalid", Boolean(text));
    return text;
  };
  for (const change of ["input", "click"]) el.addEventListener(change, () => showProblem(null));
  return { ...control, el, customId: inner.custom_id, showProblem, answer: () => answer(control) };
}

const isRequired = (c) => c.type !== TYPE.CHECKBOX && c.required !== false;
const submitted = (c, more) => ({ type: c.type, id: c.id, custom_id: c.custom_id, ...more });

/** @type {Record<number, (c: Component, id: string, label: string) => Control>} */
const MODAL_CONTROLS = {
  4: textControl,
  3: modalSelect,
  5: modalSelect,
  6: modalSelect,
  7: modalSelect,
  8: modalSelect,
  19: fileControl,
  21: choiceControl,
  22: choiceControl,
  23: checkboxControl,
};

function textControl(c, id) {
  const input = h(c.style === PARAGRAPH ? "textarea" : "input", {
    id,
    type: c.style === PARAGRAPH ? null : "text",
    rows: c.style === PARAGRAPH ? "4" : null,
    placeholder: c.placeholder,
    maxlength: c.max_length,
    required: isRequired(c),
    "data-custom-id": c.custom_id,
  });
  input.value = c.value ?? "";
  return {
    el: input,
    focus: input,
    answer: () => submitted(c, { value: input.value }),
    problem: () => lengthProblem(input.value, c),
  };
}

function modalSelect(c, id, label) {
  const select = selectControl(c, { label });
  select.el.id = id;
  return {
    el: select.el,
    focus: select.el,
    answer: () => submitted(c, { values: select.values() }),
    problem: () => countProblem(select.values().length, c),
  };
}

function fileControl(c, id, label) {
  const slot = new FileSlot({ label, most: c.max_values ?? 1, fileTypes: c.file_types });
  slot.el.classList.add("takes-drops");
  slot.el.addFiles = (files) => slot.add(files);
  return {
    el: slot.el,
    focus: slot.input,
    answer: async () => submitted(c, { values: await slot.ids() }),
    problem: () => slot.problem() ?? countProblem(slot.count(), c),
  };
}

function choiceControl(c) {
  const many = c.type === TYPE.CHECKBOX_GROUP;
  const name = newId();
  const inputs = c.options.map((o) =>
    h("input", { type: many ? "checkbox" : "radio", name, value: o.value, checked: o.default }),
  );
  const chosen = () => inputs.filter((i) => i.checked).map((i) => i.value);
  const el = h(
    "div.choices",
    { role: many ? null : "radiogroup" },
    c.options.map((o, i) =>
      h("label.choice", {}, inputs[i], h("span", {}, o.label, o.description && h("small", {}, o.description))),
    ),
  );
  return {
    el,
    focus: inputs[0],
    answer: () => submitted(c, many ? { values: chosen() } : { value: chosen()[0] ?? null }),
    problem: () => countProblem(chosen().length, many ? { max_values: c.options.length, ...c } : c),
  };
}

function checkboxControl(c, id) {
  const input = h("input", { type: "checkbox", id, checked: c.default });
  return { el: input, focus: input, problem: () => null, answer: () => submitted(c, { value: input.checked }) };
}

function lengthProblem(text, c) {
  if (!text.trim()) return isRequired(c) ? REQUIRED : null;
  return text.length < (c.min_length ?? 0) ? `Must be at least ${c.min_length} characters.` : null;
}

function countProblem(count, { min_values: least = 1, max_values: most = 1, ...c }) {
  if (count === 0) return isRequired(c) && least > 0 ? REQUIRED : null;
  if (count < least) return `Choose at least ${least}.`;
  return count > most ? `Choose at most ${most}.` : null;
}
