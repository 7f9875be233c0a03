// Try Best: the same photo is sent again, and the visitor keeps either result.

import { NONE, paint } from './style.js';
import { t } from './texts.js';
import { progressOf, request, send } from './upload.js';
import { sendBy } from './extend.js';
import { blobSource } from './blobs.js';
import { announce, clone } from './words.js';

// startRival adds a pane to a place and resolves to the better result as the
// visitor judges, or to null for the old one. It sets card.rival to { pane,
// giveUp } meanwhile and calls changed when that changes.
export async function startRival(card, place, changed) {
  const rival = { pane: clone('pane'), file: card.file, name: card.name, mode: 'best', before: card.before };
  const old = card.item;
  const given = new Promise((resolve) => {
    rival.giveUp = () => {
      rival.cancel?.();
      resolve('dismiss');
    };
  });
  card.rival = rival;
  place.append(rival.pane);
  window.htmx?.process(rival.pane);
  rival.pane.querySelector('.thumb').replaceChildren(side(old, t('Now')));
  try {
    for (;;) {
      const { kind, result } = await attempt(rival, changed);
      if (kind === 'result') return await choose(rival, old, result, given) ? result : null;
      if (kind === 'cancelled' || await answer(rival, ['retry', 'dismiss'], given) === 'dismiss') return null;
    }
  } finally {
    card.rival = null;
    rival.pane.remove();
    changed();
  }
}

function attempt(rival, changed) {
  const working = clone('working');
  working.querySelector('h3').textContent = t('{name}, in Best', rival);
  rival.pane.querySelector('.outcome').replaceChildren(working);
  working.querySelector('[data-act="cancel"]').addEventListener('click', () => rival.cancel?.());
  rival.progress = progressOf(rival.pane);
  changed();
  return sendBy(rival) ?? (window.htmx ? send(rival) : request(rival));
}

async function choose(rival, old, result, given) {
  const question = clone('choice');
  rival.pane.querySelector('.outcome').replaceChildren(question);
  const sides = rival.pane.querySelector('.thumb');
  sides.replaceChildren(side(old, t('Now')), side({ ...result, style: old.style }, t('Best')));
  magnify(sides);
  announce(t('Best is ready. Keep either result.'));
  question.querySelector('h3').focus();
  return await answer(rival, ['old', 'new'], given) === 'new';
}

// answer resolves to the first of these acts that is clicked in the pane, or to
// what given does.
function answer({ pane }, acts, given) {
  const clicked = new Promise((resolve) => {
    pane.addEventListener('click', ({ target }) => {
      const act = target.closest('[data-act]')?.dataset.act;
      if (acts.includes(act)) resolve(act);
    });
  });
  return Promise.race([clicked, given]);
}

// magnify enlarges the same place of both sides: where the pointer is on either, or
// where the arrow keys have moved to.
function magnify(sides) {
  let at = [0.5, 0.5];
  const show = (...place) => {
    at = place.map((v) => Math.max(0, Math.min(1, v)));
    sides.style.setProperty('--spot', at.map((v) => `${100 * v}%`).join(' '));
    sides.classList.add('close');
  };
  const follow = ({ target, clientX, clientY }) => {
    const backing = target.closest('.backing');
    if (!backing) return;
    const { left, top } = backing.getBoundingClientRect();
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = backing.firstElementChild;
    show((clientX - left - offsetLeft) / offsetWidth, (clientY - top - offsetTop) / offsetHeight);
  };
  const hide = () => sides.classList.remove('close');
  for (const type of ['pointerdown', 'pointermove']) sides.addEventListener(type, follow);
  for (const type of ['pointerleave', 'pointercancel', 'blur']) sides.addEventListener(type, hide);
  sides.tabIndex = 0;
  sides.role = 'group';
  sides.ariaLabel = t('Compare');
  sides.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (event.key === 'Escape') hide();
    if (!by) return;
    event.preventDefault();
    show(at[0] + by[0], at[1] + by[1]);
  });
}

function side({ view, file, style: { background } }, caption) {
  const figure = document.createElement('figure');
  figure.className = 'side';
  const backing = document.createElement('span');
  backing.className = 'backing';
  const look = paint(background ?? NONE);
  if (look) backing.style.setProperty('background', look);
  const img = document.createElement('img');
  img.alt = t('The result, {caption}', { caption });
  blobSource(img, view ?? file);
  backing.append(img);
  const words = document.createElement('figcaption');
  words.textContent = caption;
  figure.append(backing, words);
  return figure;
}
