/**
 * Times as Discord writes them, among them the ones that keep counting.
 */

import { h } from "./dom.js";

const locale = navigator.language?.startsWith("en") ? navigator.language : "en-GB";

const TIME_STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
  s: { dateStyle: "short", timeStyle: "short" },
  S: { dateStyle: "short", timeStyle: "medium" },
};

const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];
const relativeFormat = new Intl.RelativeTimeFormat(locale, { numeric: "always" });

export function timestamp(unix, style) {
  const date = new Date(unix * 1000);
  if (Number.isNaN(date.getTime())) return "Invalid date";
  return h(
    "time.timestamp",
    { datetime: date.toISOString(), title: fullDate(date), "data-unix": unix, "data-style": style },
    style === "R" ? relative(unix) : date.toLocaleString(locale, TIME_STYLES[style]),
  );
}

function relative(unix) {
  const seconds = Math.round(unix - Date.now() / 1000);
  const [unit, size] = UNITS.find(([, s]) => Math.abs(seconds) >= s) ?? UNITS.at(-1);
  return relativeFormat.format(Math.round(seconds / size), unit);
}

export function tickTimestamps() {
  for (const el of document.querySelectorAll('time[data-style="R"]')) {
    const text = relative(Number(el.dataset.unix));
    if (el.textContent !== text) el.textContent = text;
  }
}

/** A language's name in itself, such as "Deutsch". */
export function languageName(code) {
  const name = new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
  return name[0].toLocaleUpperCase(code) + name.slice(1);
}

export const clock = (iso) => new Date(iso).toLocaleTimeString(locale, { timeStyle: "short" });
export const longDate = (date) => date.toLocaleDateString(locale, { dateStyle: "long" });
export const fullDate = (date) => date.toLocaleString(locale, { dateStyle: "full", timeStyle: "short" });

export function friendlyTime(date) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  const time = clock(date);
  if (days === 0) return `Today at ${time}`;
  return days === 1 ? `Yesterday at ${time}` : date.toLocaleString(locale, { dateStyle: "short", timeStyle: "short" });
}
