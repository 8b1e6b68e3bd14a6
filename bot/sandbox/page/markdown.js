/**
 * Discord's markdown, drawn as nodes. Nothing in a text can become markup.
 */

import { colour, h, icon, link } from "./dom.js";
import { displayName } from "./people.js";
import { copyText } from "./popover.js";
import { channelHref, channelTitle, state } from "./state.js";
import { timestamp } from "./time.js";
import { titleOf } from "./words.js";

/** Block structure: code, quotes, headings, small text, lists, and lines. @returns {Node[]} */
export function markdown(text, depth = 0) {
  const out = [];
  let rest = text;
  while (rest) {
    const rule = BLOCKS.find(([pattern]) => pattern.test(rest));
    const [found, ...groups] = rule[0].exec(rest);
    const node = rule[1](groups, depth);
    if (node) out.push(node);
    rest = rest.slice(found.length);
  }
  return out;
}

/** [pattern at the start of the rest, how to draw it]; the last one takes any line. */
const BLOCKS = [
  [
    /^```(?:([\w+.#-]+)\n)?\n?([\s\S]*?)\n?```\n?/,
    ([lang, code]) => codeBlock(code, lang),
  ],
  [/^>>> ?([\s\S]+)/, ([body], d) => quote(body, d)],
  [/^((?:> [^\n]*(?:\n|$))+)/, ([body], d) => quote(body.replace(/^> /gm, "").replace(/\n$/, ""), d)],
  [/^(#{1,3}) +([^\n]+)(?:\n|$)/, ([level, body]) => h(`h${level.length + 2}.md-h${level.length}`, {}, inline(body))],
  [/^-# +([^\n]+)(?:\n|$)/, ([body]) => h("p.subtext", {}, inline(body))],
  [/^((?: *[-*] [^\n]*(?:\n|$))+)/, ([body]) => markdownList(body)],
  [/^((?: *\d{1,9}\. [^\n]*(?:\n|$))+)/, ([body]) => markdownList(body)],
  [/^\n+/, ([]) => null],
  [
    /^((?:(?!```|>>> |> |#{1,3} |-# | *[-*] | *\d{1,9}\. )[^\n]+(?:\n+|$))+?(?=```|>>> |> |#{1,3} |-# | *[-*] | *\d{1,9}\. |$))/,
    ([body]) => h("p", {}, inline(body.replace(/\n$/, ""))),
  ],
  [/^([^\n]*)(?:\n|$)/, ([body]) => h("p", {}, inline(body))],
];

const codeBlock = (code, lang) =>
  h(
    "div.code-block",
    {},
    h("pre", {}, h("code", { "data-lang": lang }, code)),
    h(
      "button.copy-code",
      { type: "button", "aria-label": "Copy code", title: "Copy", onclick: () => copyText(code) },
      icon("copy"),
    ),
  );

const quote = (body, depth) => h("blockquote", {}, depth < 3 ? markdown(body, depth + 1) : inline(body));

function markdownList(body) {
  const lines = body.replace(/\n$/, "").split(/\n(?= *(?:[-*]|\d{1,9}\.) )/);
  const ordered = /^ *\d/.test(lines[0]);
  const items = lines.map((l) => {
    const [, indent, text] = /^( *)(?:[-*]|\d{1,9}\.) ([\s\S]*)$/.exec(l);
    const item = h("li", {}, inline(text));
    item.style.marginInlineStart = `${Math.min(indent.length, 8) * 0.6}em`;
    return item;
  });
  return h(ordered ? "ol" : "ul", { start: ordered ? parseInt(lines[0], 10) : null }, items);
}

/** [pattern at this place, how to draw what it caught]. Earlier ones win. */
const LITERALS = [
  [/\\([^\sA-Za-z0-9])/y, ([c]) => c],
  [/```(?:[\w+.#-]+\n)?\n?([\s\S]*?)\n?```/y, ([code]) => h("code.block", {}, code)],
  [/(`{1,2})([\s\S]*?[^`])\1(?!`)/y, ([, code]) => h("code", {}, code.replace(/^ (.*) $/, "$1"))],
  [/<t:(-?\d{1,13})(?::([tTdDfFsSR]))?>/y, ([unix, style]) => timestamp(Number(unix), style ?? "f")],
];

const MENTIONS = [
  [/<@!?(\d+)>/y, ([id]) => mentionUser(id)],
  [/<#(\d+)>/y, ([id]) => mentionChannel(id)],
  [/<@&(\d+)>/y, ([id]) => mentionRole(id)],
  [/<\/([^:>\n]{1,100}):(\d+)>/y, ([name]) => mentionCommand(name)],
];

const FORMATS = [
  [/<a?:(\w+):\d+>/y, ([name]) => `:${name}:`],
  [/@(everyone|here)\b/y, ([who]) => h("span.mention", {}, `@${who}`)],
  [
    /\[((?:\[[^\]\n]*\]|[^[\]\n])+)\]\(<?(https?:\/\/[^\s)>]+)>?(?: +"[^"\n]*")?\)/y,
    ([body, url], d) => link(url, inline(body, d + 1)),
  ],
  [
    /<?(https:\/\/discord\.com\/channels\/(?:\d+|@me)\/(\d+)\/(\d+))>?/y,
    ([url, channelId, id]) => messageLink(url, channelId, id),
  ],
  [/<?(https?:\/\/[^\s<>]*[^\s<>.,:;"'\])!?])>?/y, ([url]) => link(url, url)],
  [/\*\*\*((?:\\[\s\S]|[^\\])+?)\*\*\*(?!\*)/y, ([body], d) => h("strong", {}, h("em", {}, inline(body, d + 1)))],
  [/\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/y, ([body], d) => h("strong", {}, inline(body, d + 1))],
  [/__((?:\\[\s\S]|[^\\])+?)__(?!_)/y, ([body], d) => h("u", {}, inline(body, d + 1))],
  [/\*(?=\S)((?:\*\*|\\[\s\S]|[^*\\])+?)\*(?!\*)/y, ([body], d) => h("em", {}, inline(body, d + 1))],
  [/(?<!\w)_((?:__|\\[\s\S]|[^\\_])+?)_(?!\w)/y, ([body], d) => h("em", {}, inline(body, d + 1))],
  [/~~(?=\S)((?:\\[\s\S]|[^\\])*?\S)~~/y, ([body], d) => h("s", {}, inline(body, d + 1))],
  [/\|\|([\s\S]+?)\|\|/y, ([body], d) => spoiler(inline(body, d + 1))],
];

const INLINES = [...LITERALS, ...MENTIONS, ...FORMATS];
const UNMENTIONED = [...LITERALS, ...FORMATS];

/** The line of a title or a field's name: there a mention stays as it was typed. */
export const headline = (text) => inline(text, 0, UNMENTIONED);

/** @returns {(Node|string)[]} */
export function inline(text, depth = 0, rules = INLINES) {
  if (depth > 8) return [text];
  const out = [];
  let plain = "";
  for (let at = 0; at < text.length;) {
    const hit = /[\\`<@[h*_~|]/.test(text[at]) && matchInline(text, at, rules);
    if (!hit) {
      plain += text[at];
      at += 1;
      continue;
    }
    out.push(plain, hit.draw(hit.groups, depth));
    plain = "";
    at += hit.length;
  }
  return [...out, plain].filter((n) => n !== "");
}

function matchInline(text, at, rules) {
  for (const [pattern, draw] of rules) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) return { draw, groups: found.slice(1), length: found[0].length };
  }
  return null;
}

export const plainText = (text) =>
  markdown(text)
    .map((block) => block.textContent)
    .join(" ");

function mentionUser(id) {
  const person = state.people.get(id);
  return h("span.mention", { "data-user-id": person && id }, `@${person ? displayName(person) : "unknown-user"}`);
}

function mentionRole(id) {
  const role = state.guild.roles.find((r) => r.id === id);
  const el = h("span.mention", { "data-role-id": role && id }, `@${role?.name.replace(/^@/, "") ?? "deleted-role"}`);
  if (role?.color) {
    el.style.color = colour(role.color);
    el.style.backgroundColor = `color-mix(in srgb, ${colour(role.color)} 15%, transparent)`;
  }
  return el;
}

function mentionChannel(id) {
  const channel = state.channels.find((c) => c.id === id);
  return channel
    ? h("a.mention", { href: channelHref(channel) }, channelTitle(channel))
    : h("span.mention", {}, "#No Access");
}

/** A link to a message that whoever looks can see leads there; any other stays as it is. */
function messageLink(url, channelId, id) {
  const channel = state.channels.find((c) => c.id === channelId);
  if (!channel) return link(url, url);
  const label = `Message in ${channelTitle(channel)}`;
  const to = h("span.emoji", { "aria-hidden": "true" }, "💬");
  return h("a.mention", { href: `${channelHref(channel)}/${id}`, "aria-label": label }, `${channelTitle(channel)} › `, to);
}

const mentionCommand = (name) => h("button.mention", { type: "button", "data-run-command": name }, `/${titleOf(name)}`);

function spoiler(children) {
  const show = () => {
    el.classList.add("shown");
    el.setAttribute("aria-expanded", "true");
  };
  const el = h(
    "span.spoiler",
    {
      role: "button",
      tabindex: "0",
      "aria-label": "Spoiler",
      "aria-expanded": "false",
      onclick: show,
      onkeydown: (e) => {
        if (e.key === "Enter" || e.key === " ") {
          e.preventDefault();
          show();
        }
      },
    },
    h("span", {}, children),
  );
  return el;
}
