import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { open } from '../js/device/engine.js';
import { read } from '../js/device/network.js';
import { file, network, random } from './graph.js';

test('the engine computes what the graph says, at every size', async () => {
  const program = await WebAssembly.compile(await readFile(process.env.ENGINE));
  const { file: graph, run } = network(64);
  const engine = await open(program, read(graph), 1);
  for (const size of [64, 32, 96, 64]) {
    const values = Array.from({ length: 3 * size * size }, () => Math.floor(256 * random()));
    const want = run({ side: size, c: 3, values });
    const got = engine.run(size, (input) => {
      for (let i = 0; i < size * size; i += 1) for (let p = 0; p < 3; p += 1) input[4 * i + p] = values[p * size * size + i];
    });
    const off = want.map((v, i) => Math.abs(v - got[i]));
    // A sum next to the middle of two bytes may become either.
    const shares = [2, 5].map((level) => off.filter((d) => d > level).length / off.length);
    assert.ok(shares[0] < 0.02 && shares[1] === 0, `${size} pixels: ${shares}`);
    assert.ok(Math.max(...got) - Math.min(...got) > 100, 'the picture says nothing');
  }
});

test('a graph with another operator is refused', () => {
  assert.throws(() => read(file([['MatMul', ['a', 'b'], 'c']], [])), /cannot run: MatMul/);
  assert.throws(() => read(new Uint8Array([58, 100, 1])), /damaged/);
});
