// The start page once there are photos: one of them or all are looked at, results
// are styled and saved.

import './correct/action.js';
import { shown } from './convert.js';
import { download } from './download.js';
import { itemOf, relook, replaceCut } from './item.js';
import { keep } from './keep.js';
import { notice, withdraw } from './notices.js';
import { Queue } from './queue.js';
import { update } from './store.js';
import { studio } from './studio.js';
import { blobSource } from './blobs.js';
import { steps, t } from './texts.js';
import { announce, fileName, uniqueNames } from './words.js';

const $ = (id) => document.getElementById(id);
const form = $('intake');
const work = $('work');
const button = (name) => work.querySelector(`[data-do="${name}"]`);
const title = document.title;

let focused = null; // the card that is looked at; null for all of them
let stage = null; // made for the first result
let common = null; // the style that was applied to all

const queue = new Queue($('cards'), $('panes'), {
  limits: { maxUpload: Number(form.dataset.maxUpload), words: form.dataset.maxUploadWords },
  arrived,
  changed,
});

// Only results need these; the first visit does not load them.
const toolbox = () => Promise.all([import('./stage.js'), import('./rival.js')]);

// take adds photos.
export function take(files) {
  toolbox();
  const first = !queue.cards.length;
  const added = queue.add(files, form.elements.mode.value);
  if (first) {
    $('options').open = false;
    scrollTo({ top: 0, behavior: 'instant' });
    look(added.length === 1 ? added[0] : null);
  } else changed();
}


// arrived opens a result and keeps it in the gallery.
async function arrived(card, result) {
  card.item = itemOf(card, result, await card.before, common);
  if (!result.here) htmx.trigger('#quota', 'quota');
  announce(t('{name}: background removed', { name: card.name }));
  try {
    await makeStage();
    await dress(card);
  } catch (error) {
    notice('open', t('A picture could not be opened: {reason}', { reason: t(error.message) }));
  }
  const hadFocus = card.pane.contains(document.activeElement) || document.activeElement === document.body;
  card.pane.querySelector('.outcome').replaceChildren();
  if (focused === card) look(card, hadFocus);
  const { style } = card.item;
  keep(card.item).then((id) => {
    card.item.kept = id;
    if (card.item.style !== style) styled(card.item); // chosen while it was being stored
    changed();
  });
}

async function makeStage() {
  const [{ Stage }, { startRival }] = await toolbox();
  stage ??= new Stage($('stage'), {
    styled,
    alike,
    replace: async (item, blob, changes) => {
      await replaceCut(item, blob, changes);
      reshow(item);
    },
    actions: {
      best: {
        offered: (item) => item.mode !== 'best',
        run: async (item) => {
          const card = cardOf(item);
          const better = await startRival(card, $('panes'), () => look(focused, focused === card));
          if (!better) return;
          await replaceCut(item, better.file, better);
          reshow(item);
        },
      },
      // A photo that this browser cannot show is compared once it is made readable.
      original: {
        offered: (item) => !item.before && Boolean(item.original),
        run: async (item) => {
          item.readable = await shown(item.original, (words) => stage.say(words));
          item.before = await studio('view', { photo: item.readable });
          reshow(item);
        },
      },
      over: { offered: () => queue.cards.length === 1, run: clear },
    },
  });
}

const cardOf = (item) => queue.cards.find((card) => card.item === item);

function reshow(item) {
  const card = cardOf(item);
  if (!card) return;
  thumb(card);
  if (stage.item === item) stage.show(item);
}

// look shows one card, or all of them. With focus, its heading gets it.
function look(card, focus = false) {
  focused = card;
  const pane = card && (card.rival?.pane ?? (card.item && stage ? null : card.pane));
  for (const each of $('panes').children) each.hidden = each !== pane;
  $('stage').hidden = !card || Boolean(pane);
  if (card && !pane && stage.item !== card.item) stage.show(card.item);
  for (const each of queue.cards) {
    const open = each.li.querySelector('.open');
    if (each === card) open.setAttribute('aria-current', 'true');
    else open.removeAttribute('aria-current');
  }
  card?.li.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  changed();
  if (focus && card) (pane ?? $('stage')).querySelector('h3')?.focus({ preventScroll: true });
}

// changed keeps the frame around the photos in step with them.
function changed() {
  const { cards } = queue;
  const done = cards.filter((card) => card.item);
  const open = cards.filter((card) => card.state === 'waiting' || card.state === 'sending');
  const several = cards.length > 1;
  work.hidden = !cards.length;
  work.dataset.view = focused ? 'focus' : 'all';
  work.classList.toggle('several', several);
  $('desk').hidden = !focused;
  button('overview').hidden = !several || !focused;
  button('retry').hidden = cards.filter((card) => card.state === 'failed' && card.again).length < 2;
  button('clear').hidden = !several;
  button('zip').hidden = !several || !done.length;
  $('count').textContent = several ? t('{done} of {all} done', { done: done.length, all: cards.length }) : '';
  button('zip').querySelector('span').textContent = done.length < cards.length ? t('Download {done} of {all}', { done: done.length, all: cards.length }) : t('Download all');
  $('stage').querySelector('[data-act="alike"]').hidden = !several;
  stage?.offer();
  document.title = open.length ? `${t('{done} of {all}', { done: cards.length - open.length, all: cards.length })} · ${title}` : title;
  document.documentElement.classList.toggle('busy', cards.length > 0);
}

