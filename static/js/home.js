// The start page: photos are added, cards show their progress and results.

import './page.js';
import { alike } from './alike.js';
import { download } from './download.js';
import { intake } from './intake.js';
import { keep } from './keep.js';
import { notice } from './notices.js';
import { openPicture } from './picture.js';
import { Queue } from './queue.js';
import { studio } from './studio.js';
import { blobSource, compare, size } from './viewer.js';
import { announce, uniqueNames } from './words.js';

const form = document.getElementById('intake');
const work = document.getElementById('work');
const buttons = { zip: work.querySelector('[data-act="zip"]'), clear: work.querySelector('[data-act="clear"]') };
const title = document.title;
let model = null; // the article whose choices apply to all

const queue = new Queue(document.getElementById('cards'), {
  limits: { maxUpload: Number(form.dataset.maxUpload), words: form.dataset.maxUploadWords },
  finished,
  changed,
});

// Only results need these; the first visit does not load them.
const toolbox = () => Promise.all([import('./tools.js'), import('./zoom.js')]);

intake(form, (files) => {
  toolbox();
  queue.add(files, form.elements.mode.value);
});

// finished opens a result: shows it, wires its tools, keeps it in the gallery.
async function finished(card, article, hadFocus) {
  const heading = article.querySelector('h3');
  const img = article.querySelector('.after');
  const { width, height } = article.dataset;
  heading.textContent = card.name;
  size(article, width, height);
  htmx.trigger('#quota', 'quota');
  try {
    const { file, view } = await openPicture(img);
    const before = await card.before;
    card.item = { name: card.name, width: Number(width), height: Number(height), file, view, before, original: before && card.file };
    blobSource(img, view);
    compare(article, before);
    announce(`${card.name}: background removed`);
    if (hadFocus || queue.cards.length === 1) heading.focus({ preventScroll: queue.cards.length > 1 });
    const [{ tools }, { zoom }] = await toolbox();
    tools(article, card.item);
    zoom(article, card.item);
    if (model?.isConnected) alike(article, model);
    card.kept = await keep(card.item);
  } catch (error) {
    notice('open', `A picture could not be opened: ${error.message}`);
  }
  changed();
}

// changed keeps the frame around the cards in step with them.
function changed() {
  const { cards } = queue;
  const done = cards.filter((card) => card.item);
  const open = cards.filter((card) => card.state === 'waiting' || card.state === 'sending');
  work.hidden = !cards.length;
  buttons.zip.hidden = done.length < 2;
  for (const { li } of done) li.querySelector('[data-act="alike"]').hidden = cards.length < 2;
  buttons.clear.hidden = !cards.length || open.length === cards.length;
  document.title = open.length ? `${cards.length - open.length} of ${cards.length} · ${title}` : title;
  if (cards.length) document.documentElement.classList.add('busy');
  else document.documentElement.classList.remove('busy');
}

work.addEventListener('alike', ({ target }) => {
  model = target.closest('article');
  for (const { item, li } of queue.cards) {
    const article = li.querySelector('article');
    if (item && article !== model) alike(article, model);
  }
  announce('All photos now have the same background, crop and shadow');
});

buttons.clear.addEventListener('click', () => {
  queue.clear();
  document.getElementById('image').focus();
});

buttons.zip.addEventListener('click', async () => {
  buttons.zip.disabled = true;
  try {
    const entries = [];
    for (const { item } of queue.cards) if (item) entries.push(await item.render());
    const names = uniqueNames(entries.map(({ name }) => name));
    download('cutouts.zip', await studio('zip', { entries: entries.map((entry, i) => ({ ...entry, name: names[i] })) }));
  } catch (error) {
    notice('zip', `The ZIP file could not be created: ${error.message}`);
  } finally {
    buttons.zip.disabled = false;
  }
});

// Leaving would lose photos still being sent and results not kept in the gallery.
addEventListener('beforeunload', (event) => {
  if (queue.cards.some((card) => card.state === 'waiting' || card.state === 'sending' || (card.item && !card.kept && !card.item.taken))) event.preventDefault();
});
