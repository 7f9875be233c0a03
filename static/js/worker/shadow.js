// A soft shadow where the subject touches the ground.

import { blur } from './blur.js';
import { places, shrinkAlpha } from './pixels.js';

const SIDE = 512; // about the long side of the grid that a shadow is made on
// What lies within FOOT of the subject's height above the lowest point around
// it stands on the ground there, if that is within TREAD of the lowest of all.
const FOOT = 0.03;
const TREAD = 0.1;
// AROUND is how far to look for that point; then the shadow's half height and
// the radii of its blur: shares of the subject's longer side.
const AROUND = 0.1;
const HEIGHT = 0.008;
const ACROSS = 0.03;
const DOWN = 0.012;

// shadowOf returns { grid, block, at } for an alpha: grid is the shadow on
// blocks of pixels, 1 where it is darkest, and at(x, y) its value at a pixel;
// null where the subject stands on nothing that shows.
export function shadowOf(alpha) {
  const { width, height } = alpha;
  const block = Math.max(1, Math.round(Math.max(width, height) / SIDE));
  const grid = shrinkAlpha(alpha, block);
  const plane = draw(grid);
  if (!plane) return null;
  const along = (n, count) => places(n, count, (i) => (i + 0.5) / block - 0.5);
  const columns = along(width, grid.width);
  const rows = along(height, grid.height);
  const at = (x, y) => {
    const [left, right, t] = [columns.first[x], columns.second[x], columns.t[x]];
    const [a, b] = [rows.first[y] * grid.width, rows.second[y] * grid.width];
    const top = plane[a + left] + t * (plane[a + right] - plane[a + left]);
    const bottom = plane[b + left] + t * (plane[b + right] - plane[b + left]);
    return top + rows.t[y] * (bottom - top);
  };
  return { grid: { width: grid.width, height: grid.height, data: plane }, block, at };
}

function draw({ width, height, data }) {
  const { lowest, left, right, top, bottom } = outline(data, width);
  if (right < left || bottom === height - 1) return null;
  const tall = bottom + 1 - top;
  const long = Math.max(right + 1 - left, tall);
  const half = Math.max(1, Math.round(HEIGHT * long));
  const reach = Math.round(AROUND * long);
  const plane = new Float32Array(data.length);
  for (let x = left; x <= right; x += 1) {
    const ground = Math.max(...lowest.subarray(Math.max(0, x - reach), Math.min(width, x + reach + 1)));
    if (ground - lowest[x] > FOOT * tall || bottom - ground > TREAD * tall) continue;
    for (let y = Math.max(0, ground + 1 - half); y < Math.min(height, ground + 1 + half); y += 1) plane[y * width + x] = 1;
  }
  blur(plane, width, height, Math.round(ACROSS * long), Math.round(DOWN * long));
  const most = plane.reduce((a, b) => Math.max(a, b));
  return plane.map((v) => v / most);
}

// outline returns the lowest row of at least one half in each column, far above
// the grid where there is none, and what holds all such cells.
function outline(data, width) {
  const lowest = new Int32Array(width).fill(-(2 ** 30));
  const box = { left: width, right: -1, top: Infinity, bottom: -1 };
  data.forEach((a, i) => {
    if (a < 0.5) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    lowest[x] = y;
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = y;
  });
  return { lowest, ...box };
}

// over returns the alpha, 0 to 1, of a pixel of alpha a, 0 to 255, above a shadow.
export const over = (a, s) => a / 255 + s * (1 - a / 255);

// shade puts the shadow, of some opacity, under rows from y on, in place.
export function shade({ data, width, height }, { at }, opacity, left, from) {
  for (let y = 0, p = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, p += 4) {
      const a = data[p + 3];
      if (a === 255) continue;
      const s = opacity * at(left + x, from + y);
      const sum = over(a, s);
      if (s <= 0 || sum <= 0) continue;
      const keep = a / 255 / sum;
      for (let c = p; c < p + 3; c += 1) data[c] = Math.floor(data[c] * keep + 0.5);
      data[p + 3] = Math.floor(sum * 255 + 0.5);
    }
  }
}
