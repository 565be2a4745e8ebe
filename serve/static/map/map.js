// The map of features on a canvas: squares from afar, pictures from near. What colours mean is decided elsewhere.

import { paper } from "../shared/dom.js";

/** @import { Feature } from "../shared/types.js" */

/** @typedef {[number, number]} Point */

/**
 * What the map tells of; a feature of -1 is none.
 * @typedef {object} Listeners
 * @property {(id: number, x: number, y: number) => void} hover
 * @property {(id: number) => void} choose
 * @property {(ids: number[]) => void} lasso
 */

const POINT = 5; // pixels of a square at the smallest zoom
const PICTURES_FROM = 2.2; // zoom at which pictures take the place of squares
const MOST_ZOOM = 40;
const TILE = 32;
const PAD = 18;

export class FeatureMap {
  #canvas;
  #context;
  #on;
  #x = new Float32Array(0);
  #y = new Float32Array(0);
  /** @type {string[]} */
  #colours = [];
  /** @type {boolean[]} */
  #shown = [];
  /** @type {Set<number> | null} */
  #lit = null;
  #view = { k: 1, x: 0, y: 0 }; // zoom, and the map's corner in canvas pixels
  /** @type {{width: number, height: number} | null} */
  #shaped = null; // the canvas when it was last drawn on
  #hovered = -1;
  #chosen = -1;
  #drawing = false;
  /** @type {Point[] | null} */
  #path = null; // of the lasso
  #lassoing = false;
  #sprites = new Image();
  frames = 0; // drawn so far, for measurements

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Listeners} on
   */
  constructor(canvas, on) {
    this.#canvas = canvas;
    this.#context = paper(canvas, { alpha: false });
    this.#on = on;
    this.#sprites.onload = () => this.draw();
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.#listen();
  }

  /** @param {Feature[]} features */
  fill(features) {
    this.#x = Float32Array.from(features, (feature) => feature.x);
    this.#y = Float32Array.from(features, (feature) => feature.y);
    this.#shown = features.map(() => true);
    this.draw();
  }

  /**
   * A colour for each feature, and which of them are shown at all.
   * @param {string[]} colours
   * @param {boolean[]} shown
   */
  paint(colours, shown) {
    this.#colours = colours;
    this.#shown = shown;
    this.draw();
  }

  /**
   * Features to stand out from the rest, or null for none.
   * @param {number[] | null} ids
   */
  light(ids) {
    this.#lit = ids && new Set(ids);
    this.draw();
  }

  /** @param {string} url of the sheet of small pictures */
  show(url) {
    this.#sprites.src = url;
  }

  get lassoing() {
    return this.#lassoing;
  }

  /** @param {boolean} on whether the pointer draws around features */
  lasso(on) {
    this.#lassoing = on;
    this.#canvas.style.cursor = on ? "crosshair" : "grab";
  }

  /** @param {number} id */
  choose(id) {
    this.#chosen = id;
    this.draw();
  }

  /**
   * Move the map if a feature, now or once the page has found its new shape, lies outside or under the tools.
   * @param {number} id
   */
  keepInView(id) {
    requestAnimationFrame(() => {
      const { width, height } = this.#size;
      const [x, y] = this.#at(id);
      if (x > 24 && x < width - 64 && y > 24 && y < height - 24) return;
      this.pan(width / 2 - x, height / 2 - y);
    });
  }

  /** @param {number} factor */
  zoom(factor, x = this.#size.width / 2, y = this.#size.height / 2) {
    const k = Math.max(0.8, Math.min(MOST_ZOOM, this.#view.k * factor));
    const change = k / this.#view.k;
    this.#view = { k, x: x - (x - this.#view.x) * change, y: y - (y - this.#view.y) * change };
    this.draw();
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.#view.x += dx;
    this.#view.y += dy;
    this.draw();
  }

  all() {
    this.#view = { k: 1, x: 0, y: 0 };
    this.draw();
  }

  draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#render();
    });
  }

  get #size() {
    return { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight };
  }

  /** @param {number} id */
  #at(id) {
    return this.#projection()(id);
  }

  /**
   * Feature to place on the canvas, [x, y]. Made once for a pass over all: asking the page for its size takes long.
   * @returns {(id: number) => Point}
   */
  #projection() {
    const { width, height } = this.#size;
    const { k, x, y } = this.#view;
    return (id) => [x + k * (PAD + this.#x[id] * (width - 2 * PAD)), y + k * (PAD + this.#y[id] * (height - 2 * PAD))];
  }

  #render() {
    const context = this.#context;
    const { width, height } = this.#size;
    if (!width) return;
    this.frames += 1;
    const style = getComputedStyle(this.#canvas);
    const ratio = this.#canvas.width / width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingEnabled = false;
    context.fillStyle = style.backgroundColor;
    context.fillRect(0, 0, width, height);
    const { k } = this.#view;
    const pictures = k >= PICTURES_FROM && this.#sprites.complete && this.#sprites.naturalWidth > 0;
    const side = pictures ? Math.min(48, Math.round(9 + 3 * k)) : Math.min(11, Math.round(POINT + 2 * (k - 1)));
    const line = style.color;
    const at = this.#projection();
    for (const lit of this.#lit ? [false, true] : [true]) {
      for (let id = 0; id < this.#x.length; id += 1) {
        if (!this.#shown[id] || (this.#lit && this.#lit.has(id) !== lit)) continue;
        const [x, y] = at(id);
        if (x < -side || y < -side || x > width + side || y > height + side) continue;
        context.globalAlpha = lit ? 1 : 0.16;
        const grown = this.#lit && lit ? Math.max(side, 9) : side;
        if (pictures) this.#picture(id, x, y, grown);
        else {
          context.fillStyle = this.#colours[id] ?? line;
          context.fillRect(Math.round(x - grown / 2), Math.round(y - grown / 2), grown, grown);
        }
      }
    }
    context.globalAlpha = 1;
    for (const id of new Set([this.#chosen, this.#hovered])) {
      if (id >= 0 && this.#x[id] !== undefined) this.#mark(id, pictures ? side : Math.max(side, 11), line, pictures);
    }
    if (this.#path) this.#loop(this.#path, line);
  }

  /**
   * @param {number} id
   * @param {number} x
   * @param {number} y
   * @param {number} side
   */
  #picture(id, x, y, side) {
    const context = this.#context;
    const [left, top] = [Math.round(x - side / 2), Math.round(y - side / 2)];
    context.fillStyle = this.#colours[id] ?? "#888";
    context.fillRect(left - 2, top - 2, side + 4, side + 4);
    context.drawImage(this.#sprites, (id % 64) * TILE, Math.floor(id / 64) * TILE, TILE, TILE, left, top, side, side);
  }

  /**
   * @param {number} id
   * @param {number} side
   * @param {string} line
   * @param {boolean} pictures
   */
  #mark(id, side, line, pictures) {
    const context = this.#context;
    const [x, y] = this.#at(id);
    if (pictures) this.#picture(id, x, y, side);
    context.strokeStyle = line;
    context.lineWidth = 2;
    context.strokeRect(Math.round(x - side / 2) - 4, Math.round(y - side / 2) - 4, side + 8, side + 8);
  }

  /**
   * @param {Point[]} path
   * @param {string} line
   */
  #loop(path, line) {
    const context = this.#context;
    context.beginPath();
    for (const [x, y] of path) context.lineTo(x, y);
    context.closePath();
    context.globalAlpha = 0.12;
    context.fillStyle = line;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = line;
    context.lineWidth = 1.5;
    context.stroke();
  }

  #resize() {
    const { width, height } = this.#size;
    const ratio = Math.min(2, devicePixelRatio);
    if (width && this.#shaped) {
      this.#view.x *= width / this.#shaped.width;
      this.#view.y *= height / this.#shaped.height;
    }
    if (width) this.#shaped = { width, height };
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.draw();
  }

  /**
   * The feature under a place of the canvas, or -1.
   * @param {number} x
   * @param {number} y
   */
  #near(x, y, reach = 14) {
    let found = -1;
    let best = reach * reach;
    const at = this.#projection();
    for (let id = 0; id < this.#x.length; id += 1) {
      if (!this.#shown[id]) continue;
      const [px, py] = at(id);
      const distance = (px - x) ** 2 + (py - y) ** 2 + (this.#lit && !this.#lit.has(id) ? 60 : 0);
      if (distance < best) [found, best] = [id, distance];
    }
    return found;
  }

  #listen() {
    const canvas = this.#canvas;
    /** @type {Map<number, Point>} */
    const fingers = new Map();
    /** @type {{at: Point, moved: boolean} | null} */
    let start = null;
    /**
     * @param {MouseEvent} event
     * @returns {Point}
     */
    const place = (event) => {
      const { left, top } = canvas.getBoundingClientRect();
      return [event.clientX - left, event.clientY - top];
    };
    /**
     * @param {number} id
     * @param {number} x
     * @param {number} y
     */
    const hover = (id, x, y) => {
      if (id !== this.#hovered) this.draw();
      this.#hovered = id;
      canvas.style.cursor = this.#lassoing ? "crosshair" : id >= 0 ? "pointer" : "grab";
      this.#on.hover(id, x, y);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      const at = place(event);
      fingers.set(event.pointerId, at);
      start = { at, moved: false };
      if ((this.#lassoing || event.shiftKey) && fingers.size === 1) this.#path = [at];
    });
    canvas.addEventListener("pointermove", (event) => {
      const at = place(event);
      const before = fingers.get(event.pointerId);
      if (!before || !start) return hover(this.#near(...at), ...at);
      if (Math.hypot(at[0] - start.at[0], at[1] - start.at[1]) > 4) start.moved = true;
      if (this.#path) {
        this.#path.push(at);
        this.draw();
      } else if (fingers.size === 2) {
        const [other] = [...fingers].filter(([pointer]) => pointer !== event.pointerId).map(([, spot]) => spot);
        /**
         * @param {Point} a
         * @param {Point} b
         */
        const spread = (a, b) => Math.max(8, Math.hypot(a[0] - b[0], a[1] - b[1]));
        this.zoom(spread(at, other) / spread(before, other), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
      } else if (start.moved) {
        this.pan(at[0] - before[0], at[1] - before[1]);
        hover(-1, 0, 0);
      }
      fingers.set(event.pointerId, at);
      return undefined;
    });
    /** @param {PointerEvent} event */
    const end = (event) => {
      const at = place(event);
      if (!fingers.delete(event.pointerId)) return;
      if (this.#path) {
        const path = this.#path;
        this.#path = null;
        this.draw();
        if (path.length > 3) this.#on.lasso(this.#inside(path));
      } else if (start && !start.moved && event.type === "pointerup") {
        const id = this.#near(...at, event.pointerType === "touch" ? 24 : 14);
        if (id >= 0) this.#on.choose(id);
      }
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("pointerleave", () => hover(-1, 0, 0));
    canvas.addEventListener(
      "wheel",
      (event) => {
        // Where the whole page scrolls, the wheel goes on doing that until the map has the focus.
        const scrolls = document.documentElement.scrollHeight > innerHeight + 4;
        if (scrolls && document.activeElement !== canvas && !event.ctrlKey) return;
        event.preventDefault();
        this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...place(event));
      },
      { passive: false },
    );
    canvas.addEventListener("dblclick", (event) => this.zoom(2, ...place(event)));
    canvas.addEventListener("keydown", (event) => {
      /** @type {Record<string, () => void>} */
      const keys = {
        ArrowLeft: () => this.pan(60, 0),
        ArrowRight: () => this.pan(-60, 0),
        ArrowUp: () => this.pan(0, 60),
        ArrowDown: () => this.pan(0, -60),
        "+": () => this.zoom(1.4),
        "=": () => this.zoom(1.4),
        "-": () => this.zoom(1 / 1.4),
        0: () => this.all(),
      };
      const run = keys[event.key];
      if (!run || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      run();
    });
  }

  /**
   * Features within a closed path, by the even-odd rule.
   * @param {Point[]} path
   */
  #inside(path) {
    const found = [];
    const at = this.#projection();
    for (let id = 0; id < this.#x.length; id += 1) {
      if (!this.#shown[id]) continue;
      const [x, y] = at(id);
      let inside = false;
      for (let i = 0, j = path.length - 1; i < path.length; j = i, i += 1) {
        const [[ax, ay], [bx, by]] = [path[i], path[j]];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
      }
      if (inside) found.push(id);
    }
    return found;
  }
}
