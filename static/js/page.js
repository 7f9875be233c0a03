// Runs on every page: counts down waiting times and registers the service worker.

import { countDown } from './countdown.js';
import { settings } from './settings.js';

document.documentElement.classList.add('ready');
document.querySelectorAll('[data-countdown]').forEach((time) => countDown(time));

if ('serviceWorker' in navigator && settings.available) {
  navigator.serviceWorker.register('/sw.js', { updateViaCache: 'none' }).then(controlled, () => {
    // Storage is blocked: the site works without it, and the gallery page says so.
  });
}

// controlled asks the worker for this page too. A worker that takes over its pages during a
// navigation would miss the page being opened.
async function controlled() {
  const { active } = await navigator.serviceWorker.ready;
  if (!navigator.serviceWorker.controller) active.postMessage('claim');
}
