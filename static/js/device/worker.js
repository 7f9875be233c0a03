// The worker that removes backgrounds on this device: the server's own pipeline,
// compiled to WebAssembly, with the browser's decoders and the engine. Jobs come one at a
// time; a worker that fails or is not needed any more is ended by the page.

import { pipeline } from '../worker/pipeline.js';
import { VIEW } from '../worker/sizes.js';
import { obtain, read } from './files.js';
import { start } from './runtime.js';

const MEMORY = 700 * 1024 * 1024; // for photos

let ready = null;
let between = null; // what is done after an answer, before the next photo

// prepare fetches what is missing and starts the pipeline, once.
async function prepare({ address, most, others }, tell) {
  const list = await read(address);
  const { contents: [graph], kept } = await obtain([list.graph], [address, ...others], tell);
  const { segment, compare } = await start(list.model, graph);
  globalThis.segment = segment;
  const remove = await pipeline;
  remove.start({
    memory: MEMORY, maxPixels: list.maxPixels, maxSide: list.maxSide, mode: list.mode,
    model: list.model.name, sizes: list.sizes.slice(0, most),
  });
  return { remove: remove.remove, kept, compare };
}

const jobs = {
  async remove({ setup, file, mode }) {
    ready ??= prepare(setup, (done, total) => postMessage({ fetched: done, total }));
    const { remove, kept } = await ready.catch((error) => {
      ready = null;
      throw error;
    });
    const began = performance.now();
    const photo = new Uint8Array(await file.arrayBuffer());
    const show = (width, height, pixels) => postMessage({ picture: { width, height, pixels } }, [pixels.buffer]);
    // What is reduced is larger than a view, which tells it from a photo that is small itself.
    const result = await remove(photo, { mode, reduced: VIEW + 1 }, (stage) => postMessage({ stage }), show);
    return { ...result, file: new Blob([result.file], { type: result.type }), took: ((performance.now() - began) / 1000).toFixed(1), kept };
  },
};

addEventListener('message', async ({ data }) => {
  try {
    await between;
    postMessage({ answer: await jobs[data.job](data) });
    between = ready.then(({ compare }) => compare());
  } catch (error) {
    postMessage({ error: error.message || String(error), code: error.code ?? '' });
  }
});
