import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blur } from '../js/worker/blur.js';
import { overWhite, places, shrinkAlpha, strips } from '../js/worker/pixels.js';
import { over, shade, shadowOf } from '../js/worker/shadow.js';

const near = (got, want, name) => assert.ok(Math.abs(got - want) < 1e-5, `${name ?? ''} ${got}, not ${want}`);

test('strips cover every row once, in multiples of a block', () => {
  for (const [width, height, block] of [[1, 1, 1], [10_000, 999, 7], [300_000, 10, 4], [512, 513, 16]]) {
    let next = 0;
    strips(width, height, block, (from, to) => {
      assert.equal(from, next);
      assert.ok(to > from && from % block === 0);
      next = to;
    });
    assert.equal(next, height);
  }
});

test('blocks of alpha are averaged, the smaller ones at the edges too', () => {
  const alpha = { width: 3, height: 3, data: Uint8Array.from([255, 255, 0, 0, 0, 0, 255, 255, 255]) };
  const grid = shrinkAlpha(alpha, 2);
  assert.deepEqual([grid.width, grid.height], [2, 2]);
  assert.deepEqual([...grid.data], [0.5, 0, 1, 1]);
});

test('colours are averaged as they look on white', () => {
  const pixels = { width: 2, height: 1, data: Uint8ClampedArray.from([255, 0, 0, 255, 9, 9, 9, 0]) };
  const [red, green, blue] = overWhite(pixels, 2);
  near(red, 1);
  near(green, 0.5);
  near(blue, 0.5);
});

test('places lie between two samples', () => {
  const { first, second, t } = places(5, 3, (i) => i - 1);
  assert.deepEqual([...first], [0, 0, 1, 2, 2]);
  assert.deepEqual([...second], [1, 1, 2, 2, 2]);
  assert.ok(t.every((share) => share === 0));
});

test('a blur keeps flat areas, and the sum of what lies within', () => {
  assert.ok(blur(new Float32Array(100).fill(0.25), 10, 10, 2, 3).every((v) => Math.abs(v - 0.25) < 1e-5));
  const dot = new Float32Array(41 * 41);
  dot[20 * 41 + 20] = 1;
  blur(dot, 41, 41, 3, 2);
  near(dot.reduce((a, b) => a + b), 1, 'the sum is');
  near(dot[20 * 41 + 19], dot[20 * 41 + 21], 'beside the middle');
});

test('a shadow lies where the subject stands, and nowhere without one', () => {
  const alpha = { width: 40, height: 40, data: new Uint8Array(1600) };
  assert.equal(shadowOf(alpha), null);
  for (let y = 10; y < 30; y += 1) alpha.data.fill(255, y * 40 + 15, y * 40 + 25);
  const shadow = shadowOf(alpha);
  assert.ok(shadow.at(20, 29) > 0.9 && shadow.at(20, 5) === 0 && shadow.at(2, 20) === 0);
  alpha.data.fill(255, 39 * 40, 40 * 40); // it goes on beyond the picture
  assert.equal(shadowOf(alpha), null);
});

test('a shadow darkens only what the subject leaves', () => {
  near(over(255, 0.5), 1);
  near(over(0, 0.5), 0.5);
  const image = { width: 2, height: 1, data: Uint8ClampedArray.from([10, 20, 30, 255, 200, 200, 200, 0]) };
  shade(image, { at: () => 1 }, 0.5, 0, 0);
  assert.deepEqual([...image.data], [10, 20, 30, 255, 0, 0, 0, 128]);
});
