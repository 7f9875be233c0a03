import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, fileName, uniqueNames } from '../js/words.js';

test('sizes are rounded as people read them', () => {
  const cases = { 1: '1 KB', 1025: '2 KB', 1048576: '1.0 MB', 1572864: '1.5 MB', 209715200: '200 MB', 3221225472: '3.0 GB' };
  for (const [n, want] of Object.entries(cases)) assert.equal(bytes(Number(n)), want);
});

test('a result is named after its photo', () => {
  assert.equal(fileName('beach.heic', 'image/png'), 'beach-cutout.png');
  assert.equal(fileName('a.b.jpeg', 'image/webp'), 'a.b-cutout.webp');
  assert.equal(fileName('.png', 'image/jpeg'), 'photo-cutout.jpg');
  assert.equal(fileName('  ', 'image/other'), 'photo-cutout.png');
  assert.equal(fileName('../etc\\pass\u0000wd:1.png', 'image/png'), '.._etc_pass_wd_1-cutout.png');
});

test('no two files have the same name', () => {
  assert.deepEqual(uniqueNames(['a.png', 'b.png', 'a.png', 'a.png']), ['a.png', 'b.png', 'a-2.png', 'a-3.png']);
  assert.deepEqual(uniqueNames([]), []);
});
