/**
 * Changing one's own message in its place: the text, and which of its files stay.
 */

import { $, h, icon } from "./dom.js";
import { toast } from "./popover.js";
import { api } from "./server.js";
import { messageById, messageChanged, state } from "./state.js";

export function startEditing(message) {
  stopEditing();
  state.editing = message.id;
  messageChanged(message);
  const box = $("messages").querySelector(".edit-box");
  box?.focus();
  box?.setSelectionRange(box.value.length, box.value.length);
}

function stopEditing() {
  const message = messageById(state.editing);
  state.editing = null;
  if (message) messageChanged(message);
}

/** The form that stands in for the text while it is edited. */
export function renderEditor(m) {
  let files = m.attachments;
  const box = h("textarea.edit-box", { rows: "1", "aria-label": "Edit message", maxlength: "4000" });
  const list = h("ul.edit-files");
  const drawFiles = () =>
    list.replaceChildren(
      ...files.map((file) =>
        h(
          "li",
          {},
          icon("file"),
          h("span", {}, file.filename),
          h(
            "button.icon-button.small",
            {
              type: "button",
              "aria-label": `Remove ${file.filename}`,
              onclick: () => {
                files = files.filter((f) => f !== file);
                drawFiles();
                box.focus();
              },
            },
            icon("trash"),
          ),
        ),
      ),
    );
  const save = async () => {
    const changed = { content: box.value.trim() };
    if (files.length < m.attachments.length) changed.attachments = files.map((f) => f.id);
    if (!changed.content && !files.length && !m.sticker_items?.length) return toast("A message cannot be empty.");
    const form = { as: state.me.id, channel_id: m.channel_id, message_id: m.id, ...changed };
    await api("PATCH", "/sandbox/messages", form).then(stopEditing, (error) => toast(error.message));
    $("input").focus();
  };
  const keys = { Escape: stopEditing, Enter: save };
  box.value = m.content;
  box.addEventListener("keydown", (e) => {
    if (!keys[e.key] || e.shiftKey || e.isComposing) return;
    e.preventDefault();
    e.stopPropagation();
    keys[e.key]();
  });
  const grow = () => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, innerHeight * 0.4)}px`;
  };
  box.addEventListener("input", grow);
  requestAnimationFrame(grow);
  drawFiles();
  const act = (label, run) => h("button.link-button", { type: "button", onclick: run }, label);
  return h(
    "div.editor",
    {},
    box,
    list,
    h("small.edit-hint", {}, "escape to ", act("cancel", stopEditing), " • enter to ", act("save", save)),
  );
}
