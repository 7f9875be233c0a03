// Clears what this site stored in the browser. Over TLS the answer's own header
// does so too; here it is done for every browser and address. Standing choices
// stay: who objected once need not object again.

import { settings } from './settings.js';

const KEPT = ['cookie', 'gallery'];

async function forget() {
  if (settings.available) {
    const kept = KEPT.map((name) => [name, settings.get(name)]);
    localStorage.clear();
    for (const [name, value] of kept) if (value !== null) settings.set(name, value);
  }
  for (const worker of (await navigator.serviceWorker?.getRegistrations()) ?? []) await worker.unregister();
  for (const name of (await window.caches?.keys()) ?? []) await caches.delete(name);
}

const line = document.getElementById('browser');
try {
  await forget();
  line.textContent = 'Your gallery and all that this site stored in your browser is deleted too.';
} catch {
  line.textContent = 'Your browser blocks site data, so there was nothing of this site in it.';
}
document.documentElement.classList.add('ready');