// styled follows a choice: the thumbnail now, the gallery once it has settled.
const pending = new Map();

function styled(item) {
  const card = cardOf(item);
  if (!card) return;
  clearTimeout(pending.get(item));
  pending.set(item, setTimeout(() => {
    pending.delete(item);
    dress(card).then(() => item.kept && update(item.kept, item, ['look', 'behind'])).catch(() => {
      notice('styling', t('The browser has no space left, so the gallery keeps this picture without its latest look.'));
    });
  }, 300));
}

async function dress(card) {
  if (await relook(card.item)) thumb(card);
}

function thumb({ li, item }) {
  const img = document.createElement('img');
  img.alt = '';
  blobSource(img, item.look ?? item.thumb);
  const backing = li.querySelector('.backing');
  for (const old of backing.children) blobSource(old, null);
  backing.replaceChildren(img);
}

function alike({ style }) {
  const items = queue.cards.map(({ item }) => item).filter(Boolean);
  const before = new Map(items.map((item) => [item, item.style]));
  const commonBefore = common;
  const give = (styleOf) => {
    for (const item of items) {
      if (!cardOf(item)) continue;
      item.style = styleOf(item);
      styled(item);
    }
    stage.restyle();
  };
  common = style;
  give(() => style);
  withdraw('alike');
  const n = items.length;
  const sentence = n < queue.cards.length ? t('{n} photos now have this look; the others get it when they are done.', { n }) : t('{n} photos now have this look.', { n });
  announce(sentence);
  notice('alike', sentence, {
    label: t('Undo'),
    run() {
      common = commonBefore;
      give((item) => before.get(item));
      announce(t('The previous looks are back'));
    },
  });
}

function clear() {
  const cards = queue.cards;
  const was = focused;
  for (const card of cards) {
    card.rival?.giveUp();
    queue.remove(card);
  }
  common = null;
  look(null);
  withdraw('alike');
  withdraw('cleared');
  notice('cleared', t('{n} photos removed from this page.', { n: cards.length }), {
    label: t('Undo'),
    run() {
      queue.restore([...cards, ...queue.cards]);
      look(was);
    },
  });
  $('image').focus();
}

function remove(card) {
  const { cards } = queue;
  const at = cards.indexOf(card);
  const next = cards[at + 1] ?? cards[at - 1] ?? null;
  card.rival?.giveUp();
  const one = focused === card || (cards.length === 2 && focused === null);
  queue.remove(card);
  if (one) look(next, true);
  else {
    changed();
    next?.li.querySelector('.remove').focus();
  }
  if (!next) $('image').focus();
  withdraw('removed');
  if (card.item) {
    notice('removed', t('{name} removed from this page.', { name: card.name }), {
      label: t('Undo'),
      run() {
        queue.restore(cards.filter((each) => each === card || queue.cards.includes(each)));
        look(focused ? card : null);
      },
    });
  }
}

$('cards').addEventListener('click', ({ target }) => {
  const act = target.closest('[data-act]')?.dataset.act;
  const card = act && queue.cardOf(target);
  if (!card) return;
  if (act === 'focus') look(card, true);
  else remove(card);
});

work.addEventListener('click', ({ target }) => {
  const acts = { clear, zip, retry: () => queue.retryAll(), overview };
  acts[target.closest('[data-do]')?.dataset.do]?.();
});

function overview() {
  const from = focused;
  look(null);
  from?.li.querySelector('.open').focus();
}

// Arrow keys go from photo to photo, where nothing else wants them; Escape goes
// back to all of them.
work.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || !focused || queue.cards.length < 2 || event.target.closest('input, select, [tabindex="0"], dialog')) return;
  if (event.key === 'Escape') overview();
  const step = steps[event.key];
  const card = step && queue.cards[queue.cards.indexOf(focused) + step];
  if (!card) return;
  event.preventDefault();
  const inStrip = $('cards').contains(event.target);
  look(card, !inStrip);
  if (inStrip) card.li.querySelector('.open').focus();
});

async function zip() {
  button('zip').disabled = true;
  try {
    const { outputOf } = await import('./stage.js');
    const entries = [];
    for (const { item } of queue.cards) {
      if (!item) continue;
      const blob = await outputOf(item);
      entries.push({ name: fileName(item.name, blob.type), blob });
    }
    const names = uniqueNames(entries.map(({ name }) => name));
    download('cutouts.zip', await studio('zip', { entries: entries.map((entry, i) => ({ ...entry, name: names[i] })) }));
    for (const { item } of queue.cards) if (item) item.taken = true;
  } catch (error) {
    notice('zip', t('The ZIP file could not be created: {reason}', { reason: t(error.message) }));
  } finally {
    button('zip').disabled = false;
  }
}

// Leaving would lose photos still being sent and results not kept in the gallery.
addEventListener('beforeunload', (event) => {
  if (queue.cards.some((card) => card.state === 'waiting' || card.state === 'sending' || (card.item && !card.item.kept && !card.item.taken))) event.preventDefault();
});
