// The service worker, behind VERSION, LANGUAGES, ASSETS and MODULE that the server writes
// above. It keeps the shell of the site for use without a network, answers gallery
// pictures from the browser's own storage, and takes photos that are shared to
// the installed app. It stores no answer that holds a picture or names a device.

const SHELL = `shell-${VERSION}`;
const FOLDER = ASSETS[0].split('/', 3).join('/'); // /static/<hash>
const PAGES = ['/', '/gallery', '/privacy', '/contact', '/offline'];
const EXTRAS = ['/manifest.webmanifest', '/help/modes', '/help/tips'];

// languageOf is what the path of a page in another language begins with, "/de".
const languageOf = (path) => LANGUAGES.find((prefix) => path.startsWith(`${prefix}/`)) ?? '';
const within = (list, path) => list.includes(path.slice(languageOf(path).length));
const shellIn = (prefix) => [...PAGES, ...EXTRAS].map((path) => prefix + path);

addEventListener('install', (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(SHELL);
    try {
      // On a poor network one of many may fail; that should not cost the whole shell.
      const open = await clients.matchAll({ includeUncontrolled: true });
      const languages = new Set(['', ...open.map(({ url }) => languageOf(new URL(url).pathname))]);
      await Promise.all([...ASSETS, ...[...languages].flatMap(shellIn)].map((url) => add(cache, url).catch(() => add(cache, url))));
    } catch (error) {
      await caches.delete(SHELL);
      throw error;
    }
    await renewModule();
    await skipWaiting();
  })());
});

// renewModule fetches this release's module for those who process photos on their
// own device, so that they still can without a network (see device/files.js).
async function renewModule() {
  if (!(await caches.has('device'))) return;
  const cache = await caches.open('device');
  await Promise.all(MODULE.map((url) => cache.add(url))).catch(() => {});
}

async function add(cache, url) {
  const response = await fetch(new Request(url, { cache: 'no-cache', credentials: 'omit' }));
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  // An edge may still hold a page of another release, whose styles this shell
  // lacks. The previous shell, or none, is better; browsers try again.
  if (within(PAGES, url) && !(await response.clone().text()).includes(`${FOLDER}/`)) throw new Error(`${url} belongs to another release`);
  await cache.put(url, response);
}

addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    // The last shell stays: a page that is open, or that an edge still holds,
    // asks for its files. Names come in the order in which caches were made.
    const old = (await caches.keys()).filter((name) => name.startsWith('shell-') && name !== SHELL);
    await Promise.all(old.slice(0, -1).map((name) => caches.delete(name)));
    await clients.claim();
  })());
});

// A page that the claim above has missed asks for its own (see page.js).
addEventListener('message', (event) => {
  if (event.data === 'claim') event.waitUntil(clients.claim());
});

addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method === 'POST') {
    if (url.pathname === '/device/cutouts' && url.searchParams.has('shared')) event.respondWith(takeShared(request, asked(url)));
    return;
  }
  if (request.method !== 'GET') return;
  if (url.pathname.startsWith('/gallery/')) event.respondWith(fromGallery(url.pathname));
  else if (url.pathname.startsWith('/ondevice/') && url.pathname.endsWith('js')) event.respondWith(fromShellFirst(request));
  else if (url.pathname.startsWith('/static/')) event.respondWith(fromShellFirst(request));
  else if (within([...PAGES, ...EXTRAS], url.pathname)) {
    event.respondWith(fromNetworkFirst(request, url.pathname));
    event.waitUntil(keepLanguage(languageOf(url.pathname)));
  } else if (request.mode === 'navigate') event.respondWith(fetch(request).catch(() => fromShell(`${asked(url)}/offline`)));
  else if (url.pathname === '/device/quota' || url.pathname === '/device/queue') event.respondWith(fetch(request).catch(quietly));
});

// asked is the language that an address asks for, as a path begins with it.
function asked(url) {
  const prefix = `/${url.searchParams.get('lang')}`;
  return LANGUAGES.includes(prefix) ? prefix : languageOf(url.pathname);
}

// keepLanguage adds the pages of a language to the shell when it is first used. The
// last of them says that the others are there.
async function keepLanguage(prefix) {
  if (!prefix || !(await caches.has(SHELL))) return;
  const cache = await caches.open(SHELL);
  const pages = shellIn(prefix);
  const last = pages.pop();
  if (await cache.match(last, { ignoreVary: true })) return;
  await Promise.all(pages.map((url) => add(cache, url))).then(() => add(cache, last)).catch(() => {});
}

// A poll that fails offline is not worth an error on the page.
const quietly = () => new Response(null, { status: 204 });

// Caches are matched by name and not opened: opening one that was deleted would
// create it again.
async function fromGallery(path) {
  const found = await caches.match(path, { cacheName: 'gallery' });
  return found ?? new Response('This picture is not in this browser’s gallery.', {
    status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  });
}

// fromShell answers in English where the language is not kept.
async function fromShell(path) {
  const kept = (url) => caches.match(url, { cacheName: SHELL, ignoreVary: true });
  return (await kept(path)) ?? (await kept(path.slice(languageOf(path).length))) ?? Response.error();
}

// An address below /static/ always has the same content, whichever shell holds it.
async function fromShellFirst(request) {
  const found = await caches.match(request, { ignoreVary: true });
  if (found) return found;
  const response = await fetch(request);
  // The pipeline's module is not part of the shell; once used it is there offline too.
  if (response.ok && request.url.includes('/wasm/') && await caches.has(SHELL)) {
    const copy = response.clone();
    caches.open(SHELL).then((cache) => cache.put(request, copy)).catch(() => {});
  }
  return response;
}

async function fromNetworkFirst(request, path) {
  try {
    const response = await fetch(request);
    if (response.status < 500) return response;
  } catch {
    // No network: the shell answers.
  }
  return fromShell(path);
}

const MOST = 10; // shared photos kept at a time, as many as the server takes in one form

// takeShared stores shared photos, replacing any that were never taken, and opens
// the start page, which offers them to the visitor.
async function takeShared(request, language) {
  const form = await request.formData();
  await caches.delete('shared');
  const cache = await caches.open('shared');
  for (const photo of form.getAll('image').slice(0, MOST)) {
    if (!(photo instanceof File) || !photo.size) continue;
    await cache.put(`/shared/${crypto.randomUUID()}`, new Response(photo, {
      headers: { 'Content-Type': photo.type || 'application/octet-stream', 'X-Name': encodeURIComponent(photo.name) },
    }));
  }
  return Response.redirect(`${language}/?shared`, 303);
}
