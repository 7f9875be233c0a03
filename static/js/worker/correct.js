// The worker behind correct/engine.js: one photo, corrected by the module, which
// keeps what it knows of the photo from stroke to stroke. Nothing leaves it but
// pictures for the page.

import { pipeline } from './pipeline.js';
import { rowsOf, strips } from './pixels.js';

const SQUARE = 10; // pixels of the preview a side of a check
const CHECKS = [255, 223]; // what shows where the photo is removed
const VEIL = 0.72; // how much of it

// The mean difference of colours, where the cut-out is opaque, from which on it is
// another photo's; those of a cut-out in a lossy format, or converted by another
// decoder, differ by a few levels.
const MOST_UNLIKE = 16;

let size;

// Likeness compares a photo with its cut-out, by some of the pixels.
class Likeness {
  #sum = 0;
  #count = 0;

  observe(photo, cutout) {
    for (let i = 0; i < photo.length; i += 4 * 7) {
      if (cutout[i + 3] !== 255) continue;
      for (let c = i; c < i + 3; c += 1) this.#sum += Math.abs(photo[c] - cutout[c]);
      this.#count += 3;
    }
  }

  get difference() {
    return this.#sum / Math.max(1, this.#count);
  }
}

const jobs = {
  // open takes a photo that this browser can show, and its first cut-out, as Blobs.
  async open({ photo, first }) {
    const { begin, rows } = await pipeline;
    const [original, cutout] = await Promise.all([createImageBitmap(photo), createImageBitmap(first)]);
    const { width, height } = original;
    if (cutout.width !== width || cutout.height !== height) throw new Error('The original and the cut-out have different sizes.');
    size = { width, height };
    begin(width, height);
    const [ofPhoto, ofCutout] = [rowsOf(original), rowsOf(cutout)];
    const likeness = new Likeness();
    strips(width, height, 1, (from, to) => {
      const length = 4 * width * (to - from);
      const pixels = [ofPhoto, ofCutout].map((read) => read(from, to).data.subarray(0, length));
      likeness.observe(...pixels);
      rows(from, to, ...pixels);
    });
    original.close();
    cutout.close();
    if (likeness.difference > MOST_UNLIKE) throw new Error('This is not the photo that the cut-out was made from.');
    return size;
  },

  // readable makes a copy, as a PNG, of a photo that this browser cannot show.
  async readable({ photo }) {
    const { decode } = await pipeline;
    const { width, height, pixels } = await decode(new Uint8Array(await photo.arrayBuffer()));
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d').putImageData(new ImageData(pixels, width, height), 0, 0);
    return canvas.convertToBlob();
  },

  // preview resolves to { veil, share }: a picture to lay over the photo, which
  // dims what is removed, and how much of the photo is subject.
  async preview({ strokes }) {
    const { width, height, levels } = (await pipeline).preview(strokes);
    const image = new ImageData(width, height);
    let sum = 0;
    for (let y = 0, i = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1, i += 1) {
        const check = CHECKS[(Math.floor(x / SQUARE) + Math.floor(y / SQUARE)) % 2];
        image.data.fill(check, 4 * i, 4 * i + 3);
        image.data[4 * i + 3] = VEIL * (255 - levels[i]);
        sum += levels[i];
      }
    }
    return { veil: await createImageBitmap(image), share: sum / (255 * levels.length) };
  },

  // warm answers a stroke that nobody made, so that the browser has compiled for speed
  // what the first real one needs.
  async warm() {
    const { preview } = await pipeline;
    preview([{ keep: true, literal: false, points: new Float32Array([0.5, 0.5, 0.01]) }]);
    preview([]);
  },

  // finish resolves to the cut-out after the strokes, as a Blob of type.
  async finish({ strokes, type }) {
    const { finish, result } = await pipeline;
    finish(strokes);
    const { width, height } = size;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    strips(width, height, 1, (from, to) => {
      context.putImageData(new ImageData(result(from, to), width, to - from), 0, from);
    });
    const blob = await canvas.convertToBlob({ type, quality: 1 });
    return blob.type === type ? blob : canvas.convertToBlob({ type: 'image/png' });
  },
};

let last = Promise.resolve();

addEventListener('message', ({ data: { id, job, values } }) => {
  last = last.then(async () => {
    try {
      const answer = await jobs[job](values);
      postMessage({ id, answer }, answer?.veil ? [answer.veil] : []);
    } catch (error) {
      const { message } = error.message ? error : new Error('This photo could not be opened.');
      postMessage({ id, error: message });
    }
  });
});
