// The files that processing on this device needs: fetched once, checked, and kept in
// Cache Storage under their own addresses, so that they are there offline. Those
// addresses hold checksums, so that a file kept under one is never out of date.

const CACHE = 'device';
const PIECE = 4 * 1024 * 1024; // an interrupted download resumes after the last whole piece
const TRIES = 4;

// read returns the list of files at an address, from the network or kept.
export async function read(address) {
  const found = await caches.match(address, { cacheName: CACHE, ignoreVary: true });
  if (found) return found.json();
  const answer = await fetch(address);
  if (answer.status === 404) throw new Error('This site was updated. Reload the page.');
  if (!answer.ok) throw new Error('The list of files could not be fetched.');
  return answer.json();
}

// obtain resolves to the contents of files, { url, bytes, transfer, sha256 }, and
// whether all are kept for the next time. Others are kept too, without a check, and
// what is not among them is deleted. tell(done, total) is called in bytes while
// something is fetched. Of several pages one fetches and the others wait for it.
export function obtain(files, others, tell) {
  return navigator.locks.request('device-files', async () => {
    const cache = await caches.open(CACHE);
    const total = files.reduce((sum, { transfer }) => sum + transfer, 0);
    const contents = [];
    let done = 0;
    let kept = true;
    for (const file of files) {
      const from = done;
      let content = await whole(cache, file);
      if (!content) {
        content = await download(cache, file, (share) => tell(from + share * file.transfer, total));
        kept = await keep(cache, file, content) && kept;
      }
      contents.push(content.buffer);
      done += file.transfer;
    }
    await keepOthers(cache, others);
    await prune(cache, [...files.map(({ url }) => url), ...others]);
    return { contents, kept };
  });
}

// isKept says whether everything in a list is here, without reading it.
export async function isKept(address, urls) {
  const found = await Promise.all([address, ...urls].map((url) => caches.match(url, { cacheName: CACHE, ignoreVary: true })));
  return found.every(Boolean);
}

// usage is the number of bytes kept.
export async function usage() {
  if (!('caches' in globalThis)) return 0;
  if (!(await caches.has(CACHE))) return 0;
  const cache = await caches.open(CACHE);
  const sizes = await Promise.all((await cache.keys()).map(async (request) => {
    const answer = await cache.match(request, { ignoreVary: true });
    return Number(answer?.headers.get('Content-Length')) || (await answer?.blob())?.size || 0;
  }));
  return sizes.reduce((sum, size) => sum + size, 0);
}

export const remove = () => navigator.locks.request('device-files', () => caches.delete(CACHE));

async function whole(cache, file) {
  const found = await cache.match(file.url, { ignoreVary: true });
  if (!found) return null;
  const content = new Uint8Array(await found.arrayBuffer());
  if (await sound(content, file)) return content;
  await cache.delete(file.url, { ignoreVary: true });
  return null;
}

async function sound(content, { bytes, sha256 }) {
  if (bytes && content.length !== bytes) return false;
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  return Array.from(sum, (b) => b.toString(16).padStart(2, '0')).join('') === sha256;
}

const piece = ({ url }, n) => `${url}?piece=${n}`;

async function download(cache, file, tell) {
  let damaged = 0;
  for (let tries = 1; ; tries += 1) {
    const content = new Uint8Array(file.bytes);
    let broken = null;
    try {
      await fill(cache, file, content, tell);
    } catch (error) {
      broken = error;
    }
    if (!broken && await sound(content, file)) return content;
    if (!broken) {
      damaged += 1;
      await forgetPieces(cache, file);
      if (damaged > 1) throw new Error('What was fetched is damaged. Something between this device and the server changes it.');
    } else if (tries >= TRIES || broken.final || !navigator.onLine) {
      throw navigator.onLine ? new Error('The download broke off. What has come is kept; try again.', { cause: broken }) : new Error('You are offline. What this device needs is fetched once you are back online.');
    }
  }
}

// fill takes the pieces that an earlier download left, and fetches the rest.
async function fill(cache, file, content, tell) {
  let at = 0;
  for (let n = 0; ; n += 1) {
    const found = await cache.match(piece(file, n), { ignoreVary: true });
    const part = found && new Uint8Array(await found.arrayBuffer());
    if (!part || at + part.length > content.length) break;
    content.set(part, at);
    at += part.length;
  }
  if (at === content.length) return;
  // The browser's own cache would keep the same bytes once more, and damaged ones.
  const answer = await fetch(file.url, { cache: 'no-store', headers: at ? { Range: `bytes=${at}-` } : {} });
  if (answer.status === 200) at = 0;
  else if (answer.status !== 206) throw Object.assign(answer.status === 404 ? new Error('This site was updated. Reload the page.') : new Error('The server refused the file.'), { final: true });
  let stored = at;
  let room = true;
  for (const reader = answer.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > content.length) throw new Error('It is longer than it should be.');
    content.set(value, at);
    at += value.length;
    tell(at / content.length);
    while (room && at - stored >= PIECE) {
      room = await put(cache, piece(file, stored / PIECE), content.slice(stored, stored + PIECE));
      stored += PIECE;
    }
  }
  if (at < content.length) throw new Error('It is shorter than it should be.');
}

async function keep(cache, file, content) {
  await forgetPieces(cache, file);
  return put(cache, file.url, content);
}

// put reports whether there was space for it.
async function put(cache, url, content) {
  try {
    await cache.put(url, new Response(content, { headers: { 'Content-Length': content.length } }));
    return true;
  } catch {
    return false;
  }
}

async function forgetPieces(cache, file) {
  for (let n = 0; await cache.delete(piece(file, n), { ignoreVary: true }); n += 1);
}

async function keepOthers(cache, urls) {
  for (const url of urls) {
    if (await cache.match(url, { ignoreVary: true })) continue;
    try {
      await cache.add(url);
    } catch {
      // Offline or without space: what is here already serves.
    }
  }
}

async function prune(cache, urls) {
  const wanted = new Set(urls.map((url) => new URL(url, location.href).href));
  for (const request of await cache.keys()) {
    if (!wanted.has(request.url)) await cache.delete(request, { ignoreVary: true });
  }
}
