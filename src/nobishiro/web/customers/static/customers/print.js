// The one-minute sheet's button.
(() => {
  'use strict';
  document.addEventListener('click', (event) => { if (event.target.closest('[data-print]')) window.print(); });
})();
