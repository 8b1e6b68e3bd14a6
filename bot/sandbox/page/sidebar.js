/**
 * The left side: the rail of servers, the channels of the open one, and who is looking.
 */

import { $, h, icon } from "./dom.js";
import { avatar, botPerson, displayName, initials, roleWords } from "./people.js";
import { openMenu } from "./popover.js";
import { tryApi } from "./server.js";
import { openPortal, openServerSettings, openUserSettings } from "./settings.js";
import { channelHref, channelIcon, isDirect, state } from "./state.js";

const ordered = () => [...state.channels].sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
const isOpen = (guild) => state.channel && (guild ? state.channel.guild_id === guild.id : isDirect(state.channel));

export function bindSidebar() {
  $("me").onclick = openPeopleMenu;
  $("user-settings").onclick = openUserSettings;
  $("guild-name").onclick = () => openGuildMenu($("guild-name").getBoundingClientRect());
  $("open-portal").onclick = openPortal;
  $("open-drawer").onclick = () => toggleDrawer(true);
  $("backdrop").onclick = () => toggleDrawer(false);
}

export function drawSidebar() {
  drawRail();
  drawChannels();
  const direct = state.channel && isDirect(state.channel);
  $("guild-name").disabled = direct;
  $("guild-name").replaceChildren(h("h2", {}, direct ? "Direct Messages" : state.guild.name), !direct ? icon("down") : "");
  $("me").replaceChildren(
    avatar(state.me),
    h("span.visually-hidden", {}, "You are "),
    h("span.me-names", {}, h("strong", {}, displayName(state.me)), " ", h("small", {}, roleWords(state.me))),
    icon("swap"),
  );
}

/** Direct messages first, then the servers, as Discord has it. */
function drawRail() {
  const direct = h(
    "button.rail-item.rail-direct",
    {
      type: "button",
      title: "Direct Messages",
      "aria-label": "Direct Messages",
      "aria-current": isOpen(null) ? "true" : null,
      onclick: openDirect,
    },
    icon("people"),
    badge(state.channels.filter(isDirect)),
  );
  const servers = state.guilds.map((guild) => {
    const channels = ordered().filter((c) => c.guild_id === guild.id);
    const last = channels.find((c) => c.id === state.lastIn.get(guild.id)) ?? channels[0];
    return h(
      "a.rail-item",
      {
        href: last ? channelHref(last) : "#",
        title: guild.name,
        "aria-label": guild.name,
        "aria-current": isOpen(guild) ? "true" : null,
        "data-guild-id": guild.id,
        class: channels.some((c) => state.unread.get(c.id)?.unread) ? "unread" : "",
      },
      h("span", { "aria-hidden": "true" }, initials(guild.name)),
      badge(channels),
    );
  });
  $("rail").replaceChildren(direct, h("hr"), ...servers);
}

function badge(channels) {
  const mentions = channels.reduce((sum, c) => sum + (state.unread.get(c.id)?.mentions ?? 0), 0);
  return mentions > 0 && h("span.badge", { "aria-label": `${mentions} mentions` }, String(mentions));
}

async function openDirect() {
  const known = state.channels.find(isDirect);
  const id = known?.id ?? (await tryApi("POST", "/sandbox/direct", { as: state.me.id }))?.channel_id;
  if (id) location.hash = `#${id}`;
}

export function drawChannels() {
  const here = ordered().filter((c) => (isDirect(state.channel) ? isDirect(c) : c.guild_id === state.guild.id));
  const threads = here.filter((c) => c.parent_id);
  const rooms = here.filter((c) => !threads.includes(c));
  $("channels").replaceChildren(
    h("h3", {}, isDirect(state.channel) ? "Direct messages" : "Text channels"),
    h("ul", {}, rooms.flatMap((c) => [c, ...threads.filter((t) => t.parent_id === c.id)]).map(channelRow)),
  );
}

function channelRow(channel) {
  const { unread, mentions } = state.unread.get(channel.id) ?? {};
  return h(
    "li",
    {},
    h(
      "a.channel",
      {
        href: channelHref(channel),
        class: `${unread ? "unread" : ""} ${channel.parent_id ? "thread" : ""}`,
        "aria-current": channel.id === state.channel?.id ? "page" : null,
        "data-channel-id": channel.id,
        "data-channel-name": channel.name,
        onclick: () => toggleDrawer(false),
      },
      isDirect(channel) ? avatar(botPerson()) : icon(channelIcon(channel)),
      h("span", {}, channel.name),
      channel.nsfw && h("span.visually-hidden", {}, " (age-restricted)"),
      mentions > 0 && h("span.badge", { "aria-label": `${mentions} mentions` }, String(mentions)),
    ),
  );
}

export function toggleDrawer(open) {
  document.body.classList.toggle("drawer-open", open);
  $("backdrop").hidden = !open;
  $("open-drawer").setAttribute("aria-expanded", String(open));
  if (open) $("channels").querySelector("a")?.focus();
}

function openGuildMenu(rect) {
  openMenu(
    rect,
    [
      { label: "Server Settings", icon: "gear", act: openServerSettings },
      { label: "Developer Portal", icon: "command", act: openPortal },
    ],
    state.guild.name,
  );
}

function openPeopleMenu() {
  const here = channelHref(state.channel);
  const people = [...state.everybody.values()];
  openMenu(
    $("me").getBoundingClientRect(),
    people.map((p) => ({
      label: `${displayName(p)} · ${roleWords(p)}`,
      node: avatar(p),
      checked: p.id === state.me.id,
      href: `?as=${encodeURIComponent(displayName(p))}${here}`,
      attrs: { "data-user-id": p.id },
    })),
    "Act as",
  );
}
