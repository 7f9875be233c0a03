// The gallery page: a grid of what the browser holds, a viewer, deleting,
// export and import.

import './page.js';
import { exportAll, importFrom } from './bundle.js';
import { download } from './download.js';
import { notice, withdraw } from './notices.js';
import { settings } from './settings.js';
import * as store from './store.js';
import { openViewer } from './lightbox.js';
import { blobSource } from './viewer.js';
import { announce, bytes, clone, fileName } from './words.js';

const $ = (id) => document.getElementById(id);
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
const REASONS = {
  insecure: 'The gallery needs a secure address (https). On this one your browser offers no storage for pictures; the rest of the site works.',
  blocked: 'Your browser blocks site data, so there is no gallery. The rest of the site works. To use the gallery, allow site data for this address.',
};

start();

async function start() {
  const why = await store.trouble();
  if (why) {
    notice('trouble', REASONS[why]);
    for (const id of ['bar', 'shelf', 'keeping']) $(id).hidden = true;
    return;
  }
  const lost = await store.reconcile();
  if (lost) notice('lost', `Your browser has deleted ${lost === 1 ? 'one picture' : `${lost} pictures`} from this gallery to free up space.`);
  wire();
  show();
  // Another tab may save or delete.
  addEventListener('storage', show);
}

function wire() {
  $('grid').addEventListener('click', ({ target }) => {
    const button = target.closest('[data-do]');
    const entry = button && store.list().find(({ id }) => id === button.closest('.tile').dataset.id);
    if (entry) acts[button.dataset.do](entry);
  });
  $('bar').addEventListener('click', ({ target }) => acts[target.closest('[data-do]')?.dataset.do]?.());
  $('import').addEventListener('change', () => run(bringIn));
  $('confirm').addEventListener('close', () => {
    if ($('confirm').returnValue === 'yes') run(deleteAll);
  });
  $('keep').checked = settings.get('gallery') !== 'off';
  $('keep').addEventListener('change', () => settings.set('gallery', $('keep').checked ? null : 'off'));
}

const acts = {
  open: (entry) => run(() => openViewer(entry, acts.delete)),
  async download({ id, name, type }) {
    const { file } = await store.load(id);
    download(fileName(name, type), file);
  },
  delete: (entry) => run(async () => {
    const next = document.querySelector(`[data-id="${entry.id}"]`)?.nextElementSibling?.dataset.id;
    await store.remove(entry.id);
    await show();
    announce(`${entry.name} deleted`);
    (document.querySelector(`[data-id="${next}"] button`) ?? document.querySelector('.tile button') ?? $('main')).focus();
  }),
  export: () => run(exportAll),
  import: () => $('import').click(),
  clear: () => $('confirm').showModal(),
};

async function run(act) {
  withdraw('failed');
  try {
    await act();
  } catch (error) {
    const full = error.name === 'QuotaExceededError';
    notice('failed', full ? 'The browser has no space left for this site. Export the gallery if you want to keep everything, then delete some pictures.' : `That did not work. ${error.message}`);
  }
}

async function deleteAll() {
  await store.clear();
  await show();
  announce('Everything deleted');
  $('main').focus();
}

async function bringIn() {
  const [file] = $('import').files;
  $('import').value = '';
  if (!file) return;
  const count = await importFrom(file);
  await show();
  announce(`${count} pictures imported`);
  notice('imported', count ? `${count === 1 ? 'One picture' : `${count} pictures`} imported.` : 'There was nothing new in that file.');
}

// show redraws the grid and shows how much storage is used.
async function show() {
  const entries = store.list();
  $('grid').replaceChildren(...entries.map(tile));
  $('empty').hidden = entries.length > 0;
  $('grid').ariaBusy = 'false';
  for (const name of ['export', 'clear']) document.querySelector(`#bar [data-do="${name}"]`).disabled = !entries.length;
  const { used, quota, persisted } = await store.usage();
  const count = entries.length === 1 ? '1 picture' : `${entries.length} pictures`;
  $('tally').textContent = quota ? `${count} · ${bytes(used)} used of ${bytes(quota)}` : count;
  if (persisted) $('kept').textContent = 'Your browser has promised to keep this site’s storage until you clear it. Export anything you don’t want to lose.';
}

// showView lets the service worker serve the picture's address or, on the first
// visit, before the worker is in control, loads the picture from storage itself.
async function showView(img, { id }) {
  if (navigator.serviceWorker?.controller) {
    img.src = store.address(id, 'view');
    return;
  }
  const { view, file } = await store.load(id);
  if (file) blobSource(img, view ?? file);
}

function tile(entry) {
  const li = clone('tile');
  li.dataset.id = entry.id;
  showView(li.querySelector('img'), entry);
  li.querySelector('b').textContent = entry.name;
  li.querySelector('small').textContent = `${entry.width} × ${entry.height} · ${bytes(entry.bytes)}`;
  const date = document.createElement('small');
  date.textContent = day.format(entry.when);
  date.title = minute.format(entry.when);
  li.querySelector('.caption').append(date);
  li.querySelector('[data-do="download"] .unseen').textContent = `Download ${entry.name}`;
  li.querySelector('[data-do="delete"] .unseen').textContent = `Delete ${entry.name}`;
  return li;
}
