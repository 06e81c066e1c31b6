// Opens today's list without a line, as it was last seen. One person's list at a time: another person's page, a sign-out or an
// ended session throws it away (see app.js). Nothing but the list itself and static files is ever kept, and nothing is sent here.
'use strict';
const PREFIX = 'nobishiro-today-';
const PAGE = new URL(self.registration.scope).pathname;
const PATIENCE = 6000;

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

async function kept() {
  const name = (await caches.keys()).find((one) => one.startsWith(PREFIX));
  return name ? caches.open(name) : null;
}

async function cacheOf(user) {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== PREFIX + user).map((name) => caches.delete(name)));
  return caches.open(PREFIX + user);
}

async function fromDevice() {
  const cache = await kept();
  const found = cache && (await cache.match(PAGE));
  if (!found) return null;
  const text = (await found.text()).replace('<html ', '<html data-from="device" ');
  return new Response(text, { status: 200, headers: found.headers });
}

async function page(request) {
  let timer;
  const slow = new Promise((resolve) => { timer = setTimeout(resolve, PATIENCE, null); });
  const fresh = fetch(request).then(async (response) => {
    const user = response.headers.get('X-Nobishiro-User');
    if (response.ok && user) await (await cacheOf(user)).put(PAGE, response.clone());
    return response;
  });
  try {
    const first = await Promise.race([fresh, slow]);
    return first || (await fromDevice()) || (await fresh);
  } catch (error) {
    return (await fromDevice()) || Response.error();
  } finally {
    clearTimeout(timer);
  }
}

async function asset(request) {
  try {
    const response = await fetch(request);
    const cache = response.ok ? await kept() : null;
    if (cache) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const cache = await kept();
    return (cache && (await cache.match(request))) || Response.error();
  }
}

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (event.request.mode === 'navigate') { if (url.pathname === PAGE && !url.search) event.respondWith(page(event.request)); }
  else if (['style', 'script', 'image', 'font'].includes(event.request.destination)) event.respondWith(asset(event.request));
});

// The very first visit went past this worker: fetch the list and its files once more, now to keep them.
self.addEventListener('message', (event) => {
  if (!event.data || !event.data.keep) return;
  event.waitUntil((async () => {
    const cache = await cacheOf(event.data.user);
    if (!(await cache.match(PAGE))) {
      const response = await fetch(PAGE, { redirect: 'manual', credentials: 'same-origin' });
      if (response.ok && response.headers.get('X-Nobishiro-User') === String(event.data.user)) await cache.put(PAGE, response);
    }
    for (const url of event.data.keep) if (!(await cache.match(url))) await cache.add(url).catch(() => undefined);
  })());
});
