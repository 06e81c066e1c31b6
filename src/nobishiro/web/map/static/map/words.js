// What the drawing's scripts say things with: language, currency and texts, given by the page.
const core = JSON.parse(document.getElementById('core').textContent);
