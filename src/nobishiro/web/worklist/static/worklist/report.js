// The print button: our pages allow no inline script.
(() => {
  'use strict';
  document.addEventListener('click', (event) => { if (event.target.closest('[data-print]')) window.print(); });
})();
