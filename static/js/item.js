// One photo and its cut-out, as the stage shows them and the gallery keeps them:
//
//   { name, width, height, file, first, view, thumb, look, before, original,
//     subject, mode, took, style, notes, kept }
//
// file is the full cut-out, and first what it was before it was corrected by hand,
// null where it was not; view and thumb are smaller copies, look is the thumb
// as styled; original is the
// photo as it came and before a view of it, null where this browser cannot show
// it until it has a readable copy. style is replaced, never changed (see style.js); notes are what actions
// stored with it; kept is the id of its entry in the gallery.

import { update } from './store.js';
import { studio } from './studio.js';
import { thumbnail, undressed } from './style.js';

export function itemOf({ name, file: original }, result, before, style) {
  return { name, original, before, notes: {}, kept: null, ...result, style: style ?? undressed(result.file.type) };
}

// replaceCut gives an item another cut-out, in the gallery too. What was noted of
// the one before does not apply to it.
export async function replaceCut(item, file, { subject = 'found', mode = item.mode, notes = {}, first = null } = {}) {
  const { view, thumb } = await studio('views', { file });
  Object.assign(item, { file, first, view, thumb, subject, mode, notes, blurred: null, survey: null, output: null, taken: false });
  await relook(item);
  if (item.kept) await update(item.kept, item);
}

// relook makes the thumbnail of an item's style, and resolves to it; null where
// the style has changed meanwhile.
export async function relook(item) {
  const { style, file } = item;
  const look = await thumbnail(item);
  if (item.style !== style || item.file !== file) return null;
  item.look = look;
  return look;
}
