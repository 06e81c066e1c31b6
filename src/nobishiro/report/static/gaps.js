// 提案もれ: what was never offered where there is room, B first; and the whole grid of customers × families.
const gapState = { tab: 'list', quadrant: -1, text: '' };

function gapsPage(host) {
  const g = detail.gaps;
  const missed = [];
  for (let row = 0; row < g.customer.length; row += 1) if (g.missed[row] === '1') missed.push(row);
  missed.sort((a, b) => (g.rank[a] === null) - (g.rank[b] === null) || g.rank[a] - g.rank[b]);
  const firms = new Set(missed.map((row) => g.customer[row])).size;
  const unknown = missed.filter((row) => g.expected[row] === null).length;
  const first = missed[0];
  const sentence = missed.length
    ? t('gaps.sentence', { n: integer(missed.length), firms: customerCountWords(firms), name: customers.name[g.customer[first]], family: familyName(g.family[first]), expected: about(g.expected[first]), range: range(g.low[first], g.high[first]) }) + (unknown ? ` ${t('gaps.unknown', { n: integer(unknown) })}` : '')
    : t('gaps.none');
  const search = element('input', { type: 'search', id: 'search', placeholder: t('map.search'), 'aria-label': t('map.search'), value: gapState.text });
  const place = element('div');
  const tabs = element('div', { class: 'switch', role: 'group', 'aria-label': t('gaps.view') });
  const matches = (i) => (!gapState.text || searchText[i].includes(plainText(gapState.text.trim()))) && (gapState.quadrant < 0 || quadrantNow[i] === gapState.quadrant);
  const filter = element('select', { 'aria-label': t('word.quadrant') }, element('option', { value: -1 }, t('gaps.allQuadrants')), [0, 1, 2, 3].map((q) => element('option', { value: q, selected: q === gapState.quadrant }, `${QUADRANTS[q]} ${quadrantName(q)}`)));
  search.addEventListener('input', () => { gapState.text = search.value; show(); });
  filter.addEventListener('change', () => { gapState.quadrant = Number(filter.value); show(); });

  const scale = barScale(missed.map((row) => g.low[row]), missed.map((row) => g.high[row]));
  const list = createTable({
    label: t('gaps.list'), rows: [], tall: 'page', sort: { by: 0, down: false }, open: (row) => openCustomer(g.customer[row]),
    columns: [
      { label: t('word.rank'), cell: (row) => integer(g.rank[row]), key: (row) => g.rank[row], kind: 'number', width: 'w4' },
      { label: t('word.quadrantShort'), cell: (row) => chip(quadrantNow[g.customer[row]]), key: (row) => quadrantNow[g.customer[row]], width: 'w3' },
      { label: t('word.customer'), cell: (row) => customerLink(g.customer[row]), key: (row) => customers.name[g.customer[row]], width: 'grow' },
      { label: t('word.family'), cell: (row) => familyName(g.family[row]), key: (row) => familyName(g.family[row]), width: 'w12' },
      { label: `${t('word.expected')} ${unitWord()}`, cell: (row) => (g.expected[row] === null ? t('word.unknown') : aboutAmount(g.expected[row])), key: (row) => g.expected[row], kind: 'number', width: 'w8' },
      { label: t('word.interval'), cell: (row) => intervalBar(g.low[row], g.expected[row], g.high[row], scale, range(g.low[row], g.high[row])), width: 'w8 barcell optional' },
      { label: `${t('word.low')}${t('word.to')}${t('word.high')}`, cell: (row) => range(g.low[row], g.high[row]), key: (row) => g.low[row], kind: 'number', width: 'w16 optional' },
      { label: t('gaps.n'), title: t('gaps.nHow'), cell: (row) => (g.comparable[row] === null ? '–' : `${integer(g.buyers[row])}/${integer(g.comparable[row])}`), key: (row) => (g.comparable[row] ? g.buyers[row] / g.comparable[row] : null), kind: 'number', width: 'w6 optional' },
      { label: t('word.rep'), cell: (row) => coded(customers.rep, g.customer[row]) || '–', key: (row) => coded(customers.rep, g.customer[row]), width: 'w6 optional' },
    ],
  });
  const everyone = [...customers.id.keys()];
  const matrix = createTable({
    label: t('gaps.matrix'), rows: [], tall: 'page matrix', sort: { by: 2, down: true }, open: (i) => openCustomer(i),
    columns: [
      { label: t('word.quadrantShort'), cell: (i) => chip(quadrantNow[i]), key: (i) => quadrantNow[i], width: 'w3' },
      { label: t('word.customer'), cell: (i) => customerLink(i), key: (i) => customers.name[i], width: 'name' },
      { label: `${t('word.potential')} ${unitWord()}`, cell: (i) => (customers.potential[i] === null ? t('word.unknown') : aboutAmount(customers.potential[i])), key: (i) => customers.potential[i], kind: 'number', width: 'w8' },
      ...core.families.id.map((_, family) => ({
        label: familyName(family), width: 'mark',
        cell: (i) => { const state = stateOf(i, family); return element('span', { class: `state s-${state === '.' ? 'none' : state}`, title: state === '.' ? '' : t(`state.${STATES[state]}`) }, MARKS[state], state === '.' ? '' : element('span', { class: 'unseen' }, t(`state.${STATES[state]}`))); },
      })),
    ],
  });
  const key = element('p', { class: 'marks' }, Object.entries(STATES).map(([letter, name]) => [element('span', { class: `state s-${letter}` }, MARKS[letter]), ` ${t(`state.${name}`)}　`]));
  const csv = button(t('list.csv'), () => download(`${t('gaps.file')}_${core.asOf}.csv`, [
    [t('word.rank'), t('word.code'), t('word.customer'), t('word.quadrant'), t('word.family'), t('word.expected'), t('word.low'), t('word.high'), t('karte.buyersOf'), t('gaps.comparable'), t('word.rep')],
    ...list.rows().map((row) => [g.rank[row], customers.id[g.customer[row]], customers.name[g.customer[row]], QUADRANTS[quadrantNow[g.customer[row]]], core.families.name[g.family[row]], g.expected[row], g.low[row], g.high[row], g.buyers[row], g.comparable[row], coded(customers.rep, g.customer[row])]),
  ]), { class: 'plain' });

  function show() {
    tabs.replaceChildren(...['list', 'matrix'].map((tab) => button(t(`gaps.${tab}`), () => { gapState.tab = tab; show(); }, { 'aria-pressed': tab === gapState.tab ? 'true' : 'false' })));
    if (gapState.tab === 'list') {
      const rows = missed.filter((row) => matches(g.customer[row]));
      place.replaceChildren(element('div', { class: 'listhead' }, element('strong', null, t('gaps.count', { n: integer(rows.length) })), ' ', csv), list.node);
      list.show(rows);
      listInUse = list;
    } else {
      place.replaceChildren(key, matrix.node);
      matrix.show(everyone.filter(matches));
      listInUse = matrix;
    }
  }
  host.replaceChildren(
    element('section', { class: 'head' }, element('h1', { class: 'sentence' }, sentence)),
    element('div', { class: 'filters' }, tabs, search, filter),
    place,
    g.shown < g.total ? element('p', { class: 'note' }, t('gaps.trimmed', { shown: integer(g.shown), total: integer(g.total) })) : '',
  );
  show();
}
