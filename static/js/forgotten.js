// Clears what this site stored in the browser. Over TLS the answer's
// Clear-Site-Data header does so too; this covers every browser and plain HTTP.
// Lasting choices stay: a visitor who opted out need not do so again.

import { settings } from './settings.js';
import { t } from './texts.js';

const KEPT = ['cookie', 'gallery', 'where'];

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
  line.textContent = t('Your gallery and everything else this site stored in your browser are deleted too.');
} catch {
  line.textContent = t('Your browser blocks site data, so this site had stored nothing in it.');
}
document.documentElement.classList.add('ready');
