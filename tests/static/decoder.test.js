import assert from "node:assert/strict";
import { test } from "node:test";
import { Decoder, Steering, floatsFromHalves } from "../../serve/static/api/decoder.js";
import { bytes, golden } from "./golden.js";

const { image_size: size, layers, weights } = golden.decoder;
const decoder = new Decoder(layers, bytes(weights), size);
const steering = new Steering(decoder, floatsFromHalves(bytes(golden.dictionary)), golden.units);
const latent = new Float32Array(bytes(golden.latent));
const strengths = new Map(golden.active);

/** How far each value of pixels RGBA is from that of a picture RGB. */
const apart = (pixels, picture) =>
  pixels.filter((_, i) => i % 4 !== 3).map((value, i) => Math.abs(value - picture[i]));

test("halves are read as numpy writes them", () => {
  const halves = Uint16Array.from([0x0000, 0x3c00, 0xbc00, 0x3555, 0x0001, 0x03ff, 0x0400, 0x7bff]);
  const floats = [0, 1, -1, 0.333251953125, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504];
  assert.deepEqual([...floatsFromHalves(halves.buffer)], floats);
});

test("a latent is decoded as torch does it", () => {
  const found = decoder.decode(latent);
  assert.equal(found.length, golden.decoded.length);
  for (const [i, value] of found.entries())
    assert.ok(Math.abs(value - golden.decoded[i]) < 1e-4, `value ${i}: ${value}, not ${golden.decoded[i]}`);
});

test("a refined picture is the one that torch makes", () => {
  const { image_size: side, layers: shapes, weights: kept, decoded } = golden.refined;
  const refined = new Decoder(shapes, bytes(kept), side);
  assert.equal(refined.refinement.length, 4);
  const found = refined.decode(latent);
  assert.equal(found.length, decoded.length);
  for (const [i, value] of found.entries())
    assert.ok(Math.abs(value - decoded[i]) < 1e-4, `value ${i}: ${value}, not ${decoded[i]}`);
});

for (const { name, operations, picture } of golden.steered) {
  test(`the picture that Python steers to, by ${name}`, () => {
    const pixels = steering.pixels(latent, strengths, { version: 1, operations });
    assert.equal(pixels.length, 4 * size * size);
    // Sums in another order now and then round the other way.
    const off = apart(pixels, new Uint8Array(bytes(picture))).filter((distance) => distance > 0);
    assert.ok(off.every((distance) => distance === 1) && off.length < 0.01 * pixels.length, `off by ${off}`);
    assert.ok(pixels.every((value, i) => i % 4 !== 3 || value === 255), "opaque");
  });
}

test("steering leaves the latent and the strengths alone", () => {
  const [before, had] = [[...latent], [...strengths]];
  steering.pixels(latent, strengths, { version: 1, operations: [{ op: "set", feature: 1, strength: 4 }] });
  assert.deepEqual([[...latent], [...strengths]], [before, had]);
});
