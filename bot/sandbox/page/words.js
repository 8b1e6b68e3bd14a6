/**
 * Commands as the one who is looking reads them: in their language, where the bot has words in it.
 */

import { state } from "./state.js";

/** Where a language is missing, this one is read instead. */
const INSTEAD = { "en-US": "en-GB", "en-GB": "en-US", "es-419": "es-ES" };

const pick = (words) => words?.[state.me?.locale] ?? words?.[INSTEAD[state.me?.locale]];

/** @param {{name: string, name_localizations?: Record<string, string>}} thing a command, an option or a choice */
export const nameOf = (thing) => pick(thing.name_localizations) ?? thing.name;
export const descriptionOf = (thing) => pick(thing.description_localizations) ?? thing.description ?? "";

/** A command's whole name, word by word: "quota set" may be read as "kontingent setzen". */
export function titleOf(name) {
  let options = state.commands;
  return name
    .split(" ")
    .map((word) => {
      const found = options?.find((o) => o.name === word);
      options = found?.options;
      return found ? nameOf(found) : word;
    })
    .join(" ");
}

/** An entry of the Apps menu, whose name is one thing though it may have spaces. */
export function menuTitleOf(name) {
  const found = state.commands.find((c) => c.name === name && c.type !== 1);
  return found ? nameOf(found) : name;
}
