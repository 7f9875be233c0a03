// Photos that are dropped or pasted on another page are handed over to the start
// page, through the browser's own storage.

import { notice } from './notices.js';
import { t, to } from './texts.js';
import { watchWays } from './ways.js';

const CACHE = 'handed';

// handOver takes photos on this page and opens the start page with them.
export function handOver() {
  watchWays(async (files) => {
    try {
      await caches.delete(CACHE);
      const cache = await caches.open(CACHE);
      for (const [i, file] of files.entries()) {
        await cache.put(`/handed/${i}`, new Response(file, { headers: { 'Content-Type': file.type || 'application/octet-stream', 'X-Name': encodeURIComponent(file.name) } }));
      }
      location.assign(to('/?handed'));
    } catch {
      notice('handed', t('Add photos on the start page.'), { href: to('/'), label: t('Start page') });
    }
  });
}

// arrivals resolves to the photos that another page has handed over.
export async function arrivals() {
  if (!new URLSearchParams(location.search).has('handed') || !('caches' in window)) return [];
  history.replaceState(null, '', to('/'));
  return takeFrom(CACHE);
}

// takeFrom empties a cache of files.
export async function takeFrom(name) {
  const cache = await caches.open(name);
  const files = [];
  for (const request of await cache.keys()) {
    const response = await cache.match(request);
    const blob = await response.blob();
    files.push(new File([blob], decodeURIComponent(response.headers.get('X-Name') || 'photo'), { type: blob.type }));
  }
  await caches.delete(name);
  return files;
}
