/**
 * Modals: the forms that a bot answers an interaction with.
 */

import { $, h, icon, newId } from "./dom.js";
import { fileSlot } from "./files.js";
import { markdown } from "./markdown.js";
import { avatar, botPerson, displayName } from "./people.js";
import { selectControl } from "./select.js";
import { interact } from "./server.js";

/** @typedef {import("./state.js").Component} Component */

/** @typedef {{el: HTMLElement, problem: () => string|null, answer: () => Promise<Component>|Component,
 *             customId?: string, focus?: HTMLElement}} Control  one component of a modal */

/** Shows the modal that an interaction was answered with. @param {object} event INTERACTION, state "modal" */
export function openModal({ interaction_id: interactionId, modal }) {
  const dialog = $("modal");
  const bot = botPerson();
  const controls = modal.components.map(modalRow);
  const error = h("p.form-error", { role: "alert" });
  const submit = h("button.button.primary", { type: "submit" }, "Submit");
  const form = h(
    "form",
    {
      novalidate: true,
      autocomplete: "off",
      "data-custom-id": modal.custom_id,
      onsubmit: (e) => {
        e.preventDefault();
        submitModal();
      },
    },
    h(
      "header",
      {},
      avatar(bot),
      h("h2", { id: "modal-title" }, modal.title),
      h("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close")),
    ),
    h(
      "div.modal-body",
      {},
      h(
        "p.modal-note",
        {},
        icon("warning"),
        `This form goes to ${displayName(bot)}. Do not share passwords or other secrets.`,
      ),
      controls.map((c) => c.el),
    ),
    h(
      "footer",
      {},
      error,
      h("button.button.plain", { type: "button", onclick: () => dialog.close() }, "Cancel"),
      submit,
    ),
  );

  const busy = (on) => {
    submit.disabled = on;
    submit.classList.toggle("busy", on);
  };
  async function submitModal() {
    error.textContent = "";
    const wrong = controls.filter((c) => c.showProblem(c.problem?.() ?? null));
    if (wrong.length) return wrong[0].focus?.focus();
    busy(true);
    try {
      const components = await Promise.all(controls.map((c) => c.answer()));
      await interact(
        { kind: "modal", interaction_id: interactionId, custom_id: modal.custom_id, components },
        (answer) => {
          if (answer.state === "failed") {
            busy(false);
            error.textContent = "Something went wrong. Try again.";
          } else if (answer.state !== "sent") dialog.close();
        },
      );
    } catch (problem) {
      busy(false);
      error.textContent = problem.message;
      controls.forEach((c) => c.showProblem(problem.errors?.[c.customId] ?? null));
    }
  }
  dialog.replaceChildren(form);
  dialog.showModal();
  (controls.find((c) => c.focus)?.focus ?? submit).focus();
}

/** A top-level component of a modal: text, a label around a control, or the older action row. */
function modalRow(c) {
  if (c.type === 10)
    return {
      el: h("div.text-display", {}, markdown(c.content)),
      answer: () => ({ type: 10, id: c.id }),
      showProblem: () => false,
    };
  const inner = c.type === 18 ? c.component : c.components[0];
  const id = newId();
  const control = (MODAL_CONTROLS[inner.type] ?? textControl)(inner, id);
  const grouped = [21, 22].includes(inner.type);
  const label = c.type === 18 ? c.label : inner.label;
  const problem = h("p.field-error", { role: "alert", id: `${id}-error` });
  control.focus?.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  if (inner.type !== 23 && !grouped && control.focus?.tagName !== "BUTTON")
    control.focus?.setAttribute("aria-label", label);
  const el = h(
    "div.modal-row",
    { "data-custom-id": inner.custom_id, role: grouped ? "group" : null, "aria-label": grouped ? label : null },
    h(
      "label.modal-label",
      { for: grouped ? null : id },
      label,
      isRequired(inner) && h("span.required", { "aria-hidden": "true" }, " *"),
    ),
    c.description && h("p.modal-hint", { id: `${id}-hint` }, c.description),
    control.el,
    problem,
  );
  const showProblem = (text) => {
    problem.textContent = text ?? "";
    el.classList.toggle("invalid", Boolean(text));
    return text;
  };
  for (const change of ["input", "click"]) el.addEventListener(change, () => showProblem(null));
  return {
    ...control,
    el,
    customId: inner.custom_id,
    showProblem,
    answer: async () =>
      c.type === 18
        ? { type: 18, id: c.id, component: await control.answer() }
        : { type: 1, components: [await control.answer()] },
  };
}

const isRequired = (c) => c.type !== 23 && c.required !== false;
const reply = (c, more) => ({ type: c.type, id: c.id, custom_id: c.custom_id, ...more });

/** @type {Record<number, (c: Component, id: string) => Control>} */
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
  const input = h(c.style === 2 ? "textarea" : "input", {
    id,
    type: c.style === 2 ? null : "text",
    rows: c.style === 2 ? "4" : null,
    placeholder: c.placeholder,
    maxlength: c.max_length,
    required: isRequired(c),
    "data-custom-id": c.custom_id,
  });
  input.value = c.value ?? "";
  return {
    el: input,
    focus: input,
    answer: () => reply(c, { value: input.value }),
    problem: () => {
      if (isRequired(c) && !input.value.trim()) return "This field is required.";
      return input.value && input.value.length < (c.min_length ?? 0)
        ? `Must be at least ${c.min_length} characters.`
        : null;
    },
  };
}

function modalSelect(c, id) {
  const select = selectControl(c);
  select.el.id = id;
  return {
    el: select.el,
    focus: select.el,
    answer: () => reply(c, { values: select.values() }),
    problem: () => countProblem(select.values().length, c),
  };
}

function fileControl(c) {
  const slot = fileSlot({ label: "Choose files", most: c.max_values ?? 1, fileTypes: c.file_types });
  slot.el.classList.add("takes-drops");
  slot.el.addFiles = slot.add;
  return {
    el: slot.el,
    focus: slot.input,
    answer: async () => reply(c, { values: await slot.ids() }),
    problem: () => slot.problem() ?? countProblem(slot.count(), c),
  };
}

function choiceControl(c) {
  const many = c.type === 22;
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
    answer: () => reply(c, many ? { values: chosen() } : { value: chosen()[0] ?? null }),
    problem: () => countProblem(chosen().length, many ? { max_values: c.options.length, ...c } : c),
  };
}

function checkboxControl(c, id) {
  const input = h("input", { type: "checkbox", id, checked: c.default });
  return { el: input, focus: input, problem: () => null, answer: () => reply(c, { value: input.checked }) };
}

function countProblem(count, c) {
  const least = isRequired(c) ? Math.max(1, c.min_values ?? 1) : 0;
  if (count === 0 && least > 0) return "This field is required.";
  if (count > 0 && count < (c.min_values ?? 0)) return `Choose at least ${c.min_values}.`;
  return count > (c.max_values ?? 1) ? `Choose at most ${c.max_values ?? 1}.` : null;
}
