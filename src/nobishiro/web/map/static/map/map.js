// 顧客マップ: the points come after the first paint into the space kept for them; conditions change without a new page.
(() => {
  'use strict';
  const place = document.getElementById('place');
  const panel = document.getElementById('panel');
  const chosenBox = document.getElementById('chosen');
  const trial = document.getElementById('trial');
  const tools = document.getElementById('tools');
  let data = null;
  let chart = null;
  let lines = null;
  let list = null;
  let selected = -1;
  let shape = 'lasso';
  let generation = 0;
  const chosen = new Set();

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  const query = () => window.location.search;

  async function load() {
    const mine = (generation += 1);
    let answer;
    try {
      const response = await fetch(place.dataset.points + query(), { headers: { Accept: 'application/json' } });
      if (!response.ok) throw new Error(String(response.status));
      answer = await response.json();
    } catch {
      if (mine === generation) place.replaceChildren(element('p', { class: 'problem', role: 'alert' }, place.dataset.failed));
      return;
    }
    if (mine !== generation) return;
    data = answer;
    draw();
  }

  function draw() {
    if (chart) chart.leave();
    const customers = data.customers;
    lines = createLines(customers, data.thresholds);
    release(false);
    selected = -1;
    trial.hidden = true;
    const left = document.getElementById('leftout');
    left.hidden = data.total <= customers.id.length;
    left.textContent = fill(place.dataset.leftOut, { shown: integer(customers.id.length), total: integer(data.total) });
    document.getElementById('listcount').textContent = fill(place.dataset.all, { n: integer(data.total) });
    tools.hidden = !customers.id.length;
    document.getElementById('addall').hidden = !customers.id.length || data.total > 500;
    if (!customers.id.length) {
      chart = null;
      place.replaceChildren(element('p', { class: 'nothing' }, place.dataset.nobody));
      document.getElementById('list').replaceChildren();
      return;
    }
    chart = createChart({ customers, lines, hasTouch: data.hasTouch, choose: open, enclose: (rows) => choose(rows), moveCuts: tryLines });
    chart.setShape(shape);
    chart.show([...customers.id.keys()]);
    place.replaceChildren(chart.node);
    list = createTable({ label: t('map.list'), columns: columns(customers), rows: [...customers.id.keys()], open, sort: { by: 3, down: true }, tall: 'beside', classOf: (i) => (i === selected ? 'chosen' : '') });
    document.getElementById('list').replaceChildren(list.node);
    list.draw();
    document.body.dataset.ready = 'yes';
  }

  function columns(customers) {
    const scale = barScale(customers.low, customers.high);
    const box = (i) => {
      const ticked = element('input', { type: 'checkbox', 'aria-label': fill(place.dataset.tick, { name: customers.name[i] }) });
      ticked.checked = chosen.has(i);
      ticked.addEventListener('change', () => { if (ticked.checked) chosen.add(i); else chosen.delete(i); showChosen(); });
      return ticked;
    };
    return [
      { label: '', cell: box, width: 'w2' },
      { label: t('word.quadrantShort'), cell: (i) => chip(lines.now[i]), key: (i) => lines.now[i], width: 'w3' },
      { label: t('word.customer'), cell: (i) => element('a', { href: place.dataset.panel.replace('/0/', `/${customers.id[i]}/`), onclick: (event) => { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); open(i); } } }, customers.name[i]), key: (i) => customers.name[i], width: 'grow' },
      { label: `${t('word.potential')} ${unitWord()}`, cell: (i) => (customers.potential[i] === null ? t('word.unknown') : aboutAmount(customers.potential[i])), key: (i) => customers.potential[i], kind: 'number', width: 'w8' },
      { label: t('word.interval'), cell: (i) => intervalBar(customers.low[i], customers.potential[i], customers.high[i], scale, range(customers.low[i], customers.high[i])), width: 'w6 barcell optional' },
      { label: `${t('word.track')} ${unitWord()}`, cell: (i) => amount(customers.track[i]), key: (i) => customers.track[i], kind: 'number', width: 'w8' },
      { label: t('word.missed'), title: t('map.missedHow'), cell: (i) => (customers.missed[i] ? integer(customers.missed[i]) : ''), key: (i) => customers.missed[i], kind: 'number', width: 'w4 optional' },
    ];
  }

  // One customer: the panel beside the map, with the way to the karte.
  function open(i) {
    selected = i;
    chart.select(i);
    list.draw();
    panel.hidden = false;
    panel.setAttribute('aria-busy', 'true');
    htmx.ajax('GET', place.dataset.panel.replace('/0/', `/${data.customers.id[i]}/`), { target: '#panel', swap: 'innerHTML' }).then(() => {
      panel.removeAttribute('aria-busy');
      if (window.innerWidth < 1000) panel.scrollIntoView({ block: 'start' });
      panel.focus({ preventScroll: true });
    });
  }

  function close() {
    panel.hidden = true;
    panel.replaceChildren();
    selected = -1;
    if (chart) chart.select(-1);
    if (list) list.draw();
  }

  // Several customers: by lasso, by box, or ticked in the list. All three fill one set.
  function choose(rows) {
    chosen.clear();
    rows.forEach((i) => chosen.add(i));
    showChosen();
  }

  function release(redraw = true) {
    chosen.clear();
    if (redraw) showChosen(); else chosenBox.hidden = true;
  }

  function showChosen() {
    chosenBox.hidden = !chosen.size;
    chart.mark(chosen);
    list.draw();
    document.getElementById('chosencount').textContent = fill(place.dataset.chosen, { n: integer(chosen.size) });
    document.getElementById('done').replaceChildren();
    const ids = [...chosen].map((i) => data.customers.id[i]).join('.');
    chosenBox.querySelectorAll('[name=ids]').forEach((field) => { field.value = ids; });
    // A new choice is a new errand; sending the same one twice is not.
    chosenBox.querySelectorAll('[name=key]').forEach((field) => { field.value = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2, 12)}`; });
  }

  // Lines being tried: everything follows, nothing is kept until somebody says so.
  let asking = 0;
  function tryLines() {
    const counts = lines.recount();
    trial.hidden = !lines.cuts.moved;
    sayCounts(counts);
    if (selected < 0 || panel.hidden) list.draw();
    if (data.total > data.customers.id.length) {
      window.clearTimeout(asking);
      asking = window.setTimeout(countAll, 200);
    }
  }

  async function countAll() {
    const asked = new URLSearchParams(query());
    asked.set('potential', lines.cuts.potential);
    asked.set('track_record', lines.cuts.track);
    const response = await fetch(`${place.dataset.counts}?${asked}`, { headers: { Accept: 'application/json' } });
    if (response.ok && lines.cuts.moved) sayCounts((await response.json()).counts);
  }

  function sayCounts(counts) {
    const [a, b, c, d] = counts.map(integer);
    document.getElementById('trialwords').textContent = fill(document.getElementById('trialwords').dataset.words, { potential: money(Math.round(lines.cuts.potential)), track: money(Math.round(lines.cuts.track)), a, b, c, d });
    ['A', 'B', 'C', 'D', 'U'].forEach((letter, n) => { const shown = document.querySelector(`[data-count="${letter}"]`); if (shown) shown.textContent = integer(counts[n]); });
    for (const [name, value] of [['potential', lines.cuts.potential], ['track_record', lines.cuts.track]]) { const field = trial.querySelector(`[name=${name}]`); if (field) field.value = Math.round(value); }
  }

  function drawTools() {
    const shapes = tools.querySelector('.switch');
    shapes.replaceChildren(
      ...['lasso', 'box', 'move'].map((name) => button(t(`map.${name}`), () => { shape = name; if (chart) { chart.setShape(name); chart.setTouch(true); } drawTools(); }, { 'aria-pressed': name === shape ? 'true' : 'false' })),
      button('+', () => chart.zoomBy(0.7), { 'aria-label': t('map.nearer') }),
      button('−', () => chart.zoomBy(1 / 0.7), { 'aria-label': t('map.farther') }),
      button(t('map.whole'), () => chart.whole()),
    );
  }

  document.addEventListener('click', (event) => {
    const pressed = event.target.closest('button, a');
    if (!pressed) return;
    if (pressed.hasAttribute('data-close')) close();
    else if (pressed.hasAttribute('data-release')) release();
    else if (pressed.hasAttribute('data-reset')) { lines.reset(); const counts = lines.recount(); sayCounts(counts); trial.hidden = true; chart.redraw(); list.draw(); if (data.total > data.customers.id.length) refresh(); }
    else if (pressed.id === 'addall') choose([...data.customers.id.keys()]);
  });
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && !panel.hidden) close(); });

  // Conditions go into the address; the words above and below come from the server, the points after them.
  let typing = 0;
  document.addEventListener('input', (event) => {
    if (!event.target.closest('#conditions') || event.target.matches('select, [type=checkbox]')) return;
    window.clearTimeout(typing);
    typing = window.setTimeout(narrow, 350);
  });
  document.addEventListener('change', (event) => { if (event.target.closest('#conditions') && event.target.matches('select, [type=checkbox]')) narrow(); });
  document.addEventListener('submit', (event) => { if (event.target.id === 'conditions') { event.preventDefault(); narrow(); } });

  function narrow() {
    window.clearTimeout(typing);
    const said = new URLSearchParams();
    for (const [name, value] of new FormData(document.getElementById('conditions'))) if (value) said.append(name, value);
    const kept = new URLSearchParams(query());
    if (kept.get('sort')) said.set('sort', kept.get('sort'));
    const text = said.toString();
    window.history.replaceState(null, '', text ? `?${text}` : window.location.pathname);
    close();
    refresh();
    load();
  }

  async function refresh() {
    const response = await fetch(window.location.pathname + query(), { headers: { 'X-Requested-With': 'fetch' } });
    if (!response.ok) return;
    const next = new DOMParser().parseFromString(await response.text(), 'text/html');
    const held = document.activeElement && document.activeElement.closest('#conditions') ? document.activeElement : null;
    for (const one of ['#mapped .sentence', '#mapped .alarm', '#below']) {
      const [from, to] = [next.querySelector(one), document.querySelector(one)];
      if (from && to) to.replaceWith(document.adoptNode(from));
      else if (to) to.remove();
      else if (from) document.querySelector('#mapped .sentence').after(document.adoptNode(from));
    }
    next.querySelectorAll('[data-count]').forEach((count) => { const shown = document.querySelector(`[data-count="${count.dataset.count}"]`); if (shown) shown.textContent = count.textContent; });
    for (const id of ['excel', 'paper']) { const [from, to] = [next.getElementById(id), document.getElementById(id)]; if (from && to) to.href = from.href; }
    document.querySelectorAll('[name=query]').forEach((field) => { field.value = query().slice(1); });
    const all = next.querySelector('#conditions > a');
    const had = document.querySelector('#conditions > a');
    if (all && !had) document.getElementById('conditions').append(document.adoptNode(all)); else if (!all && had) had.remove();
    if (held) held.focus();
  }

  document.body.addEventListener('map-changed', () => { const reopened = selected; load().then(() => { if (reopened >= 0 && reopened < data.customers.id.length) { selected = reopened; chart.select(reopened); } }); refresh(); });
  drawTools();
  document.querySelectorAll('[data-fold]').forEach((fold) => { if (window.innerWidth <= 760 && !fold.querySelector(':checked:not(option), option:checked:not([value=""]), input[value]:not([type=checkbox]):not([value=""])')) fold.open = false; });
  // After the first paint: the page stands before its points are asked for.
  requestAnimationFrame(() => requestAnimationFrame(load));
})();
