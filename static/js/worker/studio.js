// The worker behind studio.js: opens answers, makes smaller views, crops
// cut-outs and puts shadows and backgrounds behind them. Jobs come one at a
// time, so that many large photos never lie decoded in memory together.

import { unzip, zip } from '../zip.js';
import { blurred } from './blur.js';
import { compose, survey } from './compose.js';
import { THUMB, VIEW } from './sizes.js';

const jobs = {
  // open decodes the base64 of an answer.
  async open({ type, base64 }) {
    const file = new Blob([decode(base64)], { type });
    return { file, ...await views({ file }) };
  },

  views,

  // view makes a smaller copy of a photo; it fails for formats that this
  // browser cannot show.
  view: async ({ photo }) => (await shrink(photo, VIEW, 'image/jpeg')).blob,

  compose,
  survey,
  blurred,
  zip: ({ entries }) => zip(entries),
  unzip: ({ file }) => unzip(file),
};

let last = Promise.resolve();

addEventListener('message', ({ data: { id, job, values } }) => {
  last = last.then(async () => {
    try {
      postMessage({ id, answer: await jobs[job](values) });
    } catch (error) {
      const { message } = error.message ? error : new Error('This picture could not be opened.');
      postMessage({ id, error: message });
    }
  });
});

function decode(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) out[i] = text.charCodeAt(i);
  return out;
}

// views makes smaller copies of a cut-out, from its file or its picture. A picture that is
// small itself needs no other view than its file, which is written meanwhile.
async function views({ file, picture }) {
  const source = picture ? new ImageData(picture.pixels, picture.width, picture.height) : file;
  if (picture && Math.max(picture.width, picture.height) <= VIEW) return { thumb: (await shrink(source, THUMB, 'image/webp')).blob };
  const view = await shrink(source, VIEW, 'image/webp').catch(() => null);
  const thumb = view && await shrink(view.blob, THUMB, 'image/webp');
  return { view: view?.blob ?? file, thumb: thumb?.blob ?? file };
}

async function shrink(photo, longest, type) {
  const bitmap = await createImageBitmap(photo);
  const { width, height } = bitmap;
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return { blob: await canvas.convertToBlob({ type, quality: 0.88 }), width, height };
}
