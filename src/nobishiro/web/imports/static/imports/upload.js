// Files dropped or chosen are sent at once; one that is too large is said before it travels.
(() => {
  'use strict';
  const form = document.getElementById('upload');
  const input = document.getElementById('files');
  const problem = document.getElementById('upload-problem');
  if (!form || !input) return;
  let isSent = false;

  function send() {
    if (isSent || !input.files.length) return;
    const most = Number(form.dataset.most);
    const large = [...input.files].find((file) => file.size > most);
    problem.hidden = !large;
    if (large) { problem.textContent = form.dataset.tooLarge.replace('{name}', large.name); return; }
    isSent = true;
    form.requestSubmit(document.getElementById('send'));
    document.getElementById('send').textContent = form.dataset.sending;
  }
  input.addEventListener('change', send);
  window.addEventListener('pageshow', () => { isSent = false; });
  for (const name of ['dragenter', 'dragover']) {
    form.addEventListener(name, (event) => { event.preventDefault(); form.classList.add('is-over'); });
  }
  form.addEventListener('dragleave', (event) => { if (!form.contains(event.relatedTarget)) form.classList.remove('is-over'); });
  form.addEventListener('drop', (event) => {
    event.preventDefault();
    form.classList.remove('is-over');
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    send();
  });
})();
