// Sends one photo with its card's htmx form and reports the outcome.

import { takePictures } from './picture.js';
import { settings } from './settings.js';
import { studio } from './studio.js';
import { blobSource } from './viewer.js';
import { clone } from './words.js';

// send resolves to { kind, retryAfter, article }: kind is "result", "problem"
// (the card shows it) or "cancelled". card is { li, file, mode }.
export function send(card) {
  const form = fill(card);
  showThumb(card);
  const outcome = card.li.querySelector('.outcome');
  return new Promise((resolve) => {
    const stop = new AbortController();
    const on = (name, listen) => card.li.addEventListener(name, listen, { signal: stop.signal });
    const finish = (kind, values = {}) => {
      stop.abort();
      resolve({ kind, ...values });
    };
    const fail = (title, words, retryAfter) => {
      showProblem(outcome, title, words);
      finish('problem', { retryAfter });
    };
    let request;
    on('htmx:beforeSend', ({ target, detail }) => {
      if (target === form) request = detail.xhr;
    });
    card.cancel = () => {
      if (request) request.onabort = null; // htmx would log an error
      request?.abort();
      finish('cancelled');
    };
    followProgress(card, form, on);
    on('htmx:beforeSwap', (event) => {
      if (event.target !== outcome) return;
      const { detail } = event;
      if (!detail.serverResponse.trimStart().startsWith('<article')) {
        detail.shouldSwap = false; // a proxy's page, not ours
        fail('The server could not be reached', `Something between you and the server answered in its place (${detail.xhr.status}). Try again in a moment.`, 15);
        return;
      }
      detail.serverResponse = takePictures(detail.serverResponse);
    });
    on('htmx:afterSwap', (event) => {
      if (event.target !== outcome) return;
      const article = outcome.firstElementChild;
      if (article.matches('.result')) finish('result', { article });
      else finish('problem', { retryAfter: Number(article.dataset.retryAfter) || 0 });
    });
    on('htmx:sendError', (event) => {
      if (event.target !== form) return;
      if (navigator.onLine) fail('The connection was lost', 'The server could not be reached, or it refused the photo while it was being sent. Your photo is still here.', 0);
      else fail('You are offline', 'Your photo waits here and is sent when you are back online.', Infinity);
    });
    on('htmx:timeout', (event) => {
      if (event.target === form) fail('This took too long', 'The server did not answer in time.', 0);
    });
    htmx.trigger(form, 'send');
  });
}

// fill puts the photo into the form, without its name: the server has no use
// for it.
function fill({ li, file, mode }) {
  const form = li.querySelector('form');
  const nameless = new DataTransfer();
  nameless.items.add(new File([file], 'photo', { type: file.type }));
  form.elements.image.files = nameless.files;
  form.elements.mode.value = mode;
  form.elements.upload.value = randomID();
  form.elements.cookie.disabled = settings.get('cookie') !== 'no';
  return form;
}

// showThumb shows the photo beside its progress, where this browser can, and
// keeps the view for comparing later.
function showThumb(card) {
  const place = card.li.querySelector('.thumb');
  card.before ??= studio('view', { photo: card.file }).then(({ blob }) => blob, () => null);
  card.before.then((blob) => {
    if (!blob || !place.isConnected) return;
    const img = document.createElement('img');
    img.alt = '';
    blobSource(img, blob);
    place.replaceChildren(img);
  });
}

// randomID works on plain HTTP too, where randomUUID does not exist.
function randomID() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, '0')).join('');
}

// followProgress shows the upload in per cent, then the stages that the server
// reports, then the download of the answer.
function followProgress({ li }, form, on) {
  const bar = li.querySelector('progress');
  const say = (words) => {
    const line = document.createElement('p');
    line.className = 'step';
    line.textContent = words;
    li.querySelector('.step')?.replaceWith(line);
    return line;
  };
  let sent = false;
  bar.value = 0;
  say('Sending');
  on('htmx:xhr:progress', ({ target, detail }) => {
    if (target !== form || !detail.lengthComputable) return;
    const percent = Math.round((100 * detail.loaded) / detail.total);
    bar.value = percent;
    say(sent ? `Fetching the picture, ${percent} %` : `Sending, ${percent} %`);
  });
  on('htmx:xhr:loadend', ({ target }) => {
    if (target !== form || sent) return;
    sent = true; // the first loadend is the upload's
    bar.removeAttribute('value');
    const line = say('Waiting for the server');
    line.setAttribute('hx-get', `/device/queue?upload=${form.elements.upload.value}`);
    line.setAttribute('hx-trigger', 'load');
    line.setAttribute('hx-target', 'this');
    line.setAttribute('hx-swap', 'outerHTML');
    htmx.process(line);
  });
}

export function showProblem(outcome, title, words) {
  const article = clone('problem');
  article.querySelector('h3').textContent = title;
  article.querySelector('p').textContent = words;
  outcome.replaceChildren(article);
}
