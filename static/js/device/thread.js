// One more thread of the engine.

let engine = null;

addEventListener('message', async ({ data }) => {
  if (engine) {
    engine.run(...data);
    return;
  }
  ({ exports: engine } = await WebAssembly.instantiate(data.program, { env: { memory: data.memory } }));
  engine.__stack_pointer.value = data.stack;
  postMessage('ready');
});
