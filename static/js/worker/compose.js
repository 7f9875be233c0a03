// Crops a cut-out, puts a shadow and a background behind it, and encodes the
// whole; pixel for pixel as the server does it, as far as canvases, which hold
// colours multiplied by alpha, let it.

import { frame } from '../frame.js';
import { backdropOf, lay } from './backdrop.js';
import { alphaOf, rowsOf, strips } from './pixels.js';
import { over, shade, shadowOf } from './shadow.js';

const VISIBLE = 13; // the least alpha that counts as part of the subject

// compose resolves to a Blob of type. margin, where not null, crops to the subject
// with that share of its longer side around it; shadow is an opacity, 0 to 1;
// background is as in backdrop.js, or null.
export async function compose({ cutout, margin, shadow, background, type }) {
  const subject = await createImageBitmap(cutout);
  const alpha = margin !== null || shadow ? alphaOf(subject) : null;
  const cast = shadow ? shadowOf(alpha) : null;
  const part = frame(margin === null ? null : bounds(alpha, cast, shadow), margin, subject);
  const canvas = new OffscreenCanvas(part.width, part.height);
  const context = canvas.getContext('2d');
  const behind = await backdropOf(background ?? (type === 'image/jpeg' ? WHITE : null), part, subject);
  const rows = rowsOf(subject, part.left, part.width);
  strips(part.width, part.height, 1, (from, to) => {
    const pixels = rows(part.top + from, part.top + to);
    if (cast) shade(pixels, cast, shadow, part.left, part.top + from);
    if (behind) lay(pixels, behind, from);
    context.putImageData(pixels, 0, from);
  });
  behind?.close();
  subject.close();
  const blob = await canvas.convertToBlob({ type, quality: 0.92 });
  if (blob.type !== type) throw new Error('This browser cannot write that format. Choose PNG instead.');
  return blob;
}

const WHITE = { kind: 'colour', colour: '#ffffff' };

// survey resolves to what a page needs to show a shadow and a crop: { width,
// height, bounds, cast }. bounds is of the subject with a shadow of that opacity,
// null where nothing shows; cast is { picture, across, down }, the shadow as a small PNG
// and its size as shares of the cut-out's, null where there is none.
export async function survey({ cutout, shadow }) {
  const subject = await createImageBitmap(cutout);
  const { width, height } = subject;
  const alpha = alphaOf(subject);
  const cast = shadowOf(alpha);
  subject.close();
  return { width, height, bounds: bounds(alpha, shadow ? cast : null, shadow), cast: cast && await drawn(cast, width, height) };
}

async function drawn({ grid, block }, width, height) {
  const image = new ImageData(grid.width, grid.height);
  grid.data.forEach((v, i) => {
    image.data[4 * i + 3] = Math.round(v * 255);
  });
  const canvas = new OffscreenCanvas(grid.width, grid.height);
  canvas.getContext('2d').putImageData(image, 0, 0);
  return { picture: await canvas.convertToBlob({ type: 'image/png' }), across: (grid.width * block) / width, down: (grid.height * block) / height };
}

// bounds returns the smallest rectangle that holds everything visible.
function bounds({ width, height, data }, cast, shadow) {
  const shows = (x, y) => {
    const a = data[y * width + x];
    return a >= VISIBLE || (cast !== null && Math.floor(over(a, shadow * cast.at(x, y)) * 255 + 0.5) >= VISIBLE);
  };
  let [left, right, top, bottom] = [width, -1, -1, -1];
  for (let y = 0; y < height; y += 1) {
    let [first, last] = [0, width - 1];
    while (first <= last && !shows(first, y)) first += 1;
    if (first > last) continue;
    while (!shows(last, y)) last -= 1;
    left = Math.min(left, first);
    right = Math.max(right, last);
    if (top < 0) top = y;
    bottom = y;
  }
  return right < 0 ? null : { left, top, width: right + 1 - left, height: bottom + 1 - top };
}
