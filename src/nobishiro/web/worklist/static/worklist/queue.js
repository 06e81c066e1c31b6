// Taps that survive a flaky line. A tap is written to this device (IndexedDB, flushed to disk) before anything is sent; it is
// sent in order, again and again, until the site has answered; its id is made here, so that it counts once however often it
// arrives. Taps are kept by person: nobody's are ever sent while somebody else is signed in.
(() => {
  'use strict';
  const BASE = 'nobishiro-taps', STORE = 'taps', TIMEOUT = 15000, LONGEST_WAIT = 60000;
  let database = null, set = null, token = '', tries = 0, timer = 0, running = false, again = false, trouble = '';
  const watchers = [];
  const channel = 'BroadcastChannel' in window ? new BroadcastChannel(BASE) : null;

  function opened() {
    database = database || new Promise((resolve, reject) => {
      const request = indexedDB.open(BASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'order', autoIncrement: true }).createIndex('user', 'user');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => { database = null; reject(request.error); };
    });
    return database;
  }

  // Resolves once the whole transaction is on disk.
  async function within(mode, work) {
    const base = await opened();
    return new Promise((resolve, reject) => {
      const transaction = base.transaction(STORE, mode, { durability: 'strict' });
      let answer;
      transaction.oncomplete = () => resolve(answer);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
      const request = work(transaction.objectStore(STORE));
      request.onsuccess = () => { answer = request.result; };
    });
  }
  const all = () => within('readonly', (store) => store.getAll());
  const mine = async () => (await all()).filter((item) => item.user === set.user);
  const write = (item) => within('readwrite', (store) => store.put(item));
  const remove = (order) => within('readwrite', (store) => store.delete(order));

  function newId() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  async function changed(tell = true) {
    if (tell && channel) channel.postMessage('changed');
    const items = await all();
    const own = items.filter((item) => item.user === set.user);
    const state = {
      items: own, trouble,
      waiting: own.filter((item) => item.state === 'waiting').length,
      refused: own.filter((item) => item.state === 'refused'),
      others: items.filter((item) => item.user !== set.user && item.state === 'waiting').length,
    };
    watchers.forEach((watch) => watch(state));
  }

  async function renewToken() {
    const response = await fetch(set.tokenUrl, { headers: { Accept: 'application/json' }, redirect: 'manual', cache: 'no-store' });
    if (response.status !== 200) return false;
    const said = await response.json();
    if (said.user !== set.user) return false;
    token = said.token;
    return true;
  }

  // done, refused, signin (session over), other (somebody else signed in), offline, server
  async function send(item, mayRenew = true) {
    const stop = new AbortController();
    const limit = window.setTimeout(() => stop.abort(), TIMEOUT);
    try {
      const response = await fetch(set.url, {
        method: 'POST', credentials: 'same-origin', redirect: 'manual', keepalive: true, signal: stop.signal,
        headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRFToken': token },
        body: JSON.stringify({ ...item.fields, kind: item.kind, code: item.code, user: set.user, age: Math.max(0, (Date.now() - item.tappedAt) / 1000) }),
      });
      if (response.type === 'opaqueredirect' || response.status === 401) return ['signin'];
      if (response.status === 403) return mayRenew && (await renewToken()) ? await send(item, false) : ['signin'];
      if (response.status === 409) return ['other'];
      if (response.status >= 500 || response.status === 429) return ['server'];
      const said = await response.json();
      if (said.code !== item.code) return ['server'];
      return said.refused ? ['refused', said.why] : ['done', said.at];
    } catch (error) {
      return ['offline']; // no line, no answer, or an answer that is not ours
    } finally {
      window.clearTimeout(limit);
    }
  }

  async function sendAll() {
    for (;;) {
      const item = (await mine()).find((one) => one.state === 'waiting');
      if (!item) { trouble = ''; tries = 0; return; }
      const [what, more] = await send(item);
      if (what === 'done') await write({ ...item, state: 'sent', ackAt: more });
      else if (what === 'refused') await write({ ...item, state: 'refused', why: more });
      else {
        trouble = what;
        tries += 1;
        if (what === 'offline' || what === 'server') later(Math.min(LONGEST_WAIT, 1000 * 2 ** tries) * (0.75 + Math.random() / 2));
        return;
      }
      trouble = '';
      tries = 0;
      await changed();
    }
  }

  function later(wait) {
    window.clearTimeout(timer);
    timer = window.setTimeout(flush, wait);
  }

  async function flush() {
    if (!set) return;
    if (running) { again = true; return; }
    running = true;
    window.clearTimeout(timer);
    try {
      if (navigator.locks) {
        await navigator.locks.request(`${BASE}-${set.user}`, { ifAvailable: true }, async (lock) => {
          if (lock) await sendAll(); else later(4000); // another page of ours is at it
        });
      } else await sendAll(); // two pages may send the same tap: the site counts it once
    } finally {
      running = false;
      await changed();
      if (again) { again = false; flush(); }
    }
  }

  window.nobishiroTaps = {
    newId,
    flush,
    // {user, url, tokenUrl, token, made}: what the site already knew when it made the page need not be kept any longer
    async start(settings) {
      set = settings;
      token = settings.token;
      for (const item of await mine()) if (item.state === 'sent' && item.ackAt < settings.made) await remove(item.order);
      window.addEventListener('online', () => { tries = 0; flush(); });
      document.addEventListener('visibilitychange', () => { if (!document.hidden) flush(); });
      if (channel) channel.onmessage = () => { changed(false); };
      await changed(false);
      flush();
    },
    onChange(watch) { watchers.push(watch); },
    // On disk when this resolves; sending comes after.
    async push(kind, code, fields, label) {
      await write({ user: set.user, kind, code, fields, label, tappedAt: Date.now(), state: 'waiting' });
      await changed();
      flush();
    },
    async isWaiting(code) { return (await mine()).some((item) => item.code === code && item.state === 'waiting'); },
    async forget(order) { await remove(order); await changed(); },
  };
})();
