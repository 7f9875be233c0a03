// The list of photos: a few are sent at once, the others wait; each can be
// cancelled and tried again on its own. A card is { li, pane, file, name, mode,
// state, before, item }: its thumbnail, what is shown of it before there is a
// result, and its item (item.js) after that.

import { countDown } from './countdown.js';
import { sendBy } from './extend.js';
import { studio } from './studio.js';
import { t } from './texts.js';
import { UNREACHABLE, progressOf, send, showProblem } from './upload.js';
import { blobSource } from './blobs.js';
import { announce, bytes, clone } from './words.js';

const AT_ONCE = 3;
const PATIENCE = [3, 6, 12, 25, 60]; // seconds before each further try of an unreachable server

const STATES = { waiting: t('Waiting'), sending: t('Working'), failed: t('Failed'), done: t('Done') };

export class Queue {
  #cards = [];
  #heldUntil = 0;

  // list is the <ol> of thumbnails, panes the place of the panes; limits is
  // { maxUpload, words } of a photo; arrived is called with a card and its result;
  // changed after every change, with the card whose state has changed, if any.
  constructor(list, panes, { limits, arrived, changed }) {
    Object.assign(this, { list, panes, limits, arrived, changed });
    panes.addEventListener('click', (event) => this.#act(event));
    addEventListener('online', () => this.#again((card) => card.wait === Infinity));
  }

  get cards() {
    return [...this.#cards];
  }

  cardOf(element) {
    return this.#cards.find(({ li, pane }) => li.contains(element) || pane.contains(element));
  }

  add(files, mode) {
    const added = files.map((file) => this.#make(file, mode));
    this.#cards.push(...added);
    for (const card of added) {
      this.#place(card);
      const trouble = this.#refuse(card.file);
      if (trouble) this.#problem(card, ...trouble);
      else this.#line(card);
    }
    announce(t('{n} photos added', { n: files.length }));
    this.#pump();
    return added;
  }

  remove(card) {
    card.cancel?.();
    card.cancel = null;
    this.#cards = this.#cards.filter((other) => other !== card);
    card.li.remove();
    card.pane.remove();
    this.#pump();
  }

  // restore brings removed cards back, in this order.
  restore(cards) {
    this.#cards = cards;
    for (const card of cards) {
      this.#place(card);
      if (card.state === 'sending') this.#line(card);
    }
    this.#pump();
  }

  retryAll() {
    this.#heldUntil = 0;
    this.#again((card) => card.again);
  }

  #make(file, mode) {
    const card = { li: clone('card'), pane: clone('pane'), file, name: file.name || t('Pasted photo'), mode, tries: 0 };
    card.li.querySelector('b').textContent = card.name;
    card.li.querySelector('.remove .unseen').textContent = t('Remove {name}', card);
    return card;
  }

  #place(card) {
    this.list.append(card.li);
    this.panes.append(card.pane);
    htmx.process(card.pane);
  }

  #refuse(file) {
    if (file.size === 0) return [t('This file is empty'), t('There is nothing in it. Choose another one.')];
    if (file.size > this.limits.maxUpload) {
      return [t('This photo is too large'), t('It’s {size}; the limit is {limit}. Exporting it as JPEG usually makes it far smaller.', { size: bytes(file.size), limit: this.limits.words })];
    }
    return null;
  }

  #line(card) {
    const article = clone('working');
    article.querySelector('h3').textContent = card.name;
    card.pane.querySelector('.outcome').replaceChildren(article);
    card.wait = 0;
    this.#look(card);
    this.#state(card, 'waiting');
  }

  // look shows the photo while it is on its way, where this browser can.
  #look(card) {
    card.before ??= studio('view', { photo: card.file }).catch(() => null);
    card.before.then((blob) => {
      if (!blob || card.item) return;
      for (const place of [card.li.querySelector('.backing'), card.pane.querySelector('.thumb')]) {
        const img = document.createElement('img');
        img.alt = '';
        blobSource(img, blob);
        place.replaceChildren(img);
      }
    });
  }

  #state(card, state) {
    card.state = state;
    card.li.dataset.state = state;
    card.pane.dataset.state = state;
    card.li.querySelector('small').textContent = STATES[state];
    this.changed(card);
  }

  #problem(card, title, words) {
    showProblem(card.pane.querySelector('.outcome'), title, words);
    card.pane.querySelector('[data-act="retry"]').remove();
    this.#dress(card);
  }

  // dress adds the photo's name and the countdown to the next try to a problem.
  #dress(card) {
    const name = document.createElement('p');
    name.className = 'name';
    name.textContent = card.name;
    card.pane.querySelector('.words')?.prepend(name);
    card.again = Boolean(card.pane.querySelector('[data-act="retry"]'));
    if (card.wait > 0 && card.wait < Infinity) {
      const line = card.pane.querySelector('.wait') ?? card.pane.querySelector('.words').appendChild(waitLine());
      const time = line.querySelector('time');
      time.dataset.countdown = card.wait;
      const [before, after] = t('Trying again in {time}.').split('{time}');
      line.replaceChildren(before, time, after);
      countDown(time, () => this.#again((other) => other === card));
    }
    this.#state(card, 'failed');
  }

  #pump() {
    let busy = this.#cards.filter((card) => card.state === 'sending').length;
    for (const card of this.#cards) {
      if (busy >= AT_ONCE || Date.now() < this.#heldUntil) break;
      if (card.state !== 'waiting') continue;
      busy += 1;
      this.#send(card);
    }
    this.changed();
  }

  async #send(card) {
    this.#state(card, 'sending');
    card.progress = progressOf(card.pane);
    const { kind, retryAfter, result } = await (sendBy(card) ?? send(card));
    card.cancel = null;
    if (kind === 'cancelled') return;
    if (kind === 'result') {
      card.tries = 0;
      await this.arrived(card, result);
      this.#state(card, 'done');
    } else {
      this.#wait(card, retryAfter);
      this.#dress(card);
      announce(`${card.name}: ${card.pane.querySelector('h3').textContent}`);
    }
    this.#pump();
  }

  // wait decides when a failed photo is tried again: when the server says, when
  // the network is back, or with growing patience while nobody answers.
  #wait(card, retryAfter) {
    const unreachable = retryAfter === UNREACHABLE;
    card.wait = unreachable ? PATIENCE[Math.min(card.tries, PATIENCE.length - 1)] : retryAfter;
    if (unreachable) card.tries += 1;
    if (card.wait > 0 && card.wait < Infinity) this.#hold(card.wait);
  }

  // hold keeps the others back while the server asks to wait.
  #hold(seconds) {
    this.#heldUntil = Math.max(this.#heldUntil, Date.now() + seconds * 1000);
    for (const card of this.#cards) {
      if (card.state === 'waiting') card.pane.querySelector('.step').textContent = t('Waiting until the server accepts photos again');
    }
    setTimeout(() => this.#pump(), seconds * 1000 + 100);
  }

  #again(wanted) {
    for (const card of this.#cards) if (card.state === 'failed' && wanted(card)) this.#line(card);
    this.#pump();
  }

  #act({ target }) {
    const act = target.closest('[data-act]')?.dataset.act;
    const card = act && this.cardOf(target);
    if (!card) return;
    if (act === 'retry') {
      this.#heldUntil = 0;
      this.#again((other) => other === card);
    } else if (act === 'cancel' || act === 'dismiss') {
      card.li.querySelector('.remove').click();
    }
  }
}

function waitLine() {
  const line = document.createElement('p');
  line.className = 'wait';
  line.append(document.createElement('time'));
  return line;
}
