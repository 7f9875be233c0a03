// How a cut-out is dressed: what is chosen in the tools, as plain data that can
// be copied to other photos, undone, and stored with the gallery's entry.
//
//   { background, margin, frame, shadow, type }
//
// background is one of { kind: 'none' }, { kind: 'colour', colour },
// { kind: 'gradient', from, to, degrees }, { kind: 'blur', amount } and
// { kind: 'picture', picture }, a Blob that this browser can show. margin is a
// share of the subject's longer side, null for no crop; frame a kind of canvas
// (frame.js), '' for none; shadow an opacity, 0 to 1.

import { shapeOf } from './frame.js';
import { studio } from './studio.js';

export const NONE = Object.freeze({ kind: 'none' });

export const undressed = (type) => ({ background: NONE, margin: null, frame: '', shadow: 0, type });

export const dressed = ({ background, margin, shadow }) => background.kind !== 'none' || margin !== null || shadow > 0;

// paint returns a background as the page's own styles show it, or null.
export function paint(background) {
  if (background.kind === 'colour') return background.colour;
  if (background.kind === 'gradient') return `linear-gradient(${background.degrees}deg, ${background.from}, ${background.to})`;
  return null;
}

// blurred resolves to what lies behind the subject, blurred once for the view,
// the thumbnail and the saved file.
export function blurred(item, amount) {
  if (item.blurred?.amount !== amount) {
    const picture = studio('blurred', { original: item.readable ?? item.original ?? item.before, cutout: item.file, amount });
    item.blurred = { amount, picture };
    picture.catch(() => {
      item.blurred = null; // the next choice tries again
    });
  }
  return item.blurred.picture;
}

// render resolves to the item's picture as its style says, in a type.
export async function render(item, type = item.style.type) {
  if (!dressed(item.style) && type === item.file.type) return item.file;
  return studio('compose', { cutout: item.file, ...await layers(item), type });
}

// thumbnail resolves to a small picture of the item as its style says.
export async function thumbnail(item) {
  if (!dressed(item.style)) return item.thumb;
  const { frame, ...rest } = await layers(item);
  return studio('compose', { cutout: item.thumb, ...rest, frame: shapeOf(frame), type: 'image/webp' });
}

async function layers(item) {
  const { background, margin, frame = '', shadow } = item.style;
  const all = { margin, frame, shadow };
  switch (background.kind) {
    case 'none': return { ...all, background: null };
    case 'blur': return { ...all, background: { kind: 'picture', picture: await blurred(item, background.amount), whole: !frame } };
    default: return { ...all, background };
  }
}
