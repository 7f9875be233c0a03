// Runs the model with ONNX Runtime, in a worker. The graphs of its sizes hold the
// same weights: one is fetched, the others are made from it by patches.

import { sound } from './files.js';

const MOST_THREADS = 8;

// start resolves to segment(size, pixels): the mask of a picture of size x size
// pixels, as bytes, from its R, G, B.
export async function start(list, program, graph) {
  const ort = await import(list.script.url);
  ort.env.logLevel = 'error';
  ort.env.wasm.wasmBinary = program;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1;
  const base = new Uint8Array(graph);
  let held = null; // one size at a time, for the memory

  async function session(size) {
    if (held?.size === size) return held.made;
    await held?.made.release();
    held = null;
    const { patch, sha256 } = list.sizes.find((each) => each.size === size);
    const file = patch ? apply(base, patch) : base;
    if (patch && !await sound(file, { sha256 })) throw new Error('The model’s file is damaged.');
    const made = await ort.InferenceSession.create(file, { executionProviders: ['wasm'], enableCpuMemArena: false, enableMemPattern: false });
    held = { size, made };
    return made;
  }

  return async (size, pixels) => {
    const made = await session(size);
    const [input] = made.inputNames;
    const output = list.model.output || made.outputNames[0];
    const tensor = new ort.Tensor('float32', planes(pixels, list.model), [1, 3, size, size]);
    const { [output]: answer } = await made.run({ [input]: tensor }, [output]);
    return levels(answer.data);
  };
}

// apply makes a file from a base by copies of its parts with new bytes between them.
function apply(base, patch) {
  const parts = patch.map(({ from, length, then }) => [base.subarray(from, from + length), then ? Uint8Array.from(atob(then), (c) => c.charCodeAt(0)) : null]);
  const file = new Uint8Array(parts.reduce((sum, [old, fresh]) => sum + old.length + (fresh?.length ?? 0), 0));
  let at = 0;
  for (const part of parts.flat()) {
    if (!part) continue;
    file.set(part, at);
    at += part.length;
  }
  return file;
}

// planes turns R, G, B, R, G, B, … into three planes of (x / scale - mean) / std.
function planes(pixels, { scale, mean, std }) {
  const count = pixels.length / 3;
  const out = new Float32Array(pixels.length);
  const brightest = scale || pixels.reduce((most, x) => Math.max(most, x), 1);
  for (let c = 0; c < 3; c += 1) {
    const table = Float32Array.from({ length: 256 }, (_, x) => (x / brightest - mean[c]) / std[c]);
    for (let i = 0, from = c; i < count; i += 1, from += 3) out[c * count + i] = table[pixels[from]];
  }
  return out;
}

// levels turns 0..1 into 0..255.
function levels(values) {
  const out = new Uint8ClampedArray(values.length);
  for (let i = 0; i < values.length; i += 1) {
    if (Number.isNaN(values[i])) throw new Error('Its output is not a number.');
    out[i] = Math.floor(255 * values[i] + 0.5);
  }
  return new Uint8Array(out.buffer);
}
