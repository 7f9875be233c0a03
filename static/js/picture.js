// Takes the picture out of an answer before it is swapped in. The answer holds
// it as a data: URI (so that a page without scripts can show it); parsing many
// megabytes of attribute would block the page, a Blob does not.

import { studio } from './studio.js';

const START = 'src="data:';
const taken = new Map();
let next = 0;

// takePictures replaces each data: URI in the text with a short mark.
export function takePictures(text) {
  let rest = text;
  let out = '';
  for (;;) {
    const at = rest.indexOf(START);
    const end = at < 0 ? -1 : rest.indexOf('"', at + START.length);
    if (end < 0) return out + rest;
    const comma = rest.indexOf(',', at);
    next += 1;
    taken.set(String(next), {
      type: rest.slice(at + START.length, comma).replace(';base64', ''),
      base64: rest.slice(comma + 1, end),
    });
    out += `${rest.slice(0, at)}data-picture="${next}"`;
    rest = rest.slice(end + 1);
  }
}

// openPicture turns a marked img's picture into { file, view }: the file as
// the server sent it, and a smaller one to look at.
export async function openPicture(img) {
  const key = img.dataset.picture;
  const { type, base64 } = taken.get(key);
  taken.delete(key);
  return studio('open', { type, base64 });
}
