// A blur that approximates a Gaussian, and the blurred background of a photo
// without its subject.

import { alphaOf, overWhite, rowsOf, shrinkAlpha, strips } from './pixels.js';

const SIDE = 256; // about the long side that a blurred picture is kept at
const RADIUS = 0.05; // of the box at the most, as a share of the long side
const FLOOR = 1 / 128; // the weight of what the subject hides

// blurred resolves to a small, blurred picture of what lies behind the subject, as
// a PNG; amount is in per cent of the most. Original and cut-out may differ in size, not in shape.
export async function blurred({ original, cutout, amount }) {
  const photo = await createImageBitmap(original);
  const { width, height } = photo;
  const subject = await createImageBitmap(cutout, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' });
  const block = Math.ceil(Math.max(width, height) / SIDE);
  const alpha = shrinkAlpha(alphaOf(subject), block);
  subject.close();
  const colours = new Float32Array(3 * alpha.data.length);
  const rows = rowsOf(photo);
  strips(width, height, block, (from, to) => {
    colours.set(overWhite(rows(from, to), block), 3 * alpha.width * Math.floor(from / block));
  });
  photo.close();
  const canvas = new OffscreenCanvas(alpha.width, alpha.height);
  canvas.getContext('2d').putImageData(behind(colours, alpha, amount), 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}

// behind blurs colours, each with the weight of what the subject leaves of it.
function behind(colours, { width, height, data: alpha }, amount) {
  const radius = Math.round((RADIUS * amount * Math.max(width, height)) / 100);
  const plane = (value) => blur(Float32Array.from(alpha, (a, i) => value(i) * (1 - a + FLOOR)), width, height, radius, radius);
  const weights = plane(() => 1);
  const image = new ImageData(width, height);
  image.data.fill(255);
  for (let c = 0; c < 3; c += 1) {
    plane((i) => colours[3 * i + c]).forEach((sum, i) => {
      image.data[4 * i + c] = Math.floor((sum / weights[i]) * 255 + 0.5);
    });
  }
  return image;
}

// blur averages a plane three times over boxes of 2 * across + 1 by
// 2 * down + 1, in place.
export function blur(plane, width, height, across, down) {
  const line = new Float64Array(Math.max(width, height));
  for (let pass = 0; pass < 3; pass += 1) {
    for (let y = 0; y < height; y += 1) box(plane, y * width, width, 1, across, line);
    for (let x = 0; x < width; x += 1) box(plane, x, height, width, down, line);
  }
  return plane;
}

// box averages n samples that lie step apart, those beyond either end being
// equal to the outermost.
function box(plane, start, n, step, radius, line) {
  for (let i = 0; i < n; i += 1) line[i] = plane[start + i * step];
  const at = (i) => line[Math.max(0, Math.min(n - 1, i))];
  let sum = 0;
  for (let i = -radius; i <= radius; i += 1) sum += at(i);
  for (let i = 0; i < n; i += 1) {
    plane[start + i * step] = sum / (2 * radius + 1);
    sum += at(i + radius + 1) - at(i - radius);
  }
}
