// Cuts out photos with the peer, keeping its session between them. A frame is a
// big-endian length of four bytes, then as many bytes. Each frame on
// standard input is a photo; each answer on standard output is two frames:
// JSON with the milliseconds it took or the error, and the PNG.
import process from 'node:process';
import { once } from 'node:events';

console.log = console.info = console.debug = console.error; // standard output is for answers
const { removeBackground } = await import('@imgly/background-removal-node');

const input = process.stdin[Symbol.asyncIterator]();
let held = Buffer.alloc(0);

async function take(length) {
  const parts = [held];
  let have = held.length;
  while (have < length) {
    const { value, done } = await input.next();
    if (done) process.exit(0); // the bench has ended
    parts.push(value);
    have += value.length;
  }
  const all = Buffer.concat(parts);
  held = all.subarray(length);
  return all.subarray(0, length);
}

async function frame(bytes) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  process.stdout.write(length);
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
}

for (;;) {
  const photo = await take((await take(4)).readUInt32BE());
  const answer = {};
  let png = Buffer.alloc(0);
  const began = performance.now();
  try {
    const blob = await removeBackground(new Blob([photo], { type: 'application/octet-stream' }));
    png = Buffer.from(await blob.arrayBuffer());
    answer.milliseconds = performance.now() - began;
  } catch (error) {
    answer.error = String(error?.message ?? error);
  }
  await frame(Buffer.from(JSON.stringify(answer)));
  await frame(png);
}
