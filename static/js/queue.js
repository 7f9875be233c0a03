// The list of photos: a few are sent at once, the others wait; each can be
// cancelled and tried again on its own.

import { countDown } from './countdown.js';
import { send, showProblem } from './upload.js';
import { announce, bytes, clone } from './words.js';

const AT_ONCE = 3;

export class Queue {
  #cards = [];
  #heldUntil = 0;

  // list is the <ol>; limits is { maxUpload, words } of a photo; finished is
  // called with a card and its article when a result has come; changed after
  // every change.
  constructor(list, { limits, finished, changed }) {
    this.list = list;
    this.limits = limits;
    this.finished = finished;
    this.changed = changed;
    list.addEventListener('click', (event) => this.#act(event));
    addEventListener('online', () => this.#again((card) => card.offline));
  }

  get cards() {
    return [...this.#cards];
  }

  add(files, mode) {
    for (const file of files) {
      const card = { li: clone('card'), file, name: file.name || 'Pasted photo', mode };
      this.#cards.push(card);
      this.list.append(card.li);
      htmx.process(card.li);
      const trouble = this.#refuse(file);
      if (trouble) this.#problem(card, ...trouble);
      else this.#line(card);
    }
    announce(files.length === 1 ? 'Photo added' : `${files.length} photos added`);
    this.#pump();
  }

  remove(card) {
    card.cancel?.();
    this.#cards = this.#cards.filter((other) => other !== card);
    card.li.remove();
    this.#pump();
  }

  // clear removes every card that is not being sent.
  clear() {
    for (const card of this.cards) if (card.state !== 'sending') this.remove(card);
  }

  #refuse(file) {
    if (file.size === 0) return ['This file is empty', 'There is nothing in it. Choose another one.'];
    if (file.size > this.limits.maxUpload) {
      return ['This photo is too large', `It is ${bytes(file.size)}; a photo may be up to ${this.limits.words}. Exporting it as JPEG usually makes it far smaller.`];
    }
    return null;
  }

  #line(card) {
    const article = clone('working');
    article.querySelector('h3').textContent = card.name;
    card.li.querySelector('.outcome').replaceChildren(article);
    card.offline = false;
    this.#state(card, 'waiting');
  }

  #state(card, state) {
    card.state = state;
    card.li.dataset.state = state;
  }

  #problem(card, title, words) {
    showProblem(card.li.querySelector('.outcome'), title, words);
    this.#dress(card);
    if (/too large|empty/.test(title)) card.li.querySelector('[data-act="retry"]').remove();
  }

  // dress adds the photo's name and the countdown to the next try to a problem.
  #dress(card) {
    this.#state(card, 'failed');
    const name = document.createElement('p');
    name.className = 'name';
    name.textContent = card.name;
    card.li.querySelector('.words')?.prepend(name);
    const time = card.li.querySelector('[data-countdown]');
    if (time) {
      time.previousSibling.textContent = 'Trying again automatically in ';
      countDown(time, () => this.#again((other) => other === card));
    }
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
    const hadFocus = card.li.contains(document.activeElement);
    const { kind, retryAfter, article } = await send(card);
    card.cancel = null;
    if (kind === 'result') {
      this.#state(card, 'done');
      this.finished(card, article, hadFocus);
    } else if (kind === 'problem') {
      card.offline = retryAfter === Infinity;
      this.#dress(card);
      if (retryAfter > 0 && retryAfter < Infinity) this.#hold(retryAfter);
      announce(`${card.name}: ${card.li.querySelector('h3').textContent}`);
    }
    this.#pump();
  }

  // hold keeps the others back while the server asks to wait.
  #hold(seconds) {
    this.#heldUntil = Math.max(this.#heldUntil, Date.now() + seconds * 1000);
    for (const card of this.#cards) {
      if (card.state === 'waiting') card.li.querySelector('.step').textContent = 'Waiting until the server accepts photos again';
    }
    setTimeout(() => this.#pump(), seconds * 1000 + 100);
  }

  #again(wanted) {
    for (const card of this.#cards) if (card.state === 'failed' && wanted(card)) this.#line(card);
    this.#pump();
  }

  #act({ target }) {
    const button = target.closest('[data-act]');
    const card = this.#cards.find(({ li }) => li.contains(button));
    if (!card) return;
    const act = button.dataset.act;
    if (act === 'retry') {
      this.#heldUntil = 0;
      this.#again((other) => other === card);
    } else if (act === 'cancel' || act === 'dismiss' || act === 'remove') {
      const next = card.li.nextElementSibling ?? card.li.previousElementSibling;
      this.remove(card);
      (next?.querySelector('button, a, [tabindex]') ?? document.getElementById('image')).focus();
    }
  }
}
