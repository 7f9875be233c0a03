// The gallery page: a grid of what the browser holds, a viewer, selecting, deleting with
// undo, export and import.

import './page.js';
import './correct/action.js';
import { blobSource } from './blobs.js';
import { exportAll, importFrom } from './bundle.js';
import { download } from './download.js';
import { handOver } from './handover.js';
import { itemFrom } from './kept.js';
import { openViewer } from './lightbox.js';
import { notice, withdraw } from './notices.js';
import { settings } from './settings.js';
import { outputOf } from './stage.js';
import * as store from './store.js';
import { studio } from './studio.js';
import { locale, t } from './texts.js';
import { announce, bytes, clone, fileName, uniqueNames } from './words.js';

const $ = (id) => document.getElementById(id);
const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' });
const minute = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' });
const REASONS = {
  insecure: t('The gallery needs a secure address (https). On this one your browser offers no storage for pictures; the rest of the site works.'),
  blocked: t('Your browser blocks site data, so there is no gallery. The rest of the site works. To use the gallery, allow site data for this address.'),
};

const selected = new Set(); // ids

handOver();
start();

async function start() {
  const why = await store.trouble();
  if (why) {
    notice('trouble', REASONS[why]);
    for (const id of ['bar', 'shelf', 'keeping']) $(id).hidden = true;
    return;
  }
  const lost = await store.reconcile();
  if (lost) notice('lost', t('Your browser has deleted {n} pictures from this gallery to free up space.', { n: lost }));
  wire();
  show();
  // Another tab may save or delete.
  addEventListener('storage', show);
}

function wire() {
  $('grid').addEventListener('click', ({ target }) => {
    const button = target.closest('[data-do]');
    const entry = button && entryOf(button.closest('.tile').dataset.id);
    if (entry) acts[button.dataset.do](entry);
  });
  $('grid').addEventListener('change', ({ target }) => {
    const { id } = target.closest('.tile').dataset;
    if (target.checked) selected.add(id);
    else selected.delete(id);
    tally();
  });
  $('bar').addEventListener('click', ({ target }) => acts[target.closest('[data-do]')?.dataset.do]?.());
  $('import').addEventListener('change', () => run(bringIn));
  $('confirm').addEventListener('close', () => {
    if ($('confirm').returnValue === 'yes') run(deleteAll);
  });
  $('keep').checked = settings.get('gallery') !== 'off';
  $('keep').addEventListener('change', () => settings.set('gallery', $('keep').checked ? null : 'off'));
}

const entryOf = (id) => store.list().find((entry) => entry.id === id);

const acts = {
  open: (entry) => run(() => openViewer(entry, { remove: acts.delete, changed: refresh, failed: fail })),
  download: (entry) => run(async () => {
    const { name, blob } = await fileOf(entry);
    download(name, blob);
  }),
  delete: (entry) => run(() => remove([entry])),
  export: () => run(exportAll),
  import: () => $('import').click(),
  clear: () => $('confirm').showModal(),
  downloadSome: () => run(async () => {
    const files = [];
    for (const id of selected) files.push(await fileOf(entryOf(id)));
    if (files.length === 1) {
      download(files[0].name, files[0].blob);
      return;
    }
    const names = uniqueNames(files.map(({ name }) => name));
    download('cutouts.zip', await studio('zip', { entries: files.map((file, i) => ({ ...file, name: names[i] })) }));
  }),
  deleteSome: () => run(() => remove([...selected].map(entryOf))),
  selectNone() {
    selected.clear();
    for (const box of $('grid').querySelectorAll('.select input')) box.checked = false;
    tally();
  },
};

// fileOf resolves to an entry's picture as styled.
async function fileOf(entry) {
  const item = await itemFrom(entry);
  if (!item) throw new Error('Your browser has deleted this picture.');
  const blob = await outputOf(item);
  return { name: fileName(item.name, blob.type), blob, date: new Date(entry.when) };
}

async function run(act) {
  withdraw('failed');
  try {
    await act();
  } catch (error) {
    fail(error);
  }
}

