// One correction's worker. It answers jobs in order, and is ended with the
// correction, which frees all that it holds.

export class Engine {
  #worker = new Worker(new URL('../worker/correct.js', import.meta.url), { type: 'module' });
  #waiting = new Map();
  #count = 0;

  constructor() {
    this.#worker.addEventListener('message', ({ data: { id, answer, error } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) reject(new Error(error));
      else resolve(answer);
    });
    this.#worker.addEventListener('error', () => this.end());
  }

  run(job, values) {
    this.#count += 1;
    const id = this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, job, values });
    });
  }

  end() {
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new Error('This photo is too large for the browser.'));
    this.#waiting.clear();
  }
}
