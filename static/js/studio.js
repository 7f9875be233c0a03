// Pixel work off the main thread, one job after another.

let worker;
let count = 0;
const waiting = new Map();

// studio runs a job of worker/studio.js and resolves to its answer. It takes over
// what transfer lists.
export function studio(job, values, transfer = []) {
  worker ??= start();
  count += 1;
  const id = count;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, job, values }, transfer);
  });
}

function start() {
  const made = new Worker(new URL('./worker/studio.js', import.meta.url), { type: 'module' });
  made.addEventListener('message', ({ data }) => {
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error) reject(new Error(data.error));
    else resolve(data.answer);
  });
  made.addEventListener('error', () => {
    // The worker is gone (out of memory, most likely); the next job starts another.
    worker = undefined;
    for (const { reject } of waiting.values()) reject(new Error('This picture is too large for the browser.'));
    waiting.clear();
  });
  return made;
}
