// Says when a security key did not answer; the library itself only tells the console.
(() => {
  'use strict';
  document.addEventListener('allauth.error', () => {
    const trouble = document.getElementById('key-trouble');
    if (trouble) trouble.hidden = false;
  });
})();
