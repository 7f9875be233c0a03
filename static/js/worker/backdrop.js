// What is laid behind a cut-out.

import { overWhite, places, rowsOf } from './pixels.js';

// backdropOf resolves to { fill, close } for a background: fill(y, line) writes the
// R, G, B of row y of the frame, 0 to 65535; null where there is none. It is
//
//   { kind: 'colour', colour }
//   { kind: 'gradient', from, to, degrees }
//   { kind: 'picture', picture, whole }: a Blob, scaled to cover the frame, or
//     the whole that the frame is part of
export async function backdropOf(background, frame, whole) {
  if (background?.kind === 'colour') return { fill: plain(background), close() {} };
  if (background?.kind === 'gradient') return { fill: gradient(background, frame), close() {} };
  if (background?.kind !== 'picture') return null;
  const bitmap = await createImageBitmap(background.picture);
  const area = background.whole ? { ...frame, over: whole } : { left: 0, top: 0, width: frame.width, over: frame };
  return { fill: picture(bitmap, area), close: () => bitmap.close() };
}

const parts = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

function plain({ colour }) {
  const rgb = parts(colour).map((v) => v * 257);
  return (y, line) => {
    for (let i = 0; i < line.length; i += 3) line.set(rgb, i);
  };
}

// gradient runs as in CSS: 0 degrees upwards, 90 to the right.
function gradient({ from, to, degrees }, { width, height }) {
  const [a, b] = [parts(from), parts(to)];
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  const length = width * Math.abs(sin) + height * Math.abs(cos);
  return (y, line) => {
    for (let x = 0; x < width; x += 1) {
      const t = 0.5 + ((x + 0.5 - width / 2) * sin - (y + 0.5 - height / 2) * cos) / length;
      for (let c = 0; c < 3; c += 1) line[3 * x + c] = Math.floor(257 * (a[c] + t * (b[c] - a[c])) + 0.5);
    }
  };
}

// picture covers an area, over, of which rows of a width from left and top on
// are wanted.
function picture(bitmap, { left, top, width, over }) {
  const block = Math.max(1, Math.floor(Math.min(bitmap.width / over.width, bitmap.height / over.height)));
  const [columns, rows] = [Math.ceil(bitmap.width / block), Math.ceil(bitmap.height / block)];
  const scale = Math.max(over.width / columns, over.height / rows);
  const covering = (n, count, first, side) => places(n, count, (i) => (first + i + 0.5 - side / 2) / scale + count / 2 - 0.5);
  const across = covering(width, columns, left, over.width);
  const row = lastRows(bitmap, block);
  return (y, line) => {
    const down = covering(1, rows, top + y, over.height);
    const [a, b, t] = [row(down.first[0]), row(down.second[0]), down.t[0]];
    for (let x = 0, i = 0; x < width; x += 1) {
      const [p, q, u] = [3 * across.first[x], 3 * across.second[x], across.t[x]];
      for (let c = 0; c < 3; c += 1, i += 1) {
        const upper = a[p + c] + u * (a[q + c] - a[p + c]);
        const lower = b[p + c] + u * (b[q + c] - b[p + c]);
        line[i] = Math.floor((upper + t * (lower - upper)) * 65535 + 0.5);
      }
    }
  };
}

// lastRows returns a function that reads rows of blocks, and remembers the last two.
function lastRows(bitmap, block) {
  const pixels = rowsOf(bitmap);
  const known = new Map();
  return (y) => {
    if (!known.has(y)) {
      if (known.size === 2) known.delete(known.keys().next().value);
      known.set(y, overWhite(pixels(y * block, Math.min(bitmap.height, (y + 1) * block)), block));
    }
    return known.get(y);
  };
}

// lay puts the background behind rows from y on, in place.
export function lay({ data, width, height }, { fill }, from) {
  const line = new Uint16Array(3 * width);
  for (let y = 0, p = 0; y < height; y += 1) {
    fill(from + y, line);
    for (let x = 0; x < width; x += 1, p += 4) {
      const a = data[p + 3];
      if (a === 255) continue;
      for (let c = 0; c < 3; c += 1) data[p + c] = Math.floor((data[p + c] * a * 257 + line[3 * x + c] * (255 - a) + 32767) / 65535);
      data[p + 3] = 255;
    }
  }
}
