import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { open } from '../js/device/processors.js';

const mask = Uint8Array.from({ length: 1000 }, (_, i) => (i < 300 ? 255 : i < 310 ? 127 : 0));
const changed = (change) => mask.map(change);
const never = new Promise(() => {});
const fill = (bytes) => bytes.set([1, 2, 3, 4]);

let clock = 0;
beforeEach(() => mock.method(performance, 'now', () => clock));
afterEach(() => mock.reset());

// stand stands for a processor: of(n) is what its n-th run returns. It counts what is
// done with it.
function stand(took, of = () => mask) {
  const it = { opened: 0, runs: 0, closed: 0, inputs: [] };
  it.open = async () => {
    it.opened += 1;
    return { input: 'description', close: () => { it.closed += 1; }, run: (size, fill) => {
      const bytes = new Uint8Array(4);
      fill(bytes);
      it.inputs.push(bytes.join());
      it.runs += 1;
      clock += took;
      return of(it.runs);
    } };
  };
  return it;
}

test('the GPU serves once it agrees and is faster, and the CPU again once it fails', async () => {
  const cpu = stand(20);
  const gpu = stand(10, async (n) => (n === 4 ? Promise.reject(new Error('lost')) : mask));
  const engine = await open(cpu.open, gpu.open);
  assert.equal(engine.input, 'description');
  await engine.compare(); // before any photo
  await engine.run(1, fill);
  assert.equal(gpu.opened, 0, 'the first photo waits for the GPU');
  await engine.compare();
  assert.deepEqual([gpu.opened, gpu.runs, cpu.runs, cpu.closed], [1, 2, 1, 1]);
  await engine.run(1, fill);
  await engine.compare();
  assert.deepEqual([gpu.runs, cpu.runs], [3, 1]);
  assert.deepEqual(new Set(gpu.inputs), new Set(['1,2,3,4']));
  assert.equal(await engine.run(1, fill), mask, 'the photo on which the GPU fails');
  assert.deepEqual([gpu.closed, cpu.opened, cpu.runs], [1, 2, 2]);
  await engine.compare();
  await engine.run(1, fill);
  assert.deepEqual([gpu.opened, gpu.runs, cpu.runs], [1, 4, 3], 'a GPU that failed is used again');
});

test('the CPU goes on where the GPU is wrong, slow, broken or missing', async () => {
  for (const [name, gpu] of Object.entries({
    'differs by one level': stand(10, () => changed((level) => (level ? level - 1 : 1))),
    'keeps something else': stand(10, () => changed((level) => (level === 127 ? 128 : level))),
    'is wrong the second time': stand(10, (n) => (n === 1 ? mask : changed((level) => 255 - level))),
    'is hardly faster': stand(17),
    'fails': stand(10, () => Promise.reject(new Error('failed'))),
  })) {
    const cpu = stand(20);
    const engine = await open(cpu.open, gpu.open);
    await engine.run(1, fill);
    await engine.compare();
    await engine.run(1, fill);
    assert.deepEqual([cpu.opened, cpu.runs, cpu.closed, gpu.closed], [1, 2, 0, 1], name);
  }
  for (const openGPU of [undefined, async () => null, async () => { throw new Error('no device'); }]) {
    const cpu = stand(20);
    const engine = await open(cpu.open, openGPU);
    await engine.run(1, fill);
    await engine.compare();
    await engine.run(1, fill);
    assert.equal(cpu.runs, 2);
  }
});

test('a mask that keeps nothing compares nothing; the next one does', async () => {
  const cpu = stand(20, (n) => (n === 1 ? new Uint8Array(1000) : mask));
  const gpu = stand(10);
  const engine = await open(cpu.open, gpu.open);
  for (const [opened, runs] of [[0, 1], [1, 2], [1, 2]]) {
    await engine.run(1, fill);
    await engine.compare();
    assert.deepEqual([gpu.opened, cpu.runs], [opened, runs]);
  }
});

test('a GPU that does not answer delays a photo for a bounded time, once', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const pass = async (work) => {
    for (let i = 0; i < 20; i += 1) await null; // up to the wait
    mock.timers.tick(5_000);
    return work;
  };
  for (const from of [1, 2, 3]) {
    const cpu = stand(20);
    const gpu = stand(10, async (n) => (n >= from ? never : mask));
    const engine = await open(cpu.open, gpu.open);
    await engine.run(1, fill);
    await pass(engine.compare());
    assert.equal(await pass(engine.run(1, fill)), mask);
    assert.equal(await engine.run(1, fill), mask);
    assert.deepEqual([cpu.runs, gpu.closed], [3, 1], `from run ${from}`);
  }
  const cpu = stand(20);
  const engine = await open(cpu.open, () => never);
  await engine.run(1, fill);
  await pass(engine.compare());
  assert.equal(await engine.run(1, fill), mask);
});
