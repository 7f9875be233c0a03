// Photos one after another through the worker that removes backgrounds on this
// device. It is ended when a photo is cancelled, when it fails, and when nothing has
// needed it for a while, which gives its memory back.

const IDLE = 30_000;
const DECODING = 60_000; // nothing but a file made for it takes so long

let worker = null;
let running = null;
let idle = 0;
let late = 0;
const waiting = [];

// remove resolves to the worker's answer. values are for worker.js; tell is called
// with { stage }, { fetched, total } and, before its file is written, { picture }:
// { width, height, pixels }. cancel, a property of the promise, makes it
// reject with an AbortError.
export function remove(values, tell) {
  const job = { values, tell };
  const promise = new Promise((resolve, reject) => Object.assign(job, { resolve, reject }));
  promise.cancel = () => {
    const at = waiting.indexOf(job);
    if (at >= 0) waiting.splice(at, 1);
    else if (running === job) end();
    job.reject(new DOMException('Cancelled', 'AbortError'));
    next();
  };
  waiting.push(job);
  next();
  return promise;
}

// end stops the worker, with whatever it does.
export function end() {
  clearTimeout(late);
  worker?.terminate();
  worker = null;
  running = null;
}

function next() {
  if (running || !waiting.length) return;
  clearTimeout(idle);
  running = waiting.shift();
  worker ??= start();
  worker.postMessage({ job: 'remove', ...running.values });
}

function start() {
  const made = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  made.addEventListener('message', ({ data }) => {
    if (made !== worker || !running) return;
    clearTimeout(late);
    if (data.stage === 'decode') late = setTimeout(() => fail(new Error('Decoding the photo took too long and was stopped.'), 'timeout'), DECODING);
    if (data.stage || data.total || data.picture) running.tell(data);
    else if (data.answer) settle((job) => job.resolve(data.answer));
    else fail(new Error(data.error), data.code, data.code === '');
  });
  made.addEventListener('error', (event) => {
    event.preventDefault();
    if (made === worker) fail(new Error('This device ran out of memory, or its browser stopped the work.'), 'internal');
  });
  return made;
}

const fail = (error, code, broken = true) => settle((job) => job.reject(Object.assign(error, { code })), broken);

// settle ends the running job. A worker that broke, instead of refusing a photo, does
// not get the next.
function settle(outcome, broken = false) {
  const job = running;
  running = null;
  if (broken) end();
  if (job) outcome(job);
  clearTimeout(idle);
  idle = setTimeout(end, IDLE);
  next();
}
