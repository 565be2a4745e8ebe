// The dense decoder and the steering of plans in plain typed arrays, as `swiggle/models/dense.py` and
// `swiggle/editing/steering.py` have them.

import { strengthAfter } from "../editor/plan.js";

/** @import { Mask, Operation, Plan } from "../shared/types.js" */

/**
 * @typedef {object} Layer
 * @property {number} rows
 * @property {number} columns
 * @property {Float32Array} scale
 * @property {Float32Array} weight
 * @property {Float32Array} bias
 */

const SIDE = 8; // cells of a mask
const EPSILON = 1.1920929e-7; // of float32, which torch's rms_norm adds

/** @param {number} x */
const silu = (x) => x / (1 + Math.exp(-x));

/**
 * y = W x + b, with W as int8 rows and a scale a row.
 * @param {Layer} layer
 * @param {Float32Array} x
 */
function apply({ scale, weight, bias, rows, columns }, x) {
  const y = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    let [a, b, c, d] = [0, 0, 0, 0];
    let i = row * columns;
    for (let column = 0; column < columns; column += 4, i += 4) {
      a += weight[i] * x[column];
      b += weight[i + 1] * x[column + 1];
      c += weight[i + 2] * x[column + 2];
      d += weight[i + 3] * x[column + 3];
    }
    y[row] = (a + b + c + d) * scale[row] + bias[row];
  }
  return y;
}

/**
 * A layer of 3 x 3 convolutions on [channels, side, side], which sees zeros around it.
 * @param {Layer} layer
 * @param {Float32Array} x
 * @param {number} side
 */
function convolve({ scale, weight, bias, rows, columns }, x, side) {
  const plane = side * side;
  const y = new Float32Array(rows * plane);
  for (let row = 0; row < rows; row += 1) {
    const start = row * plane;
    for (let column = 0; column < columns; column += 1) {
      const w = weight[row * columns + column];
      const [down, right] = [Math.floor((column % 9) / 3) - 1, (column % 3) - 1];
      const from = Math.floor(column / 9) * plane + down * side + right;
      for (let top = Math.max(0, -down); top < side - Math.max(0, down); top += 1) {
        const end = top * side + side - Math.max(0, right);
        for (let i = top * side + Math.max(0, -right); i < end; i += 1) y[start + i] += w * x[from + i];
      }
    }
    for (let i = start; i < start + plane; i += 1) y[i] = y[i] * scale[row] + bias[row];
  }
  return y;
}

/**
 * Where each value of a picture [3, size, size] stands once squares of `fold` x `fold` pixels are channels.
 * @param {number} size
 * @param {number} fold
 */
function folded(size, fold) {
  const side = size / fold;
  return Int32Array.from({ length: 3 * size * size }, (_, i) => {
    const [column, row, channel] = [i % size, Math.floor(i / size) % size, Math.floor(i / (size * size))];
    const inner = (channel * fold + (row % fold)) * fold + (column % fold);
    return (inner * side + Math.floor(row / fold)) * side + Math.floor(column / fold);
  });
}

/** @param {number} bits */
function halfToFloat(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
}

/** @param {ArrayBuffer} buffer */
export function floatsFromHalves(buffer) {
  const table = Float32Array.from({ length: 65536 }, (_, bits) => halfToFloat(bits));
  return Float32Array.from(new Uint16Array(buffer), (bits) => table[bits]);
}

export class Decoder {
  /**
   * @param {[number, number][]} shapes [rows, columns] of each layer
   * @param {ArrayBuffer} buffer as `serve/export.py` wrote it
   * @param {number} imageSize
   */
  constructor(shapes, buffer, imageSize) {
    this.imageSize = imageSize;
    let at = 0;
    /** @type {Layer[]} */
    this.layers = shapes.map(([rows, columns]) => {
      const scale = new Float32Array(buffer.slice(at, at + 4 * rows));
      // As floats the rows need no conversion in the inner loop.
      const weight = Float32Array.from(new Int8Array(buffer, at + 4 * rows, rows * columns));
      const end = at + 4 * rows + rows * columns;
      const bias = new Float32Array(buffer.slice(end, end + 4 * rows));
      at = end + 4 * rows;
      return { rows, columns, scale, weight, bias };
    });
    const painted = this.layers.findLastIndex(({ rows }) => rows === 3 * imageSize * imageSize);
    this.refinement = this.layers.splice(painted + 1);
  }

  /**
   * A latent to a picture, float32 [3, S, S] about -1 to 1.
   * @param {Float32Array} latent
   */
  decode(latent) {
    const [first, ...rest] = this.layers;
    const last = /** @type {Layer} */ (rest.pop());
    let x = apply(first, latent);
    for (const layer of rest) {
      let square = 0;
      for (const value of x) square += value * value;
      const norm = 1 / Math.sqrt(square / x.length + EPSILON);
      const y = apply(
        layer,
        x.map((value) => value * norm),
      );
      x = x.map((value, i) => value + silu(y[i]));
    }
    return this.#refined(apply(last, x.map(silu)));
  }

