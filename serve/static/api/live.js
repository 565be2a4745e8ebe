// Frames while a slider moves: plans over the WebSocket, or one POST at a time while the socket is down.
//
// Every plan has a number. The server answers in order and skips plans that newer ones overtook, so an answer also stands for all
// before it; a frame older than the one on the page is thrown away. So whatever happens, the newest plan is shown last.

/** @import { LiveListeners, Picture, Plan } from "../shared/types.js" */
/** @import { HttpApi } from "./http-api.js" */

/** @typedef {{id: number, picture: Picture, plan: Plan}} Request */

const IN_FLIGHT = 2;
const PATIENCE_MS = 4000;
const RECONNECT_MS = 3000;

export class LiveFrames {
  #api;
  #onFrame;
  #onError;
  #count = 0;
  #shown = 0;
  /** @type {Request | null} */
  #waiting = null;
  /** @type {Request[]} */
  #flying = []; // sent over the socket and not answered yet
  /** @type {WebSocket | null} */
  #socket = null;
  #header = { id: 0 };
  #triedAt = -Infinity;
  /** @type {number | undefined} */
  #timer;
  #posting = false;
  by = ""; // how the last frame came

  /**
   * @param {HttpApi} api
   * @param {LiveListeners} listeners
   */
  constructor(api, { onFrame, onError }) {
    this.#api = api;
    this.#onFrame = onFrame;
    this.#onError = onError;
    this.#connect();
  }

  /**
   * @param {Picture} picture
   * @param {Plan} plan
   */
  send(picture, plan) {
    this.#waiting = { id: ++this.#count, picture, plan };
    this.#pump();
  }

  #pump() {
    if (!this.#waiting) return;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#sendBySocket(this.#socket);
    else {
      this.#connect();
      this.#post();
    }
  }

  /** @param {WebSocket} socket */
  #sendBySocket(socket) {
    if (!this.#waiting || this.#flying.length >= IN_FLIGHT) return;
    const { id, picture, plan } = this.#waiting;
    this.#flying.push(this.#waiting);
    this.#waiting = null;
    socket.send(
      JSON.stringify({ id, plan: this.#api.named(plan), ...(picture.session ? { session: picture.session } : { image: picture.image }) }),
    );
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket?.close(), PATIENCE_MS);
  }

  #connect() {
    if (this.#socket || performance.now() - this.#triedAt < RECONNECT_MS || this.#api.lost) return;
    this.#triedAt = performance.now();
    const url = new URL("v1/steer/stream", document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.#pump();
    };
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.#answer(JSON.parse(data)) : this.#frame(data));
    socket.onclose = () => {
      this.#socket = null;
      this.#waiting ??= this.#flying.at(-1) ?? null;
      this.#answered(Infinity);
      this.#pump();
      if (opened) this.#api.retry().then((alive) => alive || this.#api.noteLost());
    };
    this.#socket = socket;
  }

  /** @param {{id: number, session?: string, error?: {message: string, code: string}}} header */
  #answer(header) {
    this.#header = header;
    const request = this.#flying.find(({ id }) => id === header.id);
    if (!header.error) {
      if (request) request.picture.session = header.session;
      return;
    }
    this.#answered(header.id ?? Infinity);
    if (header.error.code === "session_expired" && request) {
      request.picture.session = null;
      this.#waiting ??= request;
    } else if (header.id === this.#count) {
      this.#onError(Object.assign(new Error(header.error.message), { code: header.error.code }));
    }
    this.#pump();
  }

  /** @param {Blob} blob */
  #frame(blob) {
    const { id } = this.#header;
    this.#answered(id);
    this.#pump();
    this.#show(id, blob, "socket");
  }

  /** @param {number} upTo */
  #answered(upTo) {
    this.#flying = this.#flying.filter(({ id }) => id > upTo);
    if (!this.#flying.length) clearTimeout(this.#timer);
  }

  async #post() {
    if (this.#posting || !this.#waiting) return;
    this.#posting = true;
    const { id, picture, plan } = this.#waiting;
    this.#waiting = null;
    try {
      const response = await this.#api.withPicture(picture, "v1/steer", { plan, format: "png" });
      await this.#show(id, await response.blob(), "post");
    } catch (error) {
      if (id === this.#count) this.#onError(error);
    }
    this.#posting = false;
    this.#pump();
  }

  /**
   * @param {number} id
   * @param {Blob} blob
   * @param {string} by
   */
  async #show(id, blob, by) {
    if (id <= this.#shown) return;
    const bitmap = await createImageBitmap(blob);
    if (id <= this.#shown) return;
    this.#shown = id;
    this.by = by;
    this.#onFrame(bitmap, id === this.#count);
  }
}
