// The gallery as one ZIP file: cut-outs under names that people can read, their
// originals and backgrounds, and gallery.json, which ties them together again on
// import.

import { download } from './download.js';
import { isFrame } from './frame.js';
import { list, load, save } from './store.js';
import { relook } from './item.js';
import { undressed } from './style.js';
import { studio } from './studio.js';
import { fileName, uniqueNames } from './words.js';

const INDEX = 'gallery.json';
const ENDINGS = { 'image/webp': 'webp', 'image/jpeg': 'jpg', 'image/png': 'png' };

const PARTS = ['file', 'first', 'view', 'before', 'original', 'behind'];

export async function exportAll() {
  const known = list();
  const names = uniqueNames(known.map(({ name, type }) => fileName(name, type)));
  const entries = [];
  const index = [];
  for (const [i, entry] of known.entries()) {
    const parts = await load(entry.id);
    if (!parts.file) continue;
    const files = {};
    for (const part of PARTS) {
      const blob = parts[part];
      if (!blob) continue;
      files[part] = part === 'file' ? names[i] : `parts/${entry.id}-${part}.${ENDINGS[blob.type] ?? 'bin'}`;
      entries.push({ name: files[part], blob, date: new Date(entry.when) });
    }
    index.push({ ...entry, files });
  }
  entries.push({ name: INDEX, blob: new Blob([JSON.stringify({ version: 2, pictures: index }, null, 2)]) });
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
    Object.assign(picture, await studio('views', { file: picture.file }));
    await relook(picture);
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
    return blob && (type || name === 'original') ? blob.slice(0, blob.size, type ?? '') : null;
  };
  const file = part('file');
  const [width, height, when] = [entry.width, entry.height, entry.when].map(Number);
  if (!file || !(width > 0 && height > 0 && when > 0)) return null;
  const notes = entry.notes && typeof entry.notes === 'object' ? entry.notes : {};
  return {
    name: String(entry.name).slice(0, 200), width, height, when, file, first: part('first'), before: part('before'), original: part('original'),
    subject: String(entry.subject ?? 'found'), mode: String(entry.mode ?? ''), notes, style: readStyle(entry.style, part('behind'), file.type),
  };
}

const COLOUR = /^#[0-9a-f]{6}$/i;

// readStyle keeps of a style what makes sense.
function readStyle(style, behind, fileType) {
  const plain = undressed(fileType);
  if (!style || typeof style !== 'object') return plain;
  const { background = {}, margin, frame = '', shadow, type } = style;
  const colours = [background.colour, background.from, background.to].filter((colour) => colour !== undefined);
  const fits = {
    colour: colours.length === 1, gradient: colours.length === 2 && Number.isFinite(background.degrees),
    blur: background.amount >= 10 && background.amount <= 100, picture: Boolean(behind),
  }[background.kind] && colours.every((colour) => COLOUR.test(colour));
  return {
    background: fits ? { ...background, ...(behind && { picture: behind }) } : plain.background,
    margin: margin >= 0 && margin <= 1 ? margin : null,
    frame: margin >= 0 && margin <= 1 && isFrame(frame) ? frame : '',
    shadow: shadow >= 0 && shadow <= 1 ? shadow : 0,
    type: ENDINGS[type] ? type : plain.type,
  };
}
