// Runs in a page (see core/app): the network of graph.js on a graphics processor, beside
// the engine for the CPU. at is the folder of the page's scripts.
/* global GPU */

import { network, random } from './graph.js';

const SIDE = 32;
const SIZES = [32, 64, 32];

// compare resolves to { adapter, software, unlike, levels, … }: whether there is a
// processor, whether it counts, and how many bytes differ, by how much.
export async function compare(at) {
  const chosen = await navigator.gpu?.requestAdapter();
  if (!chosen) return { adapter: false };
  const [engine, gpu, { read }, processors] = await Promise.all(['engine', 'gpu', 'network', 'processors'].map((name) => import(`${at}device/${name}.js`)));
  const program = await WebAssembly.compileStreaming(fetch(`${at}../wasm/engine.wasm`));
  const graph = read(network(SIDE).file);
  const pixels = Uint8Array.from({ length: 4 * Math.max(...SIZES) ** 2 }, () => Math.floor(256 * random()));
  const fill = (bytes) => bytes.set(pixels.subarray(0, bytes.length));
  const openCPU = (layers) => engine.open(program, layers, 1);

  const cpu = await openCPU(graph);
  const counts = { bytes: 0, unlike: 0, levels: 0 };
  const features = navigator.gpu.wgslLanguageFeatures;
  let other = null;
  for (const known of [new Set(), features]) {
    Object.defineProperty(GPU.prototype, 'wgslLanguageFeatures', { get: () => known, configurable: true });
    other?.close();
    other = await gpu.open(await navigator.gpu.requestAdapter(), graph);
    for (const size of SIZES) {
      const [want, got] = [cpu.run(size, fill), await other.run(size, fill)];
      want.forEach((level, i) => {
        const off = Math.abs(level - got[i]);
        counts.bytes += 1;
        counts.unlike += off > 0;
        counts.levels = Math.max(counts.levels, off);
      });
    }
  }

  // Which processor serves, on a clock that has the CPU take long, and without bounds that
  // a busy machine may miss. Compiling for an imitated processor takes seconds, so the
  // one opened last serves everywhere.
  let clock = 0;
  performance.now = () => clock;
  globalThis.setTimeout = () => 0;
  const slow = (layers) => async () => {
    const { run, ...rest } = await openCPU(layers);
    return { ...rest, run: (...values) => {
      clock += 1000;
      return run(...values);
    } };
  };
  const serving = async ({ run }) => {
    const before = clock;
    await run(SIDE, fill);
    return clock > before ? 'CPU' : 'GPU';
  };
  const unlike = { ...graph, layers: graph.layers.map((layer, i) => (i === 5 ? { ...layer, outZero: layer.outZero + 40 } : layer)) };
  const served = [];
  for (const layers of [unlike, graph]) {
    const both = await processors.open(slow(layers), async () => ({ ...other, close: () => {} }));
    served.push(await serving(both));
    await both.compare();
    served.push(await serving(both));
    if (layers === graph) {
      other.close(); // as if it were lost
      served.push(await serving(both));
    }
  }
  return { adapter: true, software: !(await gpu.adapter()), packed: features.has('packed_4x8_integer_dot_product'), ...counts, served: served.join() };
}
