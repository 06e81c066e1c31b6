// 顧客マップ: where everyone stands, in one sentence, one drawing and one list.
const mapState = { quadrants: new Set(), missed: false, rep: '', text: '', enclosed: null, selected: -1 };
let chart = null;

const plainText = (text) => text.normalize('NFKC').toLowerCase();
const searchText = customers.name.map((name, i) => plainText(`${name} ${customers.id[i]}`));

function filteredCustomers() {
  const wanted = plainText(mapState.text.trim());
  const rows = [];
  for (let i = 0; i < customerCount; i += 1) {
    if (mapState.quadrants.size && !mapState.quadrants.has(quadrantNow[i])) continue;
    if (mapState.missed && !customers.missed[i]) continue;
    if (mapState.rep && coded(customers.rep, i) !== mapState.rep) continue;
    if (wanted && !searchText[i].includes(wanted)) continue;
    rows.push(i);
  }
  return rows;
}

function mapSentence(counts) {
  const parts = [t('map.counts', { a: integer(counts[0]), b: integer(counts[1]), c: integer(counts[2]), d: integer(counts[3]) })];
  let unknown = 0;
  for (const value of customers.potential) if (value === null) unknown += 1;
  if (unknown) parts.push(t('map.countUnknown', { n: integer(unknown) }));
  let missed = 0;
  for (let i = 0; i < customerCount; i += 1) if (quadrantNow[i] === 1 && customers.missed[i]) missed += 1;
  if (counts[1]) parts.push(t('map.missed', { b: integer(counts[1]), n: integer(missed) }));
  if (core.hasTouch) {
    const spent = [0, 0, 0, 0, 0];
    customers.hours.forEach((value, i) => { spent[quadrantNow[i]] += value || 0; });
    const total = spent.reduce((a, b) => a + b, 0);
    const most = spent.indexOf(Math.max(...spent));
    if (total > 0) parts.push(t('map.hoursShare', { p: percent(spent[most] / total), q: QUADRANTS[most], name: quadrantName(most) }));
  } else parts.push(t('map.noTouch'));
  return parts.join(view.language === 'ja' ? '' : ' ');
}

