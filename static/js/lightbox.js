// The dialog that shows one picture of the gallery with its tools, and the
// pictures before and after it.

import { relook, replaceCut } from './item.js';
import { itemFrom } from './kept.js';
import { startRival } from './rival.js';
import { Stage } from './stage.js';
import { address, list, update } from './store.js';
import { steps, t } from './texts.js';

const dialog = document.getElementById('viewer');
const SETTLE = 300; // milliseconds without a change before a look is stored

let shown = null; // the entry that is shown
let hooks;
let stage;
let rival = null; // what is being tried in Best
let saving = Promise.resolve();
const pending = new Map();
const dirty = new Set(); // items whose look was stored since the dialog opened

// openViewer shows an entry. remove is called with it when the visitor deletes
// it, changed when what is stored of it has changed, failed with an error.
export async function openViewer(entry, { remove, changed, failed }) {
  hooks = { remove, changed, failed };
  stage ??= make();
  await show(entry);
  dialog.showModal();
  dialog.querySelector('.name').focus();
}

function make() {
  const acts = {
    close: () => dialog.close(),
    delete() {
      dialog.close();
      hooks.remove(shown);
    },
    previous: () => step(-1),
    next: () => step(1),
  };
  dialog.addEventListener('click', ({ target }) => {
    if (target === dialog) dialog.close(); // outside the picture
    acts[target.closest('[data-do]')?.dataset.do]?.();
  });
  dialog.addEventListener('keydown', (event) => {
    const by = steps[event.key];
    if (!by || event.target.closest('input, select, [tabindex="0"]')) return;
    event.preventDefault();
    step(by);
  });
  dialog.addEventListener('close', async () => {
    giveUp();
    await saving;
    if (dirty.size) await hooks.changed();
    dirty.clear();
  });
  return new Stage(dialog.querySelector('.stage'), {
    styled,
    replace,
    actions: { best: { offered: (item) => Boolean(item.original) && item.mode !== 'best', run: tryBest } },
  });
}

async function replace(item, blob, changes) {
  await replaceCut(item, blob, changes);
  dirty.add(item);
  if (stage.item === item) stage.show(item);
}

// tryBest shows the old result next to a new one instead of the stage.
async function tryBest(item) {
  const panes = dialog.querySelector('.panes');
  const card = { file: item.original, name: item.name, item };
  rival = card;
  const better = await startRival(card, panes, () => {
    if (card.rival) card.rival.pane.hidden = false;
    dialog.querySelector('.stage').hidden = Boolean(card.rival);
  });
  rival = null;
  if (better) await replace(item, better.file, better);
  dialog.querySelector('.name').focus();
}

// giveUp ends the comparison that is going on, if any.
function giveUp() {
  rival?.rival?.giveUp();
}

async function show(entry) {
  const item = await itemFrom(entry);
  if (!item) throw new Error('Your browser has deleted this picture.');
  giveUp();
  shown = entry;
  stage.show(item);
  dialog.querySelector('[data-open]').href = address(entry.id);
  const entries = list();
  const at = entries.findIndex(({ id }) => id === entry.id);
  document.getElementById('place').textContent = t('{done} of {all}', { done: at + 1, all: entries.length });
  dialog.querySelector('[data-do="previous"]').disabled = at <= 0;
  dialog.querySelector('[data-do="next"]').disabled = at === entries.length - 1;
}

async function step(by) {
  const entries = list();
  const next = entries[entries.findIndex(({ id }) => id === shown.id) + by];
  if (!next) return;
  try {
    await show(next);
    dialog.querySelector('.name').focus();
  } catch (error) {
    hooks.failed(error);
  }
}

// styled stores a look once it has settled.
function styled(item) {
  clearTimeout(pending.get(item));
  saving = new Promise((done) => {
    pending.set(item, setTimeout(() => {
      pending.delete(item);
      store(item).then(done, (error) => {
        hooks.failed(error);
        done();
      });
    }, SETTLE));
  });
}

async function store(item) {
  await relook(item);
  await update(item.kept, item, ['look', 'behind']);
  dirty.add(item);
}
