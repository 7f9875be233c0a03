// What every page does: count waiting times down and keep the service worker.

import { countDown } from './countdown.js';
import { settings } from './settings.js';

document.documentElement.classList.add('ready');
document.querySelectorAll('[data-countdown]').forEach((time) => countDown(time));

if ('serviceWorker' in navigator && settings.available) {
  navigator.serviceWorker.register('/sw.js', { updateViaCache: 'none' }).catch(() => {
    // Blocked storage: the site works without, and the gallery page says so.
  });
}