  /**
   * A picture [3, S, S] corrected by the convolutions of `swiggle/models/refine.py`, where there are any.
   * @param {Float32Array} picture
   */
  #refined(picture) {
    if (!this.refinement.length) return picture;
    const [enter, ...rest] = this.refinement;
    const leave = /** @type {Layer} */ (rest.pop());
    const fold = Math.sqrt(leave.rows / 3);
    const side = this.imageSize / fold;
    const places = folded(this.imageSize, fold);
    let x = new Float32Array(picture.length);
    for (const [i, place] of places.entries()) x[place] = picture[i];
    x = convolve(enter, x, side);
    for (const layer of rest) {
      const y = convolve(layer, x, side);
      x = x.map((value, i) => value + silu(y[i]));
    }
    const change = convolve(leave, x.map(silu), side);
    return picture.map((value, i) => value + change[places[i]]);
  }
}

export class Steering {
  /**
   * @param {Decoder} decoder
   * @param {Float32Array} rows [features, latent_dim]
   * @param {number[]} units the mean activation of each feature
   */
  constructor(decoder, rows, units) {
    this.decoder = decoder;
    this.rows = rows;
    this.units = units;
  }

  /**
   * The edited picture of a latent whose active features have these strengths.
   * @param {Float32Array} latent
   * @param {Map<number, number>} strengths
   * @param {Plan} plan
   */
  steer(latent, strengths, plan) {
    const size = this.decoder.imageSize;
    return new ImageData(this.pixels(latent, strengths, plan), size, size);
  }

  /**
   * The same as RGBA [S, S, 4], for where there is no `ImageData`.
   * @param {Float32Array} latent
   * @param {Map<number, number>} strengths
   * @param {Plan} plan
   */
  pixels(latent, strengths, plan) {
    const plain = plan.operations.filter(({ mask }) => !mask);
    /** @type {Map<string, Operation[]>} */
    const groups = new Map();
    for (const operation of plan.operations) {
      if (operation.mask)
        groups.set(JSON.stringify(operation.mask), [...(groups.get(JSON.stringify(operation.mask)) ?? []), operation]);
    }
    const changed = this.#changed(strengths, plain);
    const base = this.#moved(latent, strengths, changed);
    const picture = this.decoder.decode(base);
    for (const [mask, operations] of groups) {
      const after = this.#changed(changed, operations);
      blend(picture, this.decoder.decode(this.#moved(base, changed, after)), JSON.parse(mask), this.decoder.imageSize);
    }
    return toPixels(picture);
  }

  /**
   * @param {Map<number, number>} strengths
   * @param {Operation[]} operations
   */
  #changed(strengths, operations) {
    const after = new Map(strengths);
    for (const operation of operations)
      after.set(operation.feature, strengthAfter(operation, after.get(operation.feature) ?? 0));
    return after;
  }

  /**
   * @param {Float32Array} latent
   * @param {Map<number, number>} before
   * @param {Map<number, number>} after
   */
  #moved(latent, before, after) {
    const moved = Float32Array.from(latent);
    const size = moved.length;
    for (const [feature, strength] of after) {
      const delta = (strength - (before.get(feature) ?? 0)) * this.units[feature];
      if (delta) for (let i = 0; i < size; i += 1) moved[i] += delta * this.rows[feature * size + i];
    }
    return moved;
  }
}

/**
 * float [3, S, S] about -1 to 1 as RGBA [S, S, 4], clipped and rounded.
 * @param {Float32Array} picture
 */
function toPixels(picture) {
  const plane = picture.length / 3;
  const pixels = new Uint8ClampedArray(4 * plane);
  for (let i = 0; i < plane; i += 1) {
    for (let channel = 0; channel < 3; channel += 1)
      pixels[4 * i + channel] = (picture[channel * plane + i] + 1) * 127.5;
    pixels[4 * i + 3] = 255;
  }
  return pixels;
}

/**
 * @param {Float32Array} picture is changed
 * @param {Float32Array} other
 * @param {Mask} mask
 * @param {number} size
 */
function blend(picture, other, mask, size) {
  const cell = size / SIDE;
  for (let channel = 0; channel < 3; channel += 1) {
    for (let y = 0; y < size; y += 1) {
      for (let x = 0; x < size; x += 1) {
        const i = (channel * size + y) * size + x;
        picture[i] += mask[Math.floor((y + 0.5) / cell)][Math.floor((x + 0.5) / cell)] * (other[i] - picture[i]);
      }
    }
  }
}