function mapPage(host, address) {
  const sentence = element('h1', { class: 'sentence' });
  const legend = element('div', { class: 'legend', role: 'group', 'aria-label': t('map.filterQuadrant') });
  const reason = element('p', { class: 'reason' });
  const pane = element('div', { class: 'pane' });
  const search = element('input', { type: 'search', id: 'search', placeholder: t('map.search'), 'aria-label': t('map.search'), value: mapState.text });
  search.addEventListener('input', () => { mapState.text = search.value; applyFilter(); });
  const reps = element('select', { 'aria-label': t('word.rep') }, element('option', { value: '' }, t('map.allReps')), customers.rep.of.map((rep) => element('option', { value: rep, selected: rep === mapState.rep }, rep)));
  reps.addEventListener('change', () => { mapState.rep = reps.value; applyFilter(); });
  const missedBox = element('input', { type: 'checkbox', id: 'missed', checked: mapState.missed });
  missedBox.addEventListener('change', () => { mapState.missed = missedBox.checked; applyFilter(); });
  const shapes = element('div', { class: 'switch', role: 'group', 'aria-label': t('map.enclose') });

  chart = createChart({
    customers,
    lines,
    hasTouch: core.hasTouch,
    choose: (i) => selectCustomer(i),
    enclose: (rows) => { mapState.enclosed = rows; showList(); announce(t('map.enclosed', { n: rows.length })); },
    moveCuts: () => { refreshCounts(); },
  });
  const list = createTable({ label: t('map.list'), columns: mapColumns(), rows: [], open: (i) => selectCustomer(i), sort: { by: 2, down: true }, tall: 'beside', classOf: (i) => (i === mapState.selected ? 'chosen' : '') });
  const listHead = element('div', { class: 'listhead' });

  function drawLegend(counts) {
    const shown = counts[UNKNOWN] ? [0, 1, 2, 3, 4] : [0, 1, 2, 3];
    legend.replaceChildren(...shown.map((quadrant) => element('button', { type: 'button', class: 'key', 'aria-pressed': mapState.quadrants.has(quadrant) ? 'true' : 'false', onclick: () => { if (!mapState.quadrants.delete(quadrant)) mapState.quadrants.add(quadrant); applyFilter(); } },
      chip(quadrant), ` ${quadrantName(quadrant)} `, element('b', null, integer(counts[quadrant])))));
  }

  function refreshCounts() {
    const counts = recount();
    sentence.textContent = mapSentence(counts);
    drawLegend(counts);
    reason.replaceChildren(
      element('span', null, cuts.moved ? t('map.moved', { potential: money(Math.round(cuts.potential)), track: money(Math.round(cuts.track)) }) : t('map.lines', { potential: money(Math.round(cuts.potential)), track: money(Math.round(cuts.track)) })), ' ',
      element('span', null, pick(core.thresholds.ja, core.thresholds.en)),
      ...(cuts.moved ? [' ', button(t('map.reset'), () => { resetCuts(); refreshCounts(); applyFilter(); chart.redraw(); }, { class: 'plain', id: 'reset' })] : []));
    if (mapState.quadrants.size) chart.show(filteredCustomers());
    list.draw();
  }

  function applyFilter() {
    mapState.enclosed = null;
    chart.clearEnclosed();
    const rows = filteredCustomers();
    chart.show(rows);
    drawLegend(recount());
    showList(rows);
  }

  function showList(rows = filteredCustomers()) {
    const shown = mapState.enclosed || rows;
    list.show(shown);
    listHead.replaceChildren(
      element('strong', null, mapState.enclosed ? t('map.enclosed', { n: integer(shown.length) }) : customerCountWords(shown.length)), ' ',
      mapState.enclosed ? button(t('map.release'), () => { mapState.enclosed = null; chart.clearEnclosed(); showList(); }, { class: 'plain' }) : '', ' ',
      button(t('list.copy'), () => copyText(csvRows(list.rows()).map((row) => row.join('\t')).join('\n')), { class: 'plain' }), ' ',
      button(t('list.csv'), () => download(`${t('map.file')}_${core.asOf}.csv`, csvRows(list.rows())), { class: 'plain', id: 'csv' }));
    if (mapState.selected < 0 || !wide()) pane.replaceChildren(listHead, list.node);
    list.draw();
  }

  const wide = () => window.innerWidth >= 1000;

  function selectCustomer(i) {
    mapState.selected = i;
    if (!wide()) { location.hash = `#/customer/${encodeURIComponent(customers.id[i])}`; return; }
    location.hash = `#/map/${encodeURIComponent(customers.id[i])}`;
  }

  // The karte takes the list's place; the map stays.
  function followAddress(next) {
    const i = next && numberOfId.has(next) ? numberOfId.get(next) : -1;
    mapState.selected = i;
    chart.select(i);
    if (i < 0) { showList(mapState.enclosed ? undefined : filteredCustomers()); return; }
    pane.replaceChildren(element('p', { class: 'note' }, t('page.unpacking')));
    whenDetail(() => { if (mapState.selected === i) { pane.replaceChildren(karte(i, { close: () => { location.hash = '#/map'; } })); pane.scrollTop = 0; } });
  }

  function drawShapes(chosen) {
    shapes.replaceChildren(...['lasso', 'box', 'move'].map((shape) => button(t(`map.${shape}`), () => { chart.setShape(shape); chart.setTouch(true); drawShapes(shape); }, { 'aria-pressed': chosen === shape ? 'true' : 'false' })),
      button('+', () => chart.zoomBy(0.7), { 'aria-label': t('map.nearer') }), button('−', () => chart.zoomBy(1 / 0.7), { 'aria-label': t('map.farther') }), button(t('map.whole'), () => chart.whole()));
  }
  drawShapes('lasso');

  host.replaceChildren(
    element('section', { class: 'head' }, sentence, legend),
    element('div', { class: 'filters' },
      search, customers.rep.of.length ? reps : '', element('label', { for: 'missed' }, missedBox, ` ${t('map.onlyMissed')}`),
      element('span', { class: 'enclosing' }, t('map.enclose'), ' ', shapes),
      button(t('map.print'), () => window.print(), { class: 'primary' })),
    element('div', { class: 'mapgrid' }, element('div', { class: 'mapside' }, chart.node, reason), pane),
    topTenForPaper(),
  );
  refreshCounts();
  applyFilter();
  followAddress(address);
  return { followAddress, list };
}

