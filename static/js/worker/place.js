// Draws a cut-out on a canvas, as the server's compose.Place does.

import { rowsOf } from './pixels.js';

const BITS = 15; // of the weights
const AT_ONCE = 1 << 18; // pixels read

// place resolves to the ImageData of a canvas (see ../frame.js) with the picture on it.
export function place(bitmap, { width, height, across, down }) {
  const x = visible(across, bitmap.width, width);
  const y = visible(down, bitmap.height, height);
  const out = new ImageData(width, height);
  if (!x || !y) return out;
  const row = reader(bitmap, x.first, x.last - x.first);
  const [from, to] = [Math.max(0, x.start), Math.min(width, x.end)];
  if (across.scale === 1) {
    for (let j = Math.max(0, y.start); j < Math.min(height, y.end); j += 1) {
      const pixels = row(y.first + j - y.start);
      out.data.set(pixels.subarray(4 * (from - x.start), 4 * (to - x.start)), 4 * (j * width + from));
    }
    return out;
  }
  const columns = axis(x.last - x.first, x.end - x.start).slice(from - x.start, to - x.start);
  const rows = axis(y.last - y.first, y.end - y.start);
  const scaled = kept((j) => scaleRow(row(y.first + j), columns), rows.reduce((most, t) => Math.max(most, t.weights.length), 1));
  for (let j = Math.max(0, y.start); j < Math.min(height, y.end); j += 1) {
    mix(rows[j - y.start], scaled, out.data.subarray(4 * (j * width + from), 4 * (j * width + to)));
  }
  return out;
}

// visible returns the part [first, last) of count pixels that shows in size, and where
// it lies, [start, end); null for none.
function visible({ at, scale, zero }, count, size) {
  const back = (v) => (v - at) / scale + zero;
  const round = (v) => Math.sign(v) * Math.round(Math.abs(v)); // halves away from 0
  const first = Math.max(0, Math.floor(back(0)));
  const last = Math.min(count, Math.ceil(back(size)));
  if (first >= last) return null;
  const start = round(at + scale * (first - zero));
  const end = Math.max(start + 1, round(at + scale * (last - zero)));
  return start < size && end > 0 ? { first, last, start, end } : null;
}

// axis returns the source samples that make each of to samples, { first, weights },
// by the triangle filter, as core/resample does.
function axis(from, to) {
  const step = from / to;
  const reach = Math.max(step, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * step;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.max(first + 1, Math.min(from, Math.trunc(centre + reach + 0.5)));
    const exact = Array.from({ length: last - first }, (__, j) => Math.max(0, 1 - Math.abs((first + j + 0.5 - centre) / reach)));
    const total = exact.reduce((a, b) => a + b, 0);
    let [sum, given] = [0, 0];
    const weights = exact.map((w) => {
      sum += w;
      const upTo = Math.round((sum / total) * 2 ** BITS);
      const weight = upTo - given;
      given = upTo;
      return weight;
    });
    return { first, weights };
  });
}

// scaleRow returns a row scaled across: colours times alpha, and alpha.
function scaleRow(pixels, columns) {
  const out = new Float32Array(4 * columns.length);
  columns.forEach(({ first, weights }, x) => {
    let [r, g, b, a] = [0, 0, 0, 0];
    for (let i = 0, p = 4 * first; i < weights.length; i += 1, p += 4) {
      const v = weights[i] * pixels[p + 3];
      r += v * pixels[p];
      g += v * pixels[p + 1];
      b += v * pixels[p + 2];
      a += v;
    }
    out.set([r, g, b, a], 4 * x);
  });
  return out;
}

// mix writes one row of the canvas.
function mix({ first, weights }, scaled, pix) {
  const sums = new Float64Array(pix.length);
  weights.forEach((weight, i) => {
    const row = scaled(first + i);
    for (let j = 0; j < sums.length; j += 1) sums[j] += weight * row[j];
  });
  for (let i = 0; i < sums.length; i += 4) {
    const alpha = Math.floor(sums[i + 3] / 2 ** (2 * BITS) + 0.5);
    pix[i + 3] = alpha;
    if (alpha === 0) continue;
    for (let c = i; c < i + 3; c += 1) pix[c] = Math.floor(sums[c] / sums[i + 3] + 0.5);
  }
}

// kept remembers the last so many rows that make returned.
function kept(make, most) {
  const rows = new Map();
  return (y) => {
    if (!rows.has(y)) {
      if (rows.size === most) rows.delete(rows.keys().next().value);
      rows.set(y, make(y));
    }
    return rows.get(y);
  };
}

// reader returns a function that reads one row of some columns; rows near it are read
// along.
function reader(bitmap, left, width) {
  const rows = rowsOf(bitmap, left, width);
  const many = Math.max(1, Math.floor(AT_ONCE / width));
  let [start, end, data] = [0, 0, null];
  return (y) => {
    if (y < start || y >= end) {
      [start, end] = [y, Math.min(bitmap.height, y + many)];
      ({ data } = rows(start, end));
    }
    return data.subarray(4 * (y - start) * width, 4 * (y - start + 1) * width);
  };
}
