// Every way in for photos: the two fields, dropping (folders too), pasting,
// and opening or sharing a file with the installed app.

import { notice } from './notices.js';
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
  watchDrops(take);
  watchPaste(take);
  watchLaunch(take);
}

function give(take, files) {
  if (files.length) take(files);
}

function watchDrops(take) {
  const veil = document.getElementById('veil');
  let own = false; // a picture dragged out of the page is not a new photo
  addEventListener('dragstart', () => {
    own = true;
  });
  addEventListener('dragend', () => {
    own = false;
  });
  const carriesFiles = (event) => !own && event.dataTransfer?.types.includes('Files');
  let depth = 0; // dragenter and dragleave fire for every element passed
  const lower = () => {
    depth = 0;
    veil.hidden = true;
  };
  addEventListener('dragenter', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    veil.hidden = false;
  });
  addEventListener('dragleave', (event) => {
    if (carriesFiles(event) && --depth <= 0) lower();
  });
  addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
  });
  addEventListener('drop', async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    lower();
    give(take, await dropped(event.dataTransfer));
  });
}

// dropped lists the files of a drop, and those inside dropped folders.
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const files = [];
  for (const entry of entries) await collect(entry, files);
  return files.filter((file) => file.type.startsWith('image/') || /\.(heic|heif|avif|tiff?)$/i.test(file.name));
}

async function collect(entry, files) {
  if (entry.isFile) {
    files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return;
    for (const child of batch) await collect(child, files);
  }
}

function watchPaste(take) {
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    give(take, files);
  });
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
  history.replaceState(null, '', '/');
  const shared = await caches.open('shared');
  const files = [];
  for (const request of await shared.keys()) {
    const response = await shared.match(request);
    const name = decodeURIComponent(response.headers.get('X-Name') || 'shared');
    const photo = await response.blob();
    files.push(new File([photo], name, { type: photo.type }));
    await shared.delete(request);
  }
  if (files.length) offer(take, files);
}

function offer(take, files) {
  const [came, action] = files.length === 1 ? ['A photo was shared with this page.', 'Remove its background'] : [`${files.length} photos were shared with this page.`, 'Remove their backgrounds'];
  notice('shared', `${came} Nothing is sent until you choose to.`, { label: action, run: () => take(files) });
  announce(came);
}
