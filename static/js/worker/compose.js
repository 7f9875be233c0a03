// Crops a cut-out, puts a shadow and a background behind it, and encodes the
// whole; pixel for pixel as the server does it, as far as canvases, which hold
// colours multiplied by alpha, let it.

import { canvas as canvasOf, frame } from '../frame.js';
import { backdropOf, lay } from './backdrop.js';
import { alphaOf, rowsOf, strips } from './pixels.js';
import { place } from './place.js';
import { over, shade, shadowOf } from './shadow.js';

// The least alpha that counts as part of the subject, and as its body.
const VISIBLE = 13;
const SOLID = 128;

// compose resolves to a Blob of type. margin, where not null, crops to the subject
// with that share of its longer side around it; with a kind of frame (../frame.js) it
// lies on a canvas instead; shadow is an opacity, 0 to 1; background is as in
// backdrop.js, or null.
export async function compose({ cutout, margin, frame: kind, shadow, background, type }) {
  if (kind) return composeFramed({ cutout, margin, kind, shadow, background, type });
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
  return encoded(canvas, type);
}

// composeFramed is compose for a canvas. The shadow is drawn on it, so that the
// photo's border does not cut it off.
async function composeFramed({ cutout, margin, kind, shadow, background, type }) {
  const subject = await createImageBitmap(cutout);
  const part = canvasOf(kind, margin, bodyOf(alphaOf(subject)), subject);
  const { width, height } = part;
  if (width * height > MOST || Math.max(width, height) > LONGEST) throw new Error('The picture would be too large. Choose less space around the subject, or a size.');
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  const behind = await backdropOf(background ?? (type === 'image/jpeg' ? WHITE : null), { left: 0, top: 0, width, height }, part);
  const { data } = place(subject, part);
  subject.close();
  const alpha = shadow ? { width, height, data: Uint8Array.from({ length: width * height }, (_, i) => data[4 * i + 3]) } : null;
  const cast = shadow ? shadowOf(alpha) : null;
  strips(width, height, 1, (from, to) => {
    const pixels = new ImageData(data.subarray(4 * from * width, 4 * to * width), width);
    if (cast) shade(pixels, cast, shadow, 0, from);
    if (behind) lay(pixels, behind, from);
    context.putImageData(pixels, 0, from);
  });
  behind?.close();
  return encoded(canvas, type);
}

const MOST = 50e6; // pixels of a canvas
const LONGEST = 32767;

async function encoded(canvas, type) {
  const blob = await canvas.convertToBlob({ type, quality: 0.92 });
  if (blob.type !== type) throw new Error('This browser cannot write that format. Choose PNG instead.');
  return blob;
}

const WHITE = { kind: 'colour', colour: '#ffffff' };

// survey resolves to what a page needs to show a shadow and a crop: { width,
// height, bounds, body, cast }. bounds is of the subject with a shadow of that opacity,
// null where nothing shows; body is of what is solid; cast is { picture, across, down },
// the shadow as a small PNG and its size as shares of the cut-out's, or of the canvas's
// with a kind of frame, null where there is none.
export async function survey({ cutout, shadow, frame: kind, margin }) {
  const subject = await createImageBitmap(cutout);
  const { width, height } = subject;
  const alpha = alphaOf(subject);
  const body = bodyOf(alpha);
  const small = kind ? sketch(subject, canvasOf(kind, margin, body, subject)) : alpha;
  subject.close();
  const cast = shadowOf(small);
  return { width, height, bounds: bounds(alpha, shadow && !kind ? cast : null, shadow), body, cast: cast && await drawn(cast, small.width, small.height) };
}

const SKETCH = 1024; // pixels on the long side of a canvas that only shows where a shadow falls

// sketch returns the alpha of a canvas, smaller.
function sketch(subject, { width, height, across, down }) {
  const k = Math.min(1, SKETCH / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(k * width)), Math.max(1, Math.round(k * height)));
  const [left, top] = [across, down].map(({ at, scale, zero }) => k * (at - scale * zero));
  canvas.getContext('2d').drawImage(subject, left, top, k * across.scale * subject.width, k * down.scale * subject.height);
  return alphaOf(canvas);
}

const bodyOf = (alpha) => bounds(alpha, null, 0, SOLID) ?? bounds(alpha, null, 0);

async function drawn({ grid, block }, width, height) {
  const image = new ImageData(grid.width, grid.height);
  grid.data.forEach((v, i) => {
    image.data[4 * i + 3] = Math.round(v * 255);
  });
  const canvas = new OffscreenCanvas(grid.width, grid.height);
  canvas.getContext('2d').putImageData(image, 0, 0);
  return { picture: await canvas.convertToBlob({ type: 'image/png' }), across: (grid.width * block) / width, down: (grid.height * block) / height };
}

// bounds returns the smallest rectangle that holds every pixel of at least some alpha.
function bounds({ width, height, data }, cast, shadow, least = VISIBLE) {
  const shows = (x, y) => {
    const a = data[y * width + x];
    return a >= least || (cast !== null && Math.floor(over(a, shadow * cast.at(x, y)) * 255 + 0.5) >= least);
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
