// Where photos are processed: on the server, on this device, or on this device where
// the server cannot. The choice is remembered in this browser.

import { registerSender } from '../extend.js';
import { notice } from '../notices.js';
import { settings } from '../settings.js';
import { t } from '../texts.js';
import { UNREACHABLE, send, showProblem } from '../upload.js';
import { bytes, clone } from '../words.js';
import { few, unable } from './able.js';
import { remove } from './device.js';
import { isKept } from './files.js';

const box = document.getElementById('where');
const { list: address, processing } = box.dataset;
const size = bytes(Number(box.dataset.bytes));
// The pipeline's module, which is the same for corrections by hand, its codec, and what
// runs the model.
const others = ['bgremover.wasm', 'wasm_exec.js', 'heif.wasm', 'engine.wasm'].map((name) => new URL(`../../wasm/${name}`, import.meta.url).href);
const setup = { address, others, most: few() };
const obstacle = unable();

const STAGES = {
  decode: t('Opening the photo'),
  infer: t('Finding the subject'),
  refine: t('Working on the edges'),
  compose: t('Cleaning up the colours'),
  encode: t('Preparing the file'),
};

const chosen = () => (obstacle ? 'server' : settings.get('where') ?? processing);
const ready = () => isKept(address, others);

export async function show() {
  const radios = [...box.querySelectorAll('[name="where"]')];
  const state = box.querySelector('.hint');
  for (const radio of radios) {
    radio.checked = radio.value === chosen();
    radio.disabled = Boolean(obstacle) && radio.value !== 'server';
    radio.onchange = () => {
      settings.set('where', radio.value);
      say();
    };
  }
  const say = async () => {
    if (obstacle) state.textContent = t('This device can’t do it. {reason}', { reason: obstacle });
    else if (await ready()) state.textContent = t('What this device needs is in this browser, and works offline. Your data lists it.');
    else state.textContent = chosen() === 'server' ? '' : t('The first photo on this device fetches {size}, once.', { size });
  };
  box.hidden = false;
  await say();
  addEventListener('focus', say);
}

registerSender((card) => {
  const where = chosen();
  if (where === 'device' || card.here) return process(card);
  if (where === 'auto') return serverFirst(card);
  return null;
});

// serverFirst turns to this device where the server cannot serve. Where that would
// fetch the model, it asks first.
async function serverFirst(card) {
  if (!navigator.onLine && await ready()) return process(card);
  const outcome = await send(card);
  if (outcome.kind !== 'problem' || !wanting(outcome)) return outcome;
  if (await ready()) return process(card);
  if (navigator.onLine) propose(card);
  return outcome;
}

const wanting = ({ code, retryAfter }) => ['rate_limited', 'busy', 'backend_unavailable'].includes(code) || retryAfter === UNREACHABLE || retryAfter === Infinity;

function propose(card) {
  const retry = card.pane.querySelector('[data-act="retry"]');
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button device';
  button.textContent = t('Use this device (fetches {size}, once)', { size });
  button.addEventListener('click', () => {
    card.here = true;
    retry.click();
  });
  retry?.before(button);
}

async function process(card) {
  const outcome = card.pane.querySelector('.outcome');
  if (!outcome.querySelector('progress')) {
    const article = clone('working');
    article.querySelector('h3').textContent = card.name;
    outcome.replaceChildren(article);
  }
  card.progress(t('Waiting for this device'));
  let views = Promise.resolve({}); // made while the file is written
  const work = remove({ setup, file: card.file, mode: card.mode }, ({ stage, fetched, total, picture }) => {
    if (picture) views = import('../studio.js').then(({ studio }) => studio('views', { picture }, [picture.pixels.buffer])).catch(() => ({}));
    else if (total) card.progress(t('Fetching what this device needs, once: {fetched} of {total}', { fetched: bytes(fetched), total: bytes(total) }), Math.round((100 * fetched) / total));
    else if (STAGES[stage]) card.progress(STAGES[stage]);
  });
  card.cancel = work.cancel;
  try {
    const { kept, ...result } = await work;
    if (!kept) notice('room', t('This browser has no space to keep what this device needs, so it will be fetched again next time.'));
    const { view = result.file, thumb = result.file } = await views;
    return { kind: 'result', result: { ...result, here: true, view, thumb } };
  } catch (error) {
    if (error.name === 'AbortError') return { kind: 'cancelled' };
    showProblem(outcome, t('This device can’t process this photo'), t(error.message));
    return { kind: 'problem', code: error.code, retryAfter: error.code === '' && !navigator.onLine ? Infinity : 0 };
  }
}

show();