function mapColumns() {
  const place = barScale(customers.low, customers.high);
  return [
    { label: t('word.quadrantShort'), cell: (i) => chip(quadrantNow[i]), key: (i) => quadrantNow[i], width: 'w3' },
    { label: t('word.customer'), cell: (i) => customers.name[i], key: (i) => customers.name[i], width: 'grow' },
    { label: `${t('word.potential')} ${unitWord()}`, cell: (i) => (customers.potential[i] === null ? t('word.unknown') : aboutAmount(customers.potential[i])), key: (i) => customers.potential[i], kind: 'number', width: 'w8' },
    { label: t('word.interval'), cell: (i) => intervalBar(customers.low[i], customers.potential[i], customers.high[i], place, range(customers.low[i], customers.high[i])), width: 'w6 barcell' },
    { label: `${t('word.track')} ${unitWord()}`, cell: (i) => amount(customers.track[i]), key: (i) => customers.track[i], kind: 'number', width: 'w8' },
    { label: t('word.missed'), title: t('map.missedHow'), cell: (i) => (customers.missed[i] ? integer(customers.missed[i]) : ''), key: (i) => customers.missed[i], kind: 'number', width: 'w4 optional' },
  ];
}

function csvRows(rows) {
  return [
    [t('word.code'), t('word.customer'), t('word.quadrant'), t('word.potential'), t('word.low'), t('word.high'), t('word.basis'), t('word.track'), t('word.missed'), t('word.rep')],
    ...rows.map((i) => [customers.id[i], customers.name[i], QUADRANTS[quadrantNow[i]], customers.potential[i], customers.low[i], customers.high[i], t(`basis.${customers.basis[i]}`), customers.track[i], customers.missed[i], coded(customers.rep, i)]),
  ];
}

// Beside the printed map: the quadrants in words and the names people will ask about.
function topTenForPaper() {
  const best = (quadrant) => [...customers.id.keys()].filter((i) => quadrantNow[i] === quadrant && customers.potential[i] !== null).sort((a, b) => customers.potential[b] - customers.potential[a]).slice(0, 9);
  return element('aside', { class: 'paper' }, [0, 1].map((quadrant) => element('section', null,
    element('h2', null, chip(quadrant), ` ${quadrantName(quadrant)}`),
    element('p', null, t(`quadrant.${QUADRANTS[quadrant]}how`)),
    element('table', { class: 'families' },
      element('thead', null, element('tr', null, element('th', { scope: 'col' }, t('word.customer')), element('th', { scope: 'col', class: 'number' }, t('word.potential')), element('th', { scope: 'col', class: 'number' }, t('word.interval')), element('th', { scope: 'col', class: 'number' }, t('word.track')))),
      element('tbody', null, best(quadrant).map((i) => element('tr', null, element('th', { scope: 'row' }, customers.name[i]), element('td', { class: 'number' }, short(customers.potential[i])), element('td', { class: 'number' }, customers.low[i] === null ? t('word.unknown') : `${short(customers.low[i])}${t('word.to')}${short(customers.high[i])}`), element('td', { class: 'number' }, short(customers.track[i]))))))),
  ), element('section', null, [2, 3].map((quadrant) => element('p', null, chip(quadrant), ` ${quadrantName(quadrant)} – ${t(`quadrant.${QUADRANTS[quadrant]}how`)}`))));
}
