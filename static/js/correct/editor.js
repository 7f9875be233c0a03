// The dialog in which a cut-out is corrected. Strokes go to the engine, which
// answers with a veil over what is removed; when the visitor is done, it makes the
// cut-out at full size. All of it stays in this browser.

import { blobSource } from '../blobs.js';
import { Engine } from './engine.js';
import { Hand } from './hand.js';
import { Ink } from './ink.js';
import { drawn, Strokes } from './strokes.js';
import { t } from '../texts.js';
import { View } from './view.js';

const dialog = document.getElementById('corrector');
const $ = (selector) => dialog.querySelector(selector);
const parts = { easel: $('.easel'), sheet: $('.sheet'), photo: $('.original'), veil: $('.over.now'), first: $('.over.first'), ink: $('.ink'), ring: $('.ring'), said: $('.said') };
const form = $('form');
const styles = sheetOf(new URL('../../css/correct.css', import.meta.url));

let task = null; // what is corrected, { photo, first, notes, replaceResult }
let engine;
let strokes;
let wet = []; // strokes that are not answered yet
let asking = false;
let leaving = false; // whether the visitor was warned that strokes would be lost

const view = new View(parts.easel, parts.sheet, () => {
  ink.clear(wet);
  $('.level').textContent = `${Math.round(100 * view.scale)} %`;
});
const ink = new Ink(parts.ink, view);
const hand = new Hand(parts.easel, view, {
  radius: () => Number(form.elements.size.value) / 2,
  draws: (from, to) => ink.line(keeping(), from, to),
  painted(points) {
    const stroke = drawn(keeping(), !form.elements.whole.checked, points, 0.75 / view.unit);
    wet.push(stroke);
    strokes.add(stroke);
    changed();
  },
  dropped: () => ink.clear(wet),
  hover(x, y, type) {
    const { ring } = parts;
    ring.hidden = x === null || type === 'touch' || hand.grips;
    if (ring.hidden) return;
    const { left, top } = view.origin;
    ring.style.transform = `translate(${x - left}px, ${y - top}px)`;
  },
});

// correct opens the dialog and resolves once it is closed.
export async function correct(wanted) {
  await styles;
  task = wanted;
  engine = new Engine();
  strokes = new Strokes().read(task.notes);
  wet = [];
  leaving = false;
  const mine = engine;
  const closed = new Promise((done) => {
    dialog.addEventListener('close', done, { once: true });
  });
  blobSource(parts.photo, task.photo);
  for (const canvas of [parts.veil, parts.first]) canvas.getContext('bitmaprenderer').transferFromImageBitmap(null);
  dialog.classList.add('busy');
  buttons();
  say(t('Opening the photo'));
  dialog.showModal();
  $('h2').focus();
  try {
    view.show(await mine.run('open', { photo: task.photo, first: task.first }));
    lay(parts.first, await mine.run('preview', { strokes: [] }));
    dialog.classList.remove('busy');
    say(t('Paint over what to keep or to remove.'));
    if (strokes.list.length) await ask();
    else lay(parts.veil, await mine.run('preview', { strokes: [] }));
    buttons();
    if (!strokes.list.length) mine.run('warm').catch(() => {}); // it ends with the dialog
  } catch (error) {
    if (engine === mine) say(t('That did not work. {reason}', { reason: t(error.message) }));
  }
  await closed;
  mine.end();
  engine = null;
  blobSource(parts.photo, null);
}

const keeping = () => form.elements.kind.value === 'keep';

function lay(canvas, { veil }) {
  Object.assign(canvas, { width: veil.width, height: veil.height });
  canvas.getContext('bitmaprenderer').transferFromImageBitmap(veil);
}

function say(words) {
  parts.said.textContent = words;
}

function changed() {
  leaving = false;
  buttons();
  ask();
}

function buttons() {
  const busy = dialog.classList.contains('busy');
  $('[data-do="undo"]').disabled = busy || !strokes.list.length;
  $('[data-do="redo"]').disabled = busy || !strokes.undone.length;
  $('[data-do="done"]').disabled = busy;
}

// ask gets the answer to the strokes as they are; while one is awaited, the next
// waits and is asked for what there is by then.
async function ask() {
  if (asking) return;
  asking = true;
  const mine = engine;
  try {
    for (let asked = null; asked === null || asked !== state();) {
      asked = state();
      const answered = [...wet];
      const answer = await mine.run('preview', { strokes: strokes.list });
      if (engine !== mine) return;
      lay(parts.veil, answer);
      wet = wet.filter((stroke) => !answered.includes(stroke));
      if (!hand.painting) ink.clear(wet);
      const count = strokes.list.length;
      say(`${t('{n} strokes.', { n: count })} ${t('{percent} % of the photo is kept.', { percent: Math.round(100 * answer.share) })}`);
    }
  } catch (error) {
    if (engine === mine) say(t('That did not work. {reason}', { reason: t(error.message) }));
  } finally {
    asking = false;
  }
}

