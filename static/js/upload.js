// Sends one photo with its pane's htmx form and reports the outcome.

import { openPicture, takePictures } from './picture.js';
import { post } from './post.js';
import { settings } from './settings.js';
import { studio } from './studio.js';
import { t, to } from './texts.js';
import { clone } from './words.js';

// send resolves to { kind, ... }: "result" with { result: { file, view, thumb,
// width, height, subject, mode, took } }; "problem" with { retryAfter } in
// seconds, which the pane shows; or "cancelled". card is { pane, file, mode }.
export function send(card) {
  const form = fill(card);
  const outcome = card.pane.querySelector('.outcome');
  return new Promise((resolve) => {
    const stop = new AbortController();
    const on = (name, listen) => card.pane.addEventListener(name, listen, { signal: stop.signal });
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
      const text = detail.serverResponse.trimStart();
      if (!text.startsWith('<article')) {
        detail.shouldSwap = false; // a proxy's page, not ours
        fail(t('The server can’t be reached'), t('Something between you and the server answered in its place ({status}).', detail.xhr), UNREACHABLE);
      } else if (text.startsWith('<article class="arrival"')) {
        detail.shouldSwap = false;
        arrival(text).then((result) => finish('result', { result }), (error) => fail(t('The result could not be opened'), t(error.message), 0));
      }
    });
    on('htmx:afterSwap', (event) => {
      if (event.target === outcome) finish('problem', problemOf(outcome.firstElementChild));
    });
    on('htmx:sendError', (event) => {
      if (event.target !== form) return;
      if (navigator.onLine) fail(t('The server can’t be reached'), t('It may be restarting. Your photo is still here.'), UNREACHABLE);
      else fail(t('You are offline'), t('Your photo waits here and is sent when you are back online.'), Infinity);
    });
    on('htmx:timeout', (event) => {
      if (event.target === form) fail(t('This took too long'), t('The server did not answer in time.'), 0);
    });
    htmx.trigger(form, 'send');
  });
}

// request does as send does on a page without htmx, without stages and retries.
export async function request(card) {
  const outcome = card.pane.querySelector('.outcome');
  const stop = new AbortController();
  card.cancel = () => stop.abort();
  card.progress(t('Working'));
  try {
    const response = await post({ mode: card.mode, format: 'png', image: card.file }, stop.signal);
    const file = await response.blob();
    if (!response.ok || !file.type.startsWith('image/')) throw new Error('The server could not do it now. Try again later.');
    const bitmap = await createImageBitmap(file);
    const { width, height } = bitmap;
    bitmap.close();
    const subject = response.headers.get('X-Subject') ?? 'found';
    return { kind: 'result', result: { file, width, height, subject, mode: card.mode, ...await studio('views', { file }) } };
  } catch (error) {
    if (stop.signal.aborted) return { kind: 'cancelled' };
    showProblem(outcome, t('That did not work'), t(error.message));
    return { kind: 'problem', retryAfter: 0 };
  }
}

// UNREACHABLE asks for another try after a while that grows with each.
export const UNREACHABLE = -1;

function problemOf({ dataset }) {
  return { retryAfter: Number(dataset.retryAfter) || 0, code: dataset.code };
}

// arrival reads the answer with a result.
async function arrival(text) {
  const holder = document.createElement('template');
  holder.innerHTML = takePictures(text);
  const { dataset, firstElementChild } = holder.content.firstElementChild;
  const { width, height, subject, mode, took } = dataset;
  return { width: Number(width), height: Number(height), subject, mode, took, ...await openPicture(firstElementChild) };
}

// fill puts the photo into the form, without its name: the server has no use
// for it.
function fill({ pane, file, mode }) {
  const form = pane.querySelector('form');
  const nameless = new DataTransfer();
  nameless.items.add(new File([file], 'photo', { type: file.type }));
  form.elements.image.files = nameless.files;
  form.elements.mode.value = mode;
  form.elements.upload.value = randomID();
  form.elements.cookie.disabled = settings.get('cookie') !== 'no';
  return form;
}

// randomID works on plain HTTP too, where randomUUID does not exist.
function randomID() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, '0')).join('');
}

// progressOf returns progress(sentence, percent) for a pane; without a number
// the bar only moves.
export function progressOf(pane) {
  return (words, percent) => {
    const bar = pane.querySelector('progress');
    if (percent === undefined) bar?.removeAttribute('value');
    else if (bar) bar.value = percent;
    const line = document.createElement('p');
    line.className = 'step';
    line.textContent = words;
    pane.querySelector('.step')?.replaceWith(line);
    return line;
  };
}

// followProgress shows the upload in per cent, then the stages that the server
// reports, then the download of the answer.
function followProgress({ pane }, form, on) {
  const progress = progressOf(pane);
  let sent = false;
  progress(t('Sending'), 0);
  on('htmx:xhr:progress', ({ target, detail }) => {
    if (target !== form || !detail.lengthComputable) return;
    const percent = Math.round((100 * detail.loaded) / detail.total);
    progress(sent ? t('Fetching the picture, {percent} %', { percent }) : t('Sending, {percent} %', { percent }), percent);
  });
  on('htmx:xhr:loadend', ({ target }) => {
    if (target !== form || sent) return;
    sent = true; // the first loadend is the upload's
    const line = progress(t('Waiting for the server'));
    line.setAttribute('hx-get', to(`/device/queue?upload=${form.elements.upload.value}`));
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
