// The gallery's storage, in this browser only: pictures in Cache Storage under
// /gallery/<id>, what is known about them in localStorage. A picture is written
// before its entry and an entry deleted before its picture, so that an entry
// always has one; reconcile removes entries whose pictures the browser evicted.

const CACHE = 'gallery';
const KEY = 'gallery';
const FRESH = 60_000; // a picture without entry this young may be another tab's
const PARTS = { file: '', view: '-view', before: '-before' };

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

// list returns the entries, newest first: { id, name, type, width, height,
// bytes, when, before }.
export function list() {
  try {
    const entries = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(entries) ? entries : [];
  } catch {
    return [];
  }
}

function write(entries) {
  localStorage.setItem(KEY, JSON.stringify(entries));
}

export const address = (id, part = 'file') => `/gallery/${id}${PARTS[part]}`;

// save keeps a picture: { name, width, height, file, view, before, when }. It
// throws a QuotaExceededError where the browser has no space, leaving nothing.
export async function save({ name, width, height, file, view, before, when = Date.now() }) {
  const cache = await caches.open(CACHE);
  const id = crypto.randomUUID();
  try {
    for (const [part, blob] of Object.entries({ view, before, file })) {
      if (blob) await cache.put(address(id, part), response(blob));
    }
    const entry = { id, name, type: file.type, width, height, bytes: file.size, when, before: Boolean(before) };
    write([entry, ...list()].sort((a, b) => b.when - a.when));
    return entry;
  } catch (error) {
    await drop(cache, id);
    throw error;
  }
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

// load returns { file, view, before } as Blobs, null where missing.
export async function load(id) {
  const cache = await caches.open(CACHE);
  const parts = await Promise.all(Object.keys(PARTS).map(async (part) => {
    const found = await cache.match(address(id, part));
    return [part, found ? await found.blob() : null];
  }));
  return Object.fromEntries(parts);
}

export async function remove(id) {
  write(list().filter((entry) => entry.id !== id));
  await drop(await caches.open(CACHE), id);
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
  const cache = await caches.open(CACHE);
  const there = new Set((await cache.keys()).map((request) => new URL(request.url).pathname));
  const entries = list();
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
