/**
 * The fields for the options of a slash command, one for each type.
 */

import { nestOptions } from "./commands.js";
import { h, icon, newId } from "./dom.js";
import { FileSlot } from "./files.js";
import { hidePopup, popup, popupKey, showPopup } from "./listbox.js";
import { channelItems, personItems, roleItems } from "./select.js";
import { interact } from "./server.js";
import { COMMAND, OPTION } from "./state.js";
import { nameOf } from "./words.js";

/** @typedef {import("./state.js").Option} Option */

/** @typedef {{option: Option, el: HTMLElement, focus: () => void, isEmpty: () => boolean, value: () => any,
 *             problem: () => string|null, showProblem: (text: string|null) => any, addFiles?: Function}} Field */

/** @param {Option} option @param {CommandForm} form @returns {Field} */
export function makeField(option, form) {
  if (option.type === OPTION.ATTACHMENT) return fileField(option, form);
  if (option.choices?.length || option.autocomplete || OPTION_ITEMS[option.type]) return choiceField(option, form);
  return textField(option, form);
}

/** What the options of a fixed set offer. */
const OPTION_ITEMS = {
  [OPTION.BOOLEAN]: () => [
    { value: true, label: "True" },
    { value: false, label: "False" },
  ],
  [OPTION.USER]: () => personItems(),
  [OPTION.CHANNEL]: (o) => channelItems(o.channel_types),
  [OPTION.ROLE]: () => roleItems(),
  [OPTION.MENTIONABLE]: () => [...personItems(), ...roleItems()],
};

const isNumeric = (option) => option.type === OPTION.INTEGER || option.type === OPTION.NUMBER;

function pill(option, form, input) {
  const error = h("span.field-error", { role: "alert", id: newId() });
  const drop =
    !option.required &&
    h(
      "button.pill-remove",
      { type: "button", "aria-label": `Remove ${nameOf(option)}`, onclick: () => form.remove(option.name) },
      icon("close"),
    );
  const el = h(
    "div.pill",
    { "data-option": option.name, onclick: (e) => e.target === el && input.focus() },
    h("label", { for: input.id }, nameOf(option)),
    input,
    drop,
    error,
  );
  input.setAttribute("aria-describedby", error.id);
  input.addEventListener("input", () => showProblem(null));
  input.addEventListener("keydown", (e) => {
    if (e.key === "Backspace" && !input.value && !option.required) {
      e.preventDefault();
      form.remove(option.name);
    }
  });
  const showProblem = (text) => {
    error.textContent = text ?? "";
    el.classList.toggle("invalid", Boolean(text));
    input.setAttribute("aria-invalid", String(Boolean(text)));
    return text;
  };
  return { el, showProblem, option, focus: () => input.focus() };
}

const optionInput = (option, more) =>
  h("input", {
    id: newId(),
    "data-option": option.name,
    "aria-required": String(Boolean(option.required)),
    enterkeyhint: "send",
    autocomplete: "off",
    ...more,
  });

function textField(option, form) {
  const numeric = isNumeric(option);
  const input = optionInput(
    option,
    numeric
      ? {
          type: "number",
          step: option.type === OPTION.INTEGER ? "1" : "any",
          min: option.min_value,
          max: option.max_value,
        }
      : { type: "text", maxlength: option.max_length ?? 6000 },
  );
  const text = () => input.value.trim();
  return {
    ...pill(option, form, input),
    isEmpty: () => !text() && !input.validity.badInput,
    value: () => (numeric ? Number(text()) : input.value),
    problem: () => (numeric && input.validity.badInput ? numberWords(option) : optionProblem(option, text())),
  };
}

const numberWords = (option) => (option.type === OPTION.INTEGER ? "Input a valid integer." : "Input a valid number.");

/** Why Discord would not send this text for this option, or null. */
function optionProblem(option, text) {
  if (!text) return option.required ? "This option is required. Specify a value." : null;
  if (isNumeric(option)) return numberProblem(option, Number(text));
  if (option.min_length && text.length < option.min_length) return `Must be at least ${option.min_length} characters.`;
  return null;
}

function numberProblem(option, number) {
  const { min_value: least, max_value: most } = option;
  if (!Number.isFinite(number) || (option.type === OPTION.INTEGER && !Number.isInteger(number)))
    return numberWords(option);
  if (least != null && number < least) return `Must be at least ${least}.`;
  return most != null && number > most ? `Must be at most ${most}.` : null;
}

