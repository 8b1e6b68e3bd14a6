/**
 * Components of messages, old and new, and what happens when they are used.
 */

import { colour, dots, h, icon, safeUrl } from "./dom.js";
import { markdown } from "./markdown.js";
import { hideBehindSpoiler, renderMedia, renderMosaic, unfurledMedia } from "./media.js";
import { openModal } from "./modal.js";
import { selectControl } from "./select.js";
import { interact } from "./server.js";
import { messageById, messageChanged, state } from "./state.js";

const BUTTON_STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger" };
const LINK_STYLE = 5;

/** How each type of component in a message is drawn. Unknown types are left out. */
const COMPONENTS = {
  1: (c, m) => h("div.action-row", {}, drawAll(c.components, m)),
  2: renderButton,
  3: renderSelect,
  5: renderSelect,
  6: renderSelect,
  7: renderSelect,
  8: renderSelect,
  9: (c, m) => h("div.section", {}, h("div", {}, drawAll(c.components, m)), drawAll([c.accessory], m)),
  10: (c) => h("div.text-display", {}, markdown(c.content)),
  11: (c) => h("div.thumbnail", {}, renderMedia(unfurledMedia(c))),
  12: (c) => (c.items.length > 1 ? renderMosaic(c.items.map(unfurledMedia)) : renderMedia(unfurledMedia(c.items[0]))),
  13: (c) =>
    renderMedia({
      ...unfurledMedia({ media: c.file, spoiler: c.spoiler, size: c.size }),
      ...(c.name && { name: c.name }),
      kind: "file",
    }),
  14: (c) => h("hr.separator", { class: `${c.divider === false ? "plain" : ""} ${c.spacing === 2 ? "wide" : ""}` }),
  17: renderContainer,
};

const drawAll = (components, m) => (components ?? []).filter(Boolean).map((c) => COMPONENTS[c.type]?.(c, m));

export function renderComponents(m) {
  if (!m.components?.length) return null;
  const refused = state.refused.get(m.id);
  return [...drawAll(m.components, m), refused && h("p.refused", { role: "alert" }, icon("warning"), refused)];
}

function renderContainer(c, m) {
  const inner = drawAll(c.components, m);
  const box = h("div.container", {}, inner);
  if (c.accent_color != null) box.style.setProperty("--accent", colour(c.accent_color));
  return c.spoiler ? hideBehindSpoiler(box) : box;
}

function renderButton(c, m) {
  const inner = [c.emoji?.name && h("span.emoji", {}, c.emoji.name), c.label && h("span", {}, c.label)];
  return c.style === LINK_STYLE ? renderLinkButton(c, inner) : renderPressButton(c, m, inner);
}

const renderLinkButton = (c, inner) =>
  h("a.button.link", { href: safeUrl(c.url), target: "_blank", rel: "noopener noreferrer" }, inner, icon("external"));

function renderPressButton(c, m, inner) {
  const busy = state.pressed.get(m.id) === c.custom_id;
  return h(
    "button.button",
    {
      type: "button",
      class: `${BUTTON_STYLES[c.style] ?? "secondary"} ${busy ? "busy" : ""}`,
      "data-custom-id": c.custom_id,
      disabled: c.disabled || (!busy && state.pressed.has(m.id)),
      "aria-busy": busy ? "true" : null,
      "aria-label": c.label ? null : c.emoji?.name,
      onclick: () => busy || press(m, c.custom_id),
    },
    inner,
    busy && dots(),
  );
}

function renderSelect(c, m) {
  const select = selectControl(c, { commit: (values) => press(m, c.custom_id, values) });
  select.el.disabled = c.disabled || state.pressed.has(m.id);
  return select.el;
}

function press(m, customId, values) {
  state.refused.delete(m.id);
  state.pressed.set(m.id, customId);
  messageChanged(m);
  const settle = (problem) => {
    state.pressed.delete(m.id);
    if (problem) state.refused.set(m.id, problem);
    messageChanged(messageById(m.id) ?? m);
  };
  interact(
    { kind: "component", channel_id: m.channel_id, message_id: m.id, custom_id: customId, ...(values && { values }) },
    (event) => {
      if (event.state !== "sent") settle(event.state === "failed" ? "This interaction failed" : null);
      if (event.state === "modal") openModal(event);
    },
  ).catch((error) => settle(error.message));
}
