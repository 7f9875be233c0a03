// Runs the model on this device, in a worker: what the server gives a backend, R, G, B
// of a picture as large as the model's input, becomes a mask.

import * as engine from './engine.js';
import { read } from './network.js';
import { open } from './processors.js';

const MOST_THREADS = 8;

// start resolves to { segment(size, pixels), compare }: the mask of a picture of size x
// size pixels, as bytes, from its R, G, B; and what is to be called between photos (see
// processors.js).
export async function start(model, graph) {
  const program = await WebAssembly.compileStreaming(fetch(new URL('../../wasm/engine.wasm', import.meta.url)));
  const threads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1;
  const network = read(new Uint8Array(graph));
  const { input, run, compare } = await open(() => engine.open(program, network, threads), navigator.gpu && (() => openGPU(network)));
  const segment = async (size, pixels) => {
    const tables = quantised(model, input, model.scale || pixels.reduce((most, x) => Math.max(most, x), 1));
    return run(size, (bytes) => {
      for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
        for (let c = 0; c < 3; c += 1) bytes[to + c] = tables[c][pixels[from + c]];
      }
    });
  };
  return { segment, compare };
}

async function openGPU(network) {
  const gpu = await import('./gpu.js');
  const adapter = await gpu.adapter();
  return adapter && gpu.open(adapter, network);
}

// quantised returns for each channel which byte of the network's input stands for
// (x / brightest - mean) / std, for every x.
function quantised({ mean, std }, { scale, zero }, brightest) {
  const round = Math.fround;
  return mean.map((middle, c) => Uint8ClampedArray.from({ length: 256 }, (_, x) => zero + even(round(round(round(round(x / brightest) - round(middle)) / round(std[c])) / scale))));
}

// even rounds halves to the even neighbour, as the server's runtime does.
function even(x) {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 ? below + 1 : below;
}
