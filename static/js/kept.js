// Items out of the gallery.

import { load } from './store.js';
import { undressed } from './style.js';
import { studio } from './studio.js';

// itemFrom resolves to the item of an entry, or to null where the browser has
// deleted its picture.
export async function itemFrom(entry) {
  const { behind, ...parts } = await load(entry.id);
  if (!parts.file) return null;
  const { name, width, height, when, subject = 'found', mode = '', notes = {} } = entry;
  const item = { name, width, height, when, subject, mode, notes, kept: entry.id, ...parts, style: styleFrom(entry, behind) };
  if (!item.thumb) Object.assign(item, await studio('views', { file: item.file }));
  return item;
}

function styleFrom({ style, type }, behind) {
  if (!style) return undressed(type);
  return { ...style, background: behind ? { ...style.background, picture: behind } : style.background };
}
