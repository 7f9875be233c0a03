import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as zlib from 'node:zlib';
import { unzip, zip } from '../js/zip.js';

const text = (entries) => Promise.all(entries.map(async ({ name, blob }) => [name, await blob.text()]));

test('what is written is read again', async () => {
  const entries = [
    { name: 'ä — 图.txt', blob: new Blob(['one']), date: new Date(2026, 10, 23, 12, 30, 58) },
    { name: 'empty', blob: new Blob([]) },
    { name: 'old', blob: new Blob(['x'.repeat(100_000)]), date: new Date(1970, 0, 1) },
  ];
  const file = await zip(entries);
  assert.equal(file.type, 'application/zip');
  assert.deepEqual(await text(await unzip(file)), await text(entries));
  assert.deepEqual(await unzip(await zip([])), []);
});

test('checksums are those of other programs', { skip: !zlib.crc32 && 'this Node has no crc32' }, async () => {
  const content = Buffer.from('checked by others');
  const file = new DataView(await (await zip([{ name: 'a', blob: new Blob([content]) }])).arrayBuffer());
  assert.equal(file.getUint32(14, true), zlib.crc32(content));
});

test('files compressed by other programs are read', async () => {
  const stored = await zip([{ name: 'a', blob: new Blob(['PACKED']) }]);
  const packed = zlib.deflateRawSync('six by six, six by six');
  const bytes = Buffer.from(await stored.arrayBuffer());
  const head = Buffer.from(bytes.subarray(0, 31));
  const directory = Buffer.from(bytes.subarray(37));
  for (const [buffer, at] of [[head, 8], [directory, 10]]) {
    buffer.writeUInt16LE(8, at); // method
    buffer.writeUInt32LE(packed.length, at + 10);
    buffer.writeUInt32LE(22, at + 14);
  }
  directory.writeUInt32LE(31 + packed.length, directory.length - 6); // where it begins
  assert.deepEqual(await text(await unzip(new Blob([head, packed, directory]))), [['a', 'six by six, six by six']]);
});

test('damaged files are refused with a sentence', async () => {
  const good = await zip([{ name: 'a', blob: new Blob(['content']) }]);
  await assert.rejects(unzip(new Blob(['no ZIP'])), /not a ZIP file/);
  await assert.rejects(unzip(new Blob([good.slice(0, good.size - 8)])), /not a ZIP file/);
  const bytes = Buffer.from(await good.arrayBuffer());
  bytes[0] = 0;
  await assert.rejects(unzip(new Blob([bytes])), /damaged/);
});
