// What every page does: keys, busy buttons, lists walked by keyboard, messages of htmx answers.
(() => {
  'use strict';
  const typing = (target) => target.closest('input, textarea, select, [contenteditable]');
  let goAt = 0;

  const rows = () => [...document.querySelectorAll('[data-walk] [data-open], [data-walk][data-open]')].filter((row) => row.offsetParent !== null);
  const current = () => document.querySelector('[data-open].is-current');
  function walk(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current());
    const next = all[Math.max(0, Math.min(all.length - 1, at + step))];
    all.forEach((row) => row.classList.toggle('is-current', row === next));
    next.scrollIntoView({ block: 'nearest' });
    if (!next.hasAttribute('tabindex')) next.tabIndex = -1;
    next.focus({ preventScroll: true });
  }

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    const keys = document.getElementById('keys');
    if (keys && keys.open) return;
    if (Date.now() - goAt < 1500) {
      goAt = 0;
      const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    if (event.key === 'g') goAt = Date.now();
    else if (event.key === '/') { const search = document.querySelector('input[type=search]'); if (search) { event.preventDefault(); search.focus(); search.select(); } }
    else if (event.key === 'j') walk(1);
    else if (event.key === 'k') walk(-1);
    else if (event.key === 'e') { const place = current() || document; const first = place.querySelector('[data-outcome]'); if (first) { event.preventDefault(); first.focus(); } }
    else if (event.key === 'Enter' && event.target === current()) { window.location.assign(event.target.dataset.open); }
    else if (event.key === '?' && keys) keys.showModal();
  });

  // A row leads to its page wherever it is clicked, except on what is itself a control.
  document.addEventListener('click', (event) => {
    const row = event.target.closest('[data-open]');
    if (!row || event.target.closest('a, button, input, select, label, summary')) return;
    if (window.getSelection() && String(window.getSelection())) return;
    if (event.ctrlKey || event.metaKey) window.open(row.dataset.open); else window.location.assign(row.dataset.open);
  });

  // A form is sent once; its button says so.
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === 'dialog' || form.hasAttribute('data-again')) return;
    if (form.dataset.asks && !window.confirm(form.dataset.asks)) { event.preventDefault(); return; }
    const button = event.submitter;
    if (!button || form.method === 'get') return;
    window.setTimeout(() => { button.disabled = true; button.setAttribute('aria-busy', 'true'); }, 0);
    window.setTimeout(() => { button.disabled = false; button.removeAttribute('aria-busy'); }, 15000);
  });
  document.addEventListener('change', (event) => { if (event.target.closest('[data-send-on-change]')) event.target.form.requestSubmit(); });
  window.addEventListener('pageshow', (event) => { if (event.persisted) document.querySelectorAll('[aria-busy]').forEach((button) => { button.disabled = false; button.removeAttribute('aria-busy'); }); });

  document.addEventListener('click', (event) => {
    document.querySelectorAll('details.account[open], details.menu-sheet[open]').forEach((details) => { if (!details.contains(event.target)) details.open = false; });
  });

  // What a telephone keeps to open today's list without a line is its owner's: it goes at sign-out, and where nobody is signed in.
  const forgetLists = () => (window.caches ? caches.keys().then((names) => Promise.all(names.filter((name) => name.startsWith('nobishiro-today-')).map((name) => caches.delete(name)))) : Promise.resolve());
  if (!document.querySelector('details.account')) forgetLists().catch(() => undefined);
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.closest('details.account') || !window.caches) return;
    event.preventDefault();
    const leave = () => HTMLFormElement.prototype.submit.call(form);
    forgetLists().then(leave, leave);
  });
})();
