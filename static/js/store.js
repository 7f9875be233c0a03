// The gallery's storage, in this browser only: pictures in Cache Storage under
// /gallery/<id>, what is known about them in localStorage. A picture is written
// before its entry and an entry deleted before its picture, so that an entry
// always has one; reconcile removes entries whose pictures the browser evicted.

const CACHE = 'gallery';
const KEY = 'gallery';
const FRESH = 60_000; // a picture without entry this young may be another tab's
// look is the thumbnail as styled; behind a background picture of the visitor's own.
const PARTS = { file: '', first: '-first', view: '-view', thumb: '-thumb', look: '-look', before: '-before', original: '-original', behind: '-behind' };

// UNDO is for how many milliseconds a deletion can be undone.
export const UNDO = 8000;

// trouble returns why the gallery cannot be used, "insecure" or "blocked", or
// null.
export async function trouble() {
  try {
    localStorage.getItem(KEY);
    if (!window.isSecureContext || !('caches' in window)) return window.isSecureContext ? 'blocked' : 'insecure';
    await caches.open(CACHE);
    return null;
  } catch {
    return window.isSecureContext ? 'blocked' : 'insecure';
  }
}

function all() {
  try {
    const entries = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(entries) ? entries : [];
  } catch {
    return [];
  }
}

// list returns the entries, newest first: { id, name, type, width, height,
// bytes, when, before, subject, mode, style, notes }; style is without the
// background's picture.
export function list() {
  return all().filter(({ gone }) => !gone);
}

function write(entries) {
  localStorage.setItem(KEY, JSON.stringify(entries));
}

export const address = (id, part = 'file') => `/gallery/${id}${PARTS[part]}`;

const partsOf = ({ file, first, view, thumb, look, before, original, style }) => ({ first, view, thumb, look, before, original, behind: style?.background.picture, file });

const factsOf = ({ name, width, height, file, before, subject, mode, style, notes }) => ({
  name, width, height, type: file.type, bytes: file.size, before: Boolean(before), subject, mode, notes,
  style: style && { ...style, background: { ...style.background, picture: undefined } },
});

// save keeps an item (see item.js) and returns its entry. It throws a
// QuotaExceededError where the browser has no space, leaving nothing.
export async function save(item) {
  const cache = await caches.open(CACHE);
  const id = crypto.randomUUID();
  try {
    for (const [part, blob] of Object.entries(partsOf(item))) if (blob) await cache.put(address(id, part), response(blob));
    const entry = { id, when: item.when ?? Date.now(), ...factsOf(item) };
    write([entry, ...all()].sort((a, b) => b.when - a.when));
    return entry;
  } catch (error) {
    await drop(cache, id);
    throw error;
  }
}

// update stores an item again under its id, if it is still there; parts are
// those that have changed.
export async function update(id, item, parts = ['file', 'first', 'view', 'thumb', 'look', 'behind']) {
  if (!list().some((entry) => entry.id === id)) return;
  const cache = await caches.open(CACHE);
  const blobs = partsOf(item);
  for (const part of parts) {
    if (blobs[part]) await cache.put(address(id, part), response(blobs[part]));
    else await cache.delete(address(id, part));
  }
  write(all().map((entry) => (entry.id === id ? { ...entry, ...factsOf(item) } : entry)));
}

function response(blob) {
  return new Response(blob, {
    headers: {
      'Content-Type': blob.type,
      'Content-Length': blob.size,
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "sandbox; default-src 'none'",
      'X-Saved': String(Date.now()),
    },
  });
}

// load returns the parts of an entry as Blobs, null where missing.
export async function load(id) {
  const cache = await caches.open(CACHE);
  const parts = await Promise.all(Object.keys(PARTS).map(async (part) => {
    const found = await cache.match(address(id, part));
    return [part, found ? await found.blob() : null];
  }));
  return Object.fromEntries(parts);
}

// remove takes entries out of the list. Until they are purged, restore brings
// them back.
export function remove(ids) {
  write(all().map((entry) => (ids.includes(entry.id) ? { ...entry, gone: Date.now() } : entry)));
}

export function restore(ids) {
  write(all().map(({ gone, ...entry }) => (gone && !ids.includes(entry.id) ? { ...entry, gone } : entry)));
}

// purge deletes what was removed so many milliseconds ago, for good.
export async function purge(age = UNDO) {
  const over = all().filter(({ gone }) => gone && Date.now() - gone >= age);
  write(all().filter(({ id }) => !over.some((entry) => entry.id === id)));
  const cache = await caches.open(CACHE);
  for (const { id } of over) await drop(cache, id);
}

export async function clear() {
  localStorage.removeItem(KEY);
  await caches.delete(CACHE);
}

async function drop(cache, id) {
  for (const part of Object.keys(PARTS)) await cache.delete(address(id, part));
}

// reconcile returns how many pictures the browser has evicted.
export async function reconcile() {
  await purge();
  const cache = await caches.open(CACHE);
  const there = new Set((await cache.keys()).map((request) => new URL(request.url).pathname));
  const entries = all();
  const whole = entries.filter((entry) => there.has(address(entry.id)));
  if (whole.length !== entries.length) write(whole);
  for (const { id } of entries) if (!there.has(address(id))) await drop(cache, id);
  const known = new Set(whole.flatMap((entry) => Object.keys(PARTS).map((part) => address(entry.id, part))));
  for (const path of there) {
    if (known.has(path)) continue;
    const saved = Number((await cache.match(path))?.headers.get('X-Saved'));
    if (Date.now() - saved > FRESH) await cache.delete(path);
  }
  return entries.length - whole.length;
}

// usage returns { used, quota, persisted } where the browser reports them.
export async function usage() {
  const { usage: used, quota } = (await navigator.storage?.estimate?.()) ?? {};
  return { used, quota, persisted: (await navigator.storage?.persisted?.()) ?? false };
}

// persist asks the browser not to evict, once there is something to lose.
export function persist() {
  return navigator.storage?.persist?.() ?? Promise.resolve(false);
}
