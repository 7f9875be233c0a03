// What the pipeline calls in the browser to decode photos.

const programs = new Map();

// startCodec starts a codec in C that browsers lack, compiled to WebAssembly: the one
// that the server has too. Each photo gets an instance of its own, with at most so many
// bytes of memory: what a file makes the codec allocate is up to that file.
globalThis.startCodec = async (name, memory) => {
  if (!programs.has(name)) programs.set(name, load(name));
  const program = await programs.get(name).catch((error) => {
    programs.delete(name);
    throw error;
  });
  const { instance: { exports } } = await WebAssembly.instantiate(await bounded(program, memory), system(() => exports.memory));
  exports._initialize();
  return exports;
};

async function load(name) {
  const answer = await fetch(new URL(`../../wasm/${name}.wasm`, import.meta.url));
  if (!answer.ok) throw new Error('A part of the page could not be loaded.');
  return new Uint8Array(await answer.arrayBuffer());
}

const MEMORY_SECTION = 5;
const PAGE = 1 << 16;

// bounded returns a module with a bound on its memory; compilers leave it out.
function bounded(module, memory) {
  let at = 8; // the sections begin
  const number = () => { // LEB128
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at];
      at += 1;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < module.length) {
    const start = at;
    at += 1;
    const length = number();
    const end = at + length;
    if (module[start] === MEMORY_SECTION) {
      at += 2; // how many memories, 1, and whether it has a bound
      const section = [1, 1, ...leb128(number()), ...leb128(Math.floor(memory / PAGE))];
      return new Blob([module.subarray(0, start), Uint8Array.of(MEMORY_SECTION, section.length, ...section), module.subarray(end)]).arrayBuffer();
    }
    at = end;
  }
  throw new WebAssembly.CompileError('It has no memory.');
}

function leb128(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb128(value >>> 7)];
}

// system is one without files, arguments or an environment.
function system(memory) {
  const NO_FILE = 8; // WASI's EBADF
  const calls = { environ_get: () => 0 };
  calls.environ_sizes_get = (count, bytes) => {
    const view = new DataView(memory().buffer);
    view.setUint32(count, 0, true);
    view.setUint32(bytes, 0, true);
    return 0;
  };
  calls.proc_exit = () => {
    throw new WebAssembly.RuntimeError('exit');
  };
  for (const name of ['close', 'fdstat_get', 'prestat_get', 'prestat_dir_name', 'read', 'seek', 'write']) calls[`fd_${name}`] = () => NO_FILE;
  return { wasi_snapshot_preview1: calls };
}

// decodePicture decodes the formats that the pipeline leaves to the browser.
globalThis.decodePicture = async (bytes, type) => {
  const bitmap = await createImageBitmap(new Blob([bytes], { type }), { premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, pixels: context.getImageData(0, 0, width, height).data };
};
