// Routes, keys, language and unit: the frame every page stands in.
const main = document.getElementById('main');
const PAGES = ['map', 'gaps', 'plan', 'together', 'evidence'];
let current = { page: '', handle: null };
const waiting = [];

function whenDetail(then) {
  if (detail) then();
  else waiting.push(then);
}

function openCustomer(i) {
  location.hash = `#/customer/${encodeURIComponent(customers.id[i])}`;
}

function addressNow() {
  const [, page, rest] = location.hash.split('/');
  let id = '';
  try { id = rest ? decodeURIComponent(rest) : ''; } catch { id = ''; }
  return { page: page === 'customer' || PAGES.includes(page) ? page : 'map', id };
}

function follow(again) {
  const { page, id } = addressNow();
  document.body.dataset.page = page;
  if (page === 'map' && current.page === 'map' && !again) { current.handle.followAddress(id); return; }
  current = { page, handle: null };
  listInUse = null;
  drawFrame();
  if (page === 'map') { current.handle = mapPage(main, id); listInUse = current.handle.list; return; }
  chart = null;
  if (page === 'evidence') { evidencePage(main); arrived(); return; }
  main.replaceChildren(element('p', { class: 'note' }, t('page.unpacking')));
  whenDetail(() => {
    if (addressNow().page !== page || addressNow().id !== id) return;
    if (page === 'gaps') gapsPage(main);
    else if (page === 'plan') planPage(main);
    else if (page === 'together') togetherPage(main);
    else customerPage(id);
    arrived();
  });
}

function arrived() {
  window.scrollTo(0, 0);
}

function customerPage(id) {
  const i = numberOfId.has(id) ? numberOfId.get(id) : -1;
  const back = element('p', { class: 'back' }, element('a', { href: '#/map' }, t('karte.back')), ' ', i < 0 ? '' : element('a', { href: `#/map/${encodeURIComponent(id)}`, class: 'onmap' }, t('karte.onMap')));
  if (i < 0) { main.replaceChildren(back, element('p', null, t('karte.notFound', { id }))); return; }
  const title = element('h1', { class: 'unseen' }, t('karte.title', { name: customers.name[i] }));
  main.replaceChildren(title, back, element('div', { class: 'single' }, karte(i)));
}

function drawFrame() {
  document.documentElement.lang = view.language;
  document.title = `${core.company} – ${t('page.title')}`;
  document.querySelector('.skip').textContent = t('page.skip');
  document.getElementById('asof').textContent = `${t('page.asOf', { day: day(dayOfIso(core.asOf)) })}${core.simulated ? ` · ${t('page.simulated')}` : ''}`;
  const nav = document.getElementById('nav');
  nav.setAttribute('aria-label', t('page.nav'));
  nav.replaceChildren(...PAGES.map((page) => element('a', { href: `#/${page}`, 'aria-current': page === current.page ? 'page' : null }, t(`nav.${page}`))));
  const units = element('select', { 'aria-label': t('money.unit') }, [0, 1, 2].map((unit) => { const kept = view.unit; view.unit = unit; const option = element('option', { value: unit, selected: unit === kept }, unitWord()); view.unit = kept; return option; }));
  units.addEventListener('change', () => { view.unit = Number(units.value); follow(true); });
  document.getElementById('tools').replaceChildren(units,
    element('div', { class: 'switch', role: 'group', 'aria-label': t('page.language') }, [['ja', '日本語'], ['en', 'English']].map(([code, name]) => button(name, () => { view.language = code; follow(true); }, { 'aria-pressed': view.language === code ? 'true' : 'false', lang: code, id: `language-${code}` }))),
    button('?', help, { class: 'plain', 'aria-label': t('help.title') }));
  document.getElementById('foot').replaceChildren(`${core.source}`, element('br'), `${t('evidence.made', { version: core.version, at: core.generatedAt, asOf: core.asOf })} ${t('evidence.interval')}`);
}

function help() {
  const keys = [['/', 'help.search'], ['j k', 'help.move'], ['Enter', 'help.open'], ['g m', 'help.map'], ['g g', 'help.gaps'], ['g p', 'help.plan'], ['g t', 'help.together'], ['g e', 'help.evidence'], ['Esc', 'help.back'], ['?', 'help.title']];
  const dialog = element('dialog', { 'aria-label': t('help.title') }, element('h2', null, t('help.title')), element('dl', { class: 'keys' }, keys.map(([key, text]) => element('div', null, element('dt', null, element('kbd', null, key)), element('dd', null, t(text))))),
    element('p', null, t('help.lines')), element('form', { method: 'dialog' }, element('button', { class: 'primary' }, t('help.close'))));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

let wentG = 0;
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  const typing = event.target.closest('input,select,textarea');
  if (event.key === 'Escape') {
    if (typing) event.target.blur();
    else if (addressNow().id) location.hash = '#/map';
    return;
  }
  if (typing) return;
  const after = Date.now() - wentG < 1500;
  wentG = 0;
  const goes = { m: 'map', g: 'gaps', p: 'plan', t: 'together', e: 'evidence' };
  if (after && goes[event.key]) { event.preventDefault(); location.hash = `#/${goes[event.key]}`; return; }
  if (event.key === 'g') wentG = Date.now();
  else if (event.key === '/') { const search = document.getElementById('search'); if (search) { event.preventDefault(); search.focus(); search.select(); } }
  else if (event.key === '?') { event.preventDefault(); help(); }
  else if (event.key === 'j' || event.key === 'k') { if (listInUse) { event.preventDefault(); listInUse.move(event.key === 'j' ? 1 : -1); } }
  else if (event.key === 'Enter' && listInUse && !event.target.closest('a,button,summary')) listInUse.openCurrent();
});

window.addEventListener('beforeprint', () => { if (chart) chart.drawForPaper(); if (listInUse) listInUse.print(true); });
window.addEventListener('afterprint', () => { if (chart) chart.redraw(); if (listInUse) listInUse.print(false); });
window.addEventListener('hashchange', () => follow(false));
follow(true);
// Two frames later the first page stands; only then is the large part unpacked.
requestAnimationFrame(() => requestAnimationFrame(() => {
  unpackDetail().then(() => { waiting.splice(0).forEach((then) => then()); document.body.dataset.ready = 'yes'; })
    .catch((problem) => { main.prepend(element('p', { class: 'problem', role: 'alert' }, t('page.broken', { problem: problem.message }))); });
}));
