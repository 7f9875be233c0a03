// Every way in for photos on the start page: the two fields, dropping and
// pasting (ways.js), what came from another page (handover.js), and opening or
// sharing a file with the installed app.

import { arrivals, takeFrom } from './handover.js';
import { notice } from './notices.js';
import { t, to } from './texts.js';
import { watchWays } from './ways.js';
import { announce } from './words.js';

export function intake(form, take) {
  const pick = form.querySelector('#image');
  const camera = form.querySelector('#camera');
  for (const field of [pick, camera]) {
    field.addEventListener('change', () => {
      give(take, [...field.files]);
      field.value = '';
    });
  }
  form.addEventListener('submit', (event) => event.preventDefault());
  watchWays(take);
  watchLaunch(take);
  arrivals().then((files) => give(take, files));
}

function give(take, files) {
  if (files.length) take(files);
}

// watchLaunch takes files opened with the installed app, and offers photos
// shared to it, which the service worker has stored. Any site can post a form
// as if it shared photos, so nothing is sent, and nobody's limit is spent,
// before a click.
async function watchLaunch(take) {
  window.launchQueue?.setConsumer(async (launch) => {
    give(take, await Promise.all((launch.files ?? []).map((handle) => handle.getFile())));
  });
  if (!new URLSearchParams(location.search).has('shared') || !('caches' in window)) return;
  history.replaceState(null, '', to('/'));
  const files = await takeFrom('shared');
  if (files.length) offer(take, files);
}

function offer(take, files) {
  const n = files.length;
  const came = t('{n} photos were shared with this page.', { n });
  notice('shared', `${came} ${t('Nothing is sent until you choose to.')}`, { label: t('Remove their backgrounds', { n }), run: () => take(files) });
  announce(came);
}
