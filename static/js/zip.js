// Writes ZIP files without compression (pictures are compressed already) and
// reads those and ordinary ones. Format: PKWARE APPNOTE 6.3, without Zip64.

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const UTF8 = 0x0800;
const LIMIT = 0xffffffff;

// zip resolves to a Blob. entries is [{ name, blob, date }].
export async function zip(entries) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, blob, date = new Date() } of entries) {
    const title = new TextEncoder().encode(name);
    const crc = crc32(new Uint8Array(await blob.arrayBuffer()));
    const common = [[2, 20], [2, UTF8], [2, 0], ...dosTime(date), [4, crc], [4, blob.size], [4, blob.size], [2, title.length], [2, 0]];
    const local = record([[4, LOCAL], ...common]);
    parts.push(local, title, blob);
    directory.push(record([[4, CENTRAL], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), title);
    offset += local.length + title.length + blob.size;
    if (offset > LIMIT) throw new Error('Together these pictures are more than 4 GB. Save them in smaller batches.');
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = entries.length;
  const end = record([[4, END], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: 'application/zip' });
}

// unzip resolves to [{ name, blob }] or throws an error that can be shown.
export async function unzip(file) {
  const tail = new DataView(await file.slice(Math.max(0, file.size - 65_557)).arrayBuffer());
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw new Error('This is not a ZIP file.');
  const start = tail.getUint32(at + 16, true);
  const directory = new DataView(await file.slice(start, start + tail.getUint32(at + 12, true)).arrayBuffer());
  const found = [];
  for (let p = 0; p + 46 <= directory.byteLength && directory.getUint32(p, true) === CENTRAL;) {
    const [method, packed, size] = [directory.getUint16(p + 10, true), directory.getUint32(p + 20, true), directory.getUint32(p + 24, true)];
    const [nameLength, extra, comment] = [28, 30, 32].map((o) => directory.getUint16(p + o, true));
    const name = new TextDecoder().decode(new Uint8Array(directory.buffer, directory.byteOffset + p + 46, nameLength));
    found.push({ name, blob: await content(file, directory.getUint32(p + 42, true), method, packed, size) });
    p += 46 + nameLength + extra + comment;
  }
  return found;
}

async function content(file, offset, method, packed, size) {
  const head = new DataView(await file.slice(offset, offset + 30).arrayBuffer());
  if (head.byteLength < 30 || head.getUint32(0, true) !== LOCAL) throw new Error('This ZIP file is damaged.');
  const start = offset + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const raw = file.slice(start, start + packed);
  if (method === 0) return raw;
  if (method !== 8) throw new Error('This ZIP file uses a compression method that is not supported.');
  const blob = await new Response(raw.stream().pipeThrough(new DecompressionStream('deflate-raw'))).blob();
  if (blob.size !== size) throw new Error('This ZIP file is damaged.');
  return blob;
}

// record packs [bytes, value] pairs in little-endian order.
function record(fields) {
  const out = new DataView(new ArrayBuffer(fields.reduce((sum, [width]) => sum + width, 0)));
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) out.setUint16(at, value, true);
    else out.setUint32(at, value, true);
    at += width;
  }
  return new Uint8Array(out.buffer);
}

function dosTime(d) {
  const year = Math.max(0, d.getFullYear() - 1980);
  return [
    [2, (d.getHours() << 11) | (d.getMinutes() << 5) | (d.getSeconds() >> 1)],
    [2, (year << 9) | ((d.getMonth() + 1) << 5) | d.getDate()],
  ];
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function crc32(data) {
  let c = 0xffffffff;
  for (let i = 0; i < data.length; i += 1) c = TABLE[(c ^ data[i]) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