function fail(error) {
  const full = error.name === 'QuotaExceededError';
  notice('failed', full ? t('The browser has no space left for this site. Export the gallery if you want to keep everything, then delete some pictures.') : t('That did not work. {reason}', { reason: t(error.message) }));
}

// remove takes entries out of the grid; for a few seconds they can come back.
async function remove(entries) {
  const ids = entries.map(({ id }) => id);
  const next = document.querySelector(`[data-id="${ids.at(-1)}"]`)?.nextElementSibling?.dataset.id;
  store.remove(ids);
  for (const id of ids) selected.delete(id);
  await show();
  const sentence = entries.length === 1 ? t('{name} deleted.', { name: entries[0].name }) : t('{n} pictures deleted.', { n: entries.length });
  announce(sentence);
  withdraw('deleted');
  const box = notice('deleted', sentence, { label: t('Undo'), run: () => run(() => bringBack(ids)) });
  setTimeout(() => run(async () => {
    box?.remove();
    await store.purge();
    tally();
  }), store.UNDO);
  (document.querySelector(`[data-id="${next}"] button`) ?? document.querySelector('.tile button') ?? $('main')).focus();
}

async function bringBack(ids) {
  store.restore(ids);
  await show();
  announce(t('Restored'));
  document.querySelector(`[data-id="${ids[0]}"] button`)?.focus();
}

async function deleteAll() {
  await store.clear();
  selected.clear();
  await show();
  announce(t('Everything deleted'));
  $('main').focus();
}

async function bringIn() {
  const [file] = $('import').files;
  $('import').value = '';
  if (!file) return;
  const count = await importFrom(file);
  await show();
  const sentence = count ? t('{n} pictures imported.', { n: count }) : t('There was nothing new in that file.');
  announce(sentence);
  notice('imported', sentence);
}

// refresh redraws the grid and leaves the focus where it was.
async function refresh() {
  const id = document.activeElement?.closest('.tile')?.dataset.id;
  await show();
  document.querySelector(`[data-id="${id}"] [data-do="open"]`)?.focus();
}

// show redraws the grid and shows how much storage is used.
async function show() {
  const entries = store.list();
  for (const id of selected) if (!entries.some((entry) => entry.id === id)) selected.delete(id);
  $('grid').replaceChildren(...entries.map(tile));
  $('empty').hidden = entries.length > 0;
  $('grid').ariaBusy = 'false';
  for (const name of ['export', 'clear']) document.querySelector(`#bar [data-do="${name}"]`).disabled = !entries.length;
  await tally();
}

async function tally() {
  $('all').hidden = selected.size > 0;
  $('some').hidden = !selected.size;
  $('grid').classList.toggle('selecting', selected.size > 0);
  if (selected.size) {
    $('tally').textContent = t('{n} selected', { n: selected.size });
    return;
  }
  const { length } = store.list();
  const { used, quota, persisted } = await store.usage();
  const count = t('{n} pictures', { n: length });
  $('tally').textContent = quota ? `${count} · ${t('{used} used of {quota}', { used: bytes(used), quota: bytes(quota) })}` : count;
  if (persisted) $('kept').textContent = t('Your browser has promised to keep this site’s storage until you clear it. Export anything you don’t want to lose.');
}

// showView lets the service worker serve the picture's address or, on the first
// visit, before the worker is in control, loads the picture from storage itself.
async function showView(img, { id, style }) {
  if (navigator.serviceWorker?.controller) {
    img.src = store.address(id, style ? 'look' : 'view');
    return;
  }
  const { look, view, file } = await store.load(id);
  if (file) blobSource(img, look ?? view ?? file);
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
  li.querySelector('[data-do="download"] .unseen').textContent = t('Download {name}', entry);
  li.querySelector('[data-do="delete"] .unseen').textContent = t('Delete {name}', entry);
  li.querySelector('.select .unseen').textContent = t('Select {name}', entry);
  li.querySelector('.select input').checked = selected.has(entry.id);
  return li;
}
