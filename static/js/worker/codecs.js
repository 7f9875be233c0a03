// What the pipeline calls in the browser to decode photos.

const programs = new Map();

// startCodec starts a codec in C that browsers lack, compiled to WebAssembly: the one
// that the server has too. Each photo gets an instance of its own.
globalThis.startCodec = async (name) => {
  if (!programs.has(name)) programs.set(name, compile(name));
  const program = await programs.get(name).catch((error) => {
    programs.delete(name);
    throw error;
  });
  const { exports } = await WebAssembly.instantiate(program, system(() => exports.memory));
  exports._initialize();
  return exports;
};

async function compile(name) {
  const answer = await fetch(new URL(`../../wasm/${name}.wasm`, import.meta.url));
  if (!answer.ok) throw new Error('A part of the page could not be loaded.');
  return WebAssembly.compileStreaming(answer);
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
