// The gallery as one ZIP file: pictures under names that people can read, and
// gallery.json, which ties them together again on import.

import { download } from './download.js';
import { list, load, save } from './store.js';
import { studio } from './studio.js';
import { fileName, uniqueNames } from './words.js';

const INDEX = 'gallery.json';
const ENDINGS = { 'image/webp': 'webp', 'image/jpeg': 'jpg', 'image/png': 'png' };

export async function exportAll() {
  const known = list();
  const names = uniqueNames(known.map(({ name, type }) => fileName(name, type)));
  const entries = [];
  const index = [];
  for (const [i, entry] of known.entries()) {
    const { file, view, before } = await load(entry.id);
    if (!file) continue;
    const files = { file: names[i] };
    if (view) files.view = `views/${entry.id}.${ENDINGS[view.type]}`;
    if (before) files.before = `views/${entry.id}-before.${ENDINGS[before.type]}`;
    const date = new Date(entry.when);
    for (const [part, blob] of Object.entries({ file, view, before })) if (blob) entries.push({ name: files[part], blob, date });
    index.push({ ...entry, files });
  }
  entries.push({ name: INDEX, blob: new Blob([JSON.stringify({ version: 1, pictures: index }, null, 2)]) });
  download('gallery.zip', await studio('zip', { entries }));
}

// importFrom adds the pictures that are not there yet and returns how many.
export async function importFrom(zipFile) {
  const found = new Map((await studio('unzip', { file: zipFile })).map(({ name, blob }) => [name, blob]));
  const index = found.get(INDEX);
  if (!index) throw new Error('This ZIP file was not exported from a gallery.');
  const { pictures } = JSON.parse(await index.text());
  const there = new Set(list().map(same));
  let count = 0;
  for (const entry of pictures) {
    const picture = read(entry, found);
    if (!picture || there.has(same({ ...picture, bytes: picture.file.size }))) continue;
    await save(picture);
    count += 1;
  }
  return count;
}

const same = ({ name, when, bytes }) => `${when} ${bytes} ${name}`;

// read checks an entry, which may come from anyone, and collects its pictures.
function read(entry, found) {
  const part = (name) => {
    const blob = found.get(entry.files?.[name]);
    const type = Object.keys(ENDINGS).find((t) => entry.files[name]?.endsWith(`.${ENDINGS[t]}`));
    return blob && type ? blob.slice(0, blob.size, type) : null;
  };
  const file = part('file');
  const [width, height, when] = [entry.width, entry.height, entry.when].map(Number);
  if (!file || !(width > 0 && height > 0 && when > 0)) return null;
  return { name: String(entry.name).slice(0, 200), width, height, when, file, view: part('view') ?? file, before: part('before') };
}
