/**
 * The way to the server: calls, the socket, and interactions that are followed until they are over.
 */

import { newNonce } from "./dom.js";
import { toast } from "./popover.js";
import { state } from "./state.js";

export class ApiError extends Error {
  /** @param {string} message @param {Record<string, string>} [errors] by option or custom id */
  constructor(message, errors) {
    super(message);
    this.errors = errors ?? {};
  }
}

/** One call to the people's side. Throws ApiError with a sentence that can be shown. */
export async function api(method, path, body) {
  const isForm = body instanceof FormData;
  const response = await fetch(path, {
    method,
    headers: body && !isForm ? { "Content-Type": "application/json" } : {},
    body: isForm ? body : body && JSON.stringify(body),
  }).catch(() => {
    throw new ApiError("The local Discord is not answering.");
  });
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const fields = answer.errors && Object.values(answer.errors).join(" ");
  throw new ApiError(answer.error ?? fields ?? `The server refused (${response.status}).`, answer.errors);
}

/** As `api`, but a refusal becomes a toast. Resolves to undefined then. */
export const tryApi = (method, path, body) =>
  api(method, path, body).catch((error) => {
    toast(error.message);
  });

export async function upload(file) {
  const form = new FormData();
  form.append("file", file, file.name || "image.png");
  return (await api("POST", `/sandbox/attachments?as=${state.me.id}&channel=${state.channel.id}`, form)).id;
}

/**
 * Keeps a socket to the server open, for ever.
 * @param {Record<string, (d: any) => void>} events what to do, by event name
 * @param {() => void} onLost the connection is gone; another one is on its way
 */
export function connect(events, onLost, attempt = 0) {
  const url = new URL(`/sandbox/socket?as=${state.me.id}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  let opened = false;
  socket.onopen = () => {
    opened = true;
  };
  socket.onmessage = (frame) => {
    const { t, d } = JSON.parse(frame.data);
    events[t]?.(d);
  };
  socket.onclose = () => {
    state.connected = false;
    [...waiting.values()].forEach((tell) => tell({ state: "failed", reason: "The connection was lost" }));
    onLost();
    const next = opened ? 0 : attempt + 1;
    setTimeout(() => connect(events, onLost, next), Math.min(500 * 2 ** next, 5000));
  };
}

/** interactions in progress: nonce → who wants to know
 *  @type {Map<string, (event: object) => void>} */
const waiting = new Map();

/** An interaction got somewhere. @param {object} event INTERACTION */
export function noteInteraction(event) {
  if (event.interaction_id) state.nonces.set(event.interaction_id, event.nonce);
  waiting.get(event.nonce)?.(event);
}

/**
 * Sends an interaction and follows its state.
 * @param {object} body kind and what belongs to it
 * @param {(event: object) => void} follow gets every INTERACTION event of it until it is over
 */
export async function interact(body, follow) {
  const nonce = body.nonce ?? newNonce();
  const over = () => waiting.delete(nonce);
  waiting.set(nonce, (event) => {
    if (["done", "failed", "modal", "choices"].includes(event.state)) over();
    follow(event);
  });
  try {
    const answer = await api("POST", "/sandbox/interactions", {
      as: state.me.id,
      channel_id: state.channel.id,
      ...body,
      nonce,
    });
    state.nonces.set(answer.interaction_id, nonce);
    return answer;
  } catch (error) {
    over();
    throw error;
  }
}
