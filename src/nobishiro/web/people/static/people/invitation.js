// The code of a one-time link stands behind the #, which no server sees: take it from there, forget it there, send it in the form.
(() => {
  'use strict';
  const form = document.querySelector('[data-opens-by-link]');
  const token = window.location.hash.slice(1);
  if (!form || !token) return;
  window.history.replaceState(null, '', window.location.pathname);
  form.elements.token.value = token;
  form.requestSubmit();
})();
