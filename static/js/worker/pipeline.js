// The part of the pipeline that runs in the browser: cmd/bgremover-wasm, whose
// functions are called with what its documentation says. Only workers load it.

import '../../wasm/wasm_exec.js';
import './codecs.js';

// pipeline resolves to the functions; they throw an Error with a code.
export const pipeline = start();

async function start() {
  const go = new Go();
  const answer = await fetch(new URL('../../wasm/bgremover.wasm', import.meta.url));
  const { instance } = await WebAssembly.instantiateStreaming(answer, go.importObject);
  // It runs until it waits to be called, and ends only if it fails, as without memory: then
  // nothing that was asked of it is ever answered.
  go.run(instance).then(() => reportError(new WebAssembly.RuntimeError('The pipeline has ended.')));
  const throwing = (call) => (...values) => {
    const value = call(...values);
    if (value instanceof Error) throw value;
    return value;
  };
  return Object.fromEntries(Object.entries(globalThis.bgremover).map(([name, call]) => [name, throwing(call)]));
}
