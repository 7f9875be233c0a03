// Runs a network on all processors of this device: memory, layers and threads for
// engine.wasm (static/engine).

import { plan } from './plan.js';

const KINDS = ['weights', 'winogradWeights', 'conv', 'winograd', 'pool', 'resize', 'add', 'concat', 'mask'];
const FIELDS = 25; // of a layer, 32 bits each
const LANES = 8;
const TILES = 32;
const PAGE = 65536;
const MOST_PAGES = 16384;
const STACK = 16384;
const stopped = () => new Error('This device ran out of memory, or its browser stopped the work.');
const SYNC = 1024; // the address of the threads' barrier; below it is nothing

const up = (n, to) => Math.ceil(n / to) * to;

// open resolves to { input, run(size, fill), close }. run computes a mask of size x
// size bytes; fill(bytes) writes the input, four bytes a pixel, of which the last is
// not read. program is a WebAssembly.Module, the network what read of network.js
// returns.
export async function open(program, { input, layers }, threads) {
  const memory = reserved();
  let top = SYNC + 16;
  const take = (bytes) => {
    const at = up(top, 64);
    top = at + bytes;
    const missing = Math.ceil(top / PAGE) - memory.buffer.byteLength / PAGE;
    try {
      if (missing > 0) memory.grow(missing);
    } catch {
      throw stopped();
    }
    return at;
  };
  const stacks = Array.from({ length: threads }, () => take(STACK) + STACK);
  const { exports: engine } = await WebAssembly.instantiate(program, { env: { memory } });
  engine.__stack_pointer.value = stacks[0];
  const others = await Promise.all(stacks.slice(1).map((stack) => helper({ program, memory, stack })));

  // compute writes layers to an address and runs them, on this thread and the others.
  const compute = (list, at, scratch) => {
    const words = new Int32Array(memory.buffer, at, list.length * FIELDS);
    list.forEach((layer, i) => write(words.subarray(i * FIELDS, (i + 1) * FIELDS), layer));
    others.forEach((other, i) => other.postMessage([at, list.length, scratch[i + 1], SYNC, threads]));
    if (engine.run(at, list.length, scratch[0], SYNC, threads)) throw stopped();
  };

  for (const layer of layers) if (layer.weights) place(layer, take, memory);
  arrange(layers, take, memory, compute);
  const rest = top; // what follows is laid out again for each size

  return {
    input,
    run(size, fill) {
      top = rest;
      const { list, first, last } = plan(layers, size, take);
      const most = Math.max(...list.map(scratchOf));
      const scratch = Array.from({ length: threads }, () => take(most));
      const at = take(list.length * FIELDS * 4);
      fill(new Uint8Array(memory.buffer, first, 4 * size * size));
      compute(list.map((layer) => ({ ...layer, units: unitsOf(layer) })), at, scratch);
      return new Uint8Array(memory.buffer, last, size * size).slice();
    },
    close: () => others.forEach((other) => other.terminate()),
  };
}

// reserved returns memory that threads can share. A device that has no room for all of
// it may have room for the smaller sizes.
function reserved() {
  for (let most = MOST_PAGES; ; most /= 2) {
    try {
      return new WebAssembly.Memory({ initial: 2, maximum: most, shared: true });
    } catch {
      if (most < 4096) throw stopped();
    }
  }
}

// helper starts a thread.
function helper(values) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./thread.js', import.meta.url), { type: 'module' });
    worker.addEventListener('message', () => resolve(worker), { once: true });
    worker.addEventListener('error', () => reject(stopped()), { once: true });
    worker.postMessage(values);
  });
}

// place stores what a convolution multiplies its sums by.
function place(layer, take, memory) {
  const padded = up(layer.oc, LANES);
  layer.scaleAt = take(4 * padded);
  layer.biasAt = take(4 * padded);
  new Float32Array(memory.buffer, layer.scaleAt, padded).set(layer.scale);
  new Int32Array(memory.buffer, layer.biasAt, padded).set(layer.bias);
}

// arrange brings all weights into the order in which the engine reads them.
function arrange(layers, take, memory, compute) {
  const convolutions = layers.filter(({ weights }) => weights);
  for (const layer of convolutions) {
    const { kind, c, oc } = layer;
    layer.weightsAt = take(up(oc, LANES) * c * (kind === 'winograd' ? 32 : 9));
  }
  const raw = take(Math.max(...convolutions.map(({ weights }) => weights.data.length)));
  const at = take(FIELDS * 4);
  for (const { kind, c, oc, weights, weightsAt } of convolutions) {
    new Uint8Array(memory.buffer, raw, weights.data.length).set(weights.data);
    const work = { kind: kind === 'winograd' ? 'winogradWeights' : 'weights', units: up(oc, LANES) / LANES, in: raw, out: weightsAt, h: weights.outs, w: weights.ins, c };
    compute([work], at, []);
  }
}

function unitsOf({ kind, oc, oh }) {
  if (kind === 'winograd') return Math.ceil(oh * oh / 4 / TILES);
  return kind === 'conv' && oh <= 16 ? oh * Math.min(8, Math.ceil(oc / LANES)) : oh;
}

function scratchOf({ kind, c, dilation, h }) {
  if (kind === 'winograd') return 16 * TILES * (2 * c + 4 * LANES);
  return kind === 'conv' ? 6 * (h + 2 * dilation) * c + 64 : 0;
}

// write writes a layer as struct layer of engine.c.
function write(words, layer) {
  const floats = new Float32Array(words.buffer, words.byteOffset, FIELDS);
  words.set([
    KINDS.indexOf(layer.kind), layer.units, 0, layer.in, layer.in2, layer.out,
    layer.h, layer.w, layer.c, layer.oh, layer.ow, layer.oc, layer.stride, layer.dilation,
    layer.weightsAt, layer.scaleAt, layer.biasAt, layer.zero, layer.zero2, layer.outZero,
  ].map((value) => value ?? 0));
  floats.set([layer.k ?? 0, layer.k2 ?? 0, layer.kOut ?? 0, layer.b ?? 0], 20);
  words[24] = layer.floats ? 1 : 0;
}