function choiceField(option, form) {
  const input = optionInput(option, {
    type: "text",
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": "popup",
  });
  let chosen = null;
  let asked = 0;
  const fixed = option.choices?.length
    ? option.choices.map((c) => ({ value: c.value, label: nameOf(c) }))
    : OPTION_ITEMS[option.type]?.(option);
  const wanted = () => input.value.trim().toLowerCase().replace(/^[@#]/, "");
  const fits = (i) => `${i.label} ${i.description ?? ""}`.toLowerCase().includes(wanted());
  const pick = (item) => {
    chosen = item;
    input.value = item.label;
    base.showProblem(null);
    form.focusNext();
  };
  const suggest = async () => {
    const mine = (asked += 1); // a slow answer must not replace a newer one
    if (!fixed && popup.owner !== input) showPopup(input, nameOf(option), [], pick, "Loading options…");
    const items = fixed ? fixed.filter((i) => chosen || fits(i)) : await autocomplete(form, option, input.value);
    if (mine !== asked || document.activeElement !== input) return;
    const note = items ? "No options match your search." : "Loading options failed.";
    showPopup(input, nameOf(option), items ?? [], pick, note);
  };
  const base = pill(option, form, input);
  const exact = () => chosen ?? fixed?.find((i) => i.label.toLowerCase() === input.value.trim().toLowerCase());
  let timer = 0;
  input.addEventListener("focus", suggest);
  input.addEventListener("click", () => popup.owner === input || suggest());
  input.addEventListener("blur", hidePopup);
  input.addEventListener("keydown", popupKey);
  input.addEventListener("input", () => {
    chosen = null;
    if (fixed) return suggest(); // at once, or an Enter right behind would take what no longer fits
    clearTimeout(timer);
    timer = setTimeout(suggest, 150);
  });
  const typed = () => (isNumeric(option) ? Number(input.value) : input.value);
  return {
    ...base,
    isEmpty: () => !input.value.trim(),
    value: () => (exact() ? exact().value : typed()),
    problem: () => {
      if (!input.value.trim() || exact()) return exact() ? null : optionProblem(option, "");
      return fixed ? "Choose one of the options." : optionProblem(option, input.value.trim());
    },
  };
}

/** Asks the bot for choices; null when it does not answer. */
function autocomplete(form, option, text) {
  const others = [...form.fields.values()]
    .filter((f) => f.option !== option && f.option.type !== OPTION.ATTACHMENT && !f.isEmpty() && !f.problem())
    .map((f) => ({ name: f.option.name, type: f.option.type, value: f.value() }));
  const options = nestOptions(form.leaf, [
    ...others,
    { name: option.name, type: option.type, value: text, focused: true },
  ]);
  return new Promise((resolve) => {
    interact({ kind: "autocomplete", type: COMMAND.SLASH, name: form.leaf.command.name, options }, (event) => {
      if (event.state === "choices") resolve(event.choices.map((c) => ({ value: c.value, label: nameOf(c) })));
      if (event.state === "failed") resolve(null);
    }).catch(() => resolve(null));
  });
}

function fileField(option, form) {
  const slot = new FileSlot({
    label: nameOf(option),
    fileTypes: option.file_types,
    onChange: () => {
      showProblem(null);
      if (slot.count()) form.focusNext();
    },
  });
  const error = h("p.field-error", { role: "alert" });
  const showProblem = (text) => {
    error.textContent = text ?? "";
    slot.el.classList.toggle("invalid", Boolean(text));
    return text;
  };
  slot.input.dataset.option = option.name;
  slot.input.setAttribute("aria-required", String(Boolean(option.required)));
  if (!option.required)
    slot.el.append(
      h(
        "button.pill-remove",
        { type: "button", "aria-label": `Remove ${option.name}`, onclick: () => form.remove(option.name) },
        icon("close"),
      ),
    );
  slot.el.dataset.option = option.name;
  slot.el.append(error);
  return {
    option,
    el: slot.el,
    showProblem,
    isEmpty: () => slot.count() === 0,
    focus: () => slot.input.focus(),
    value: async () => (await slot.ids())[0],
    addFiles: (files) => slot.add(files),
    problem: () => slot.problem() ?? (option.required && !slot.count() ? "This option is required. Add a file." : null),
  };
}
