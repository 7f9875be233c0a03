import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionOf, registerAction, registerSender, sendBy } from '../js/extend.js';
import { NONE, dressed, paint, render, undressed } from '../js/style.js';

test('a style without background, crop and shadow leaves the file alone', async () => {
  const file = new Blob(['picture'], { type: 'image/png' });
  const style = undressed('image/png');
  assert.equal(dressed(style), false);
  assert.equal(await render({ file, style }), file);
  for (const change of [{ background: { kind: 'colour', colour: '#fff' } }, { margin: 0 }, { shadow: 0.1 }]) {
    assert.equal(dressed({ ...style, ...change }), true, JSON.stringify(change));
  }
});

test('backgrounds are painted as the page\'s styles write them', () => {
  assert.equal(paint({ kind: 'colour', colour: '#aabbcc' }), '#aabbcc');
  assert.equal(paint({ kind: 'gradient', from: '#ffffff', to: '#000000', degrees: 45 }), 'linear-gradient(45deg, #ffffff, #000000)');
  assert.equal(paint(NONE), null);
});

test('the first sender that takes a photo sends it', () => {
  globalThis.dispatchEvent ??= () => true;
  assert.equal(sendBy({ name: 'a' }), null);
  registerSender(({ name }) => (name === 'a' ? 'first' : null));
  registerSender(() => 'second');
  assert.deepEqual([sendBy({ name: 'a' }), sendBy({ name: 'b' })], ['first', 'second']);
  registerAction('correct', 'run');
  assert.equal(actionOf('correct').run, 'run');
  assert.equal(actionOf('other'), undefined);
});
