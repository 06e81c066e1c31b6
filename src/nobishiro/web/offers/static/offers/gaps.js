// One cell opens in a dialog; it closes by its button, by Esc or by a click beside it.
(() => {
  'use strict';
  const dialog = document.getElementById('cell');
  document.querySelectorAll('[data-fold]').forEach((fold) => { if (window.innerWidth <= 760 && !fold.querySelector('option:checked:not([value=""])')) fold.open = false; });
  document.body.addEventListener('htmx:afterSwap', (event) => { if (event.detail.target === dialog && !dialog.open) dialog.showModal(); });
  document.body.addEventListener('cell-changed', (event) => {
    for (const before of ['', 'g']) { const place = document.getElementById(before + event.detail.element); if (place) place.textContent = event.detail.text; }
  });
  dialog.addEventListener('click', (event) => { if (event.target === dialog || event.target.closest('[data-close]')) dialog.close(); });
})();