// state identifies a list of strokes.
const state = () => `${strokes.list.length} ${strokes.list.at(-1)?.points.join()}`;

const acts = {
  undo() {
    strokes.undo();
    wet = wet.filter((stroke) => strokes.list.includes(stroke));
    ink.clear(wet);
    changed();
  },
  redo() {
    strokes.redo();
    changed();
  },
  in: () => view.step(1.5),
  out: () => view.step(1 / 1.5),
  fit: () => view.fit(),
  cancel() {
    if (edited() && !leaving) {
      leaving = true;
      say(t('Cancelling again loses the strokes of this correction.'));
    } else dialog.close();
  },
  async done() {
    if (!edited()) {
      dialog.close();
      return;
    }
    dialog.classList.add('busy');
    buttons();
    say(t('Preparing the cut-out at full size'));
    try {
      const notes = strokes.notes();
      await task.replaceResult(notes ? await engine.run('finish', { strokes: strokes.list, type: task.first.type }) : task.first, notes);
      dialog.close();
    } catch (error) {
      say(t('That did not work. {reason}', { reason: t(error.message) }));
    } finally {
      dialog.classList.remove('busy');
      buttons();
    }
  },
};

const edited = () => JSON.stringify(strokes.notes()) !== JSON.stringify(new Strokes().read(task.notes).notes());

dialog.addEventListener('cancel', (event) => {
  event.preventDefault();
  acts.cancel();
});
form.addEventListener('submit', (event) => event.preventDefault());
dialog.addEventListener('click', ({ target }) => {
  const name = target.closest('[data-do]')?.dataset.do;
  if (name && !dialog.classList.contains('busy')) acts[name]?.();
  else if (name === 'cancel') dialog.close();
});

form.elements.size.addEventListener('input', sized);
sized();

function sized() {
  parts.ring.style.width = `${form.elements.size.value}px`;
}

// The button shows the first cut-out while it is held down, by pointer or key.
const before = $('[data-hold="before"]');
const hold = (held) => {
  dialog.classList.toggle('before', held);
  before.setAttribute('aria-pressed', String(held));
};
before.addEventListener('pointerdown', (event) => {
  before.setPointerCapture(event.pointerId);
  hold(true);
});
for (const name of ['pointerup', 'pointercancel', 'blur', 'keyup']) before.addEventListener(name, () => hold(false));
before.addEventListener('keydown', ({ key }) => {
  if (key === ' ' || key === 'Enter') hold(true);
});

// Keys for everything except painting; letters only on the easel, where nobody types.
const PAN = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const letters = {
  k: () => kind('keep'), r: () => kind('remove'), '[': () => grow(-1), ']': () => grow(1),
  '+': acts.in, '=': acts.in, '-': acts.out, 0: acts.fit,
};

const kind = (value) => {
  form.elements.kind.value = value;
  say(value === 'keep' ? t('Strokes keep') : t('Strokes remove'));
};

const grow = (by) => {
  const { size } = form.elements;
  if (by < 0) size.stepDown();
  else size.stepUp();
  sized();
};

dialog.addEventListener('keydown', (event) => {
  if (dialog.classList.contains('busy')) return;
  const key = event.key.toLowerCase();
  const easel = event.target === parts.easel;
  if ((event.ctrlKey || event.metaKey) && (key === 'z' || key === 'y')) {
    event.preventDefault();
    (key === 'y' || event.shiftKey ? acts.redo : acts.undo)();
  } else if (easel && PAN[event.key]) {
    event.preventDefault();
    view.pan(...PAN[event.key].map((v) => 60 * v));
  } else if (easel && key === ' ') {
    event.preventDefault();
    hand.grips = true;
    parts.easel.classList.add('grips');
  } else if (easel && letters[key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    letters[key]();
  }
});
dialog.addEventListener('keyup', ({ key }) => {
  if (key !== ' ') return;
  hand.grips = false;
  parts.easel.classList.remove('grips');
});

// sheetOf resolves once a style sheet is loaded.
function sheetOf(url) {
  const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: url });
  const loaded = new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = () => reject(new Error('A part of the page could not be loaded.'));
  });
  document.head.append(link);
  return loaded;
}
