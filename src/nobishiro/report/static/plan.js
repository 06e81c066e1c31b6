// 計画: whose hours go where this month, in which order, and what is missing to the target.
const planState = { rep: '' };

function planPage(host) {
  const p = detail.plan;
  const summary = core.planSummary;
  if (!p.customer.length && !summary) {
    host.replaceChildren(element('section', { class: 'head' }, element('h1', { class: 'sentence' }, t('plan.none'))));
    return;
  }
  const reps = [...new Set(p.rep)];
  const rows = [...p.rep.keys()];
  const place = element('div');
  const pickRep = element('select', { 'aria-label': t('word.rep') }, element('option', { value: '' }, t('map.allReps')), reps.map((rep) => element('option', { value: rep, selected: rep === planState.rep }, rep || '–')));
  pickRep.addEventListener('change', () => { planState.rep = pickRep.value; show(); });
  const scale = barScale(p.low, p.high);
  const list = createTable({
    label: t('plan.list'), rows: [], tall: 'page', open: (row) => { if (p.customer[row] !== null) openCustomer(p.customer[row]); },
    columns: [
      { label: t('word.rep'), cell: (row) => p.rep[row] || '–', key: (row) => `${p.rep[row]} ${String(p.order[row]).padStart(5, '0')}`, width: 'w6' },
      { label: t('plan.order'), cell: (row) => integer(p.order[row]), key: (row) => p.order[row], kind: 'number', width: 'w3' },
      { label: t('word.quadrantShort'), cell: (row) => chip(Math.max(0, QUADRANTS.indexOf(p.quadrant[row]))), key: (row) => p.quadrant[row], width: 'w3' },
      { label: t('word.customer'), cell: (row) => (p.customer[row] === null ? p.name[row] : customerLink(p.customer[row])), key: (row) => p.name[row], width: 'grow' },
      { label: t('plan.how'), cell: (row) => channelWord(coded(p.channel, row)), key: (row) => coded(p.channel, row), width: 'w4' },
      { label: t('plan.hours'), cell: (row) => hours(p.hours[row]), key: (row) => p.hours[row], kind: 'number', width: 'w4' },
      { label: t('plan.what'), cell: (row) => (p.product[row] === null ? (p.family[row] === null ? '–' : familyName(p.family[row])) : detail.products.name[p.product[row]]), key: (row) => p.family[row], width: 'w12 optional' },
      { label: `${t('plan.expected')} ${unitWord()}`, cell: (row) => (p.expected[row] === null ? t('word.unknown') : aboutAmount(p.expected[row])), key: (row) => p.expected[row], kind: 'number', width: 'w8' },
      { label: t('word.interval'), cell: (row) => intervalBar(p.low[row], p.expected[row], p.high[row], scale, range(p.low[row], p.high[row])), width: 'w6 barcell optional' },
      { label: t('karte.why'), cell: (row) => element('span', { title: pick(p.whyJa[row], p.whyEn[row]) }, pick(p.whyJa[row], p.whyEn[row])), width: 'w16 optional' },
    ],
  });
  const csv = button(t('list.csv'), () => download(`${t('plan.file')}_${core.asOf}.csv`, [
    [t('word.rep'), t('plan.order'), t('word.quadrant'), t('word.customer'), t('plan.how'), t('plan.hours'), t('word.family'), t('word.product'), t('plan.expected'), t('word.low'), t('word.high'), t('karte.why')],
    ...list.rows().map((row) => [p.rep[row], p.order[row], p.quadrant[row], p.name[row], channelWord(coded(p.channel, row)), p.hours[row], p.family[row] === null ? '' : core.families.name[p.family[row]], p.product[row] === null ? '' : detail.products.name[p.product[row]], p.expected[row], p.low[row], p.high[row], pick(p.whyJa[row], p.whyEn[row])]),
  ]), { class: 'plain' });

  function show() {
    const shown = rows.filter((row) => !planState.rep || p.rep[row] === planState.rep);
    const total = shown.reduce((sum, row) => sum + (p.hours[row] || 0), 0);
    place.replaceChildren(element('div', { class: 'listhead' }, element('strong', null, t('plan.count', { n: integer(shown.length), h: hours(total) })), ' ', csv), list.node);
    list.show(shown);
  }
  host.replaceChildren(
    element('section', { class: 'head' }, element('h1', { class: 'sentence' }, planSentence(p, summary, reps))),
    summary ? planFigures(summary) : '',
    element('div', { class: 'filters' }, pickRep),
    place,
  );
  show();
}

function channelWord(channel) {
  return ['visit', 'call', 'mail'].includes(channel) ? t(`channel.${channel}`) : channel || '–';
}

function planSentence(p, summary, reps) {
  const firms = new Set(p.customer).size;
  if (!summary) return t('plan.sentenceBare', { reps: integer(reps.length), firms: customerCountWords(firms) });
  return t('plan.sentence', { reps: integer(reps.length), firms: customerCountWords(firms), h: hours(summary.hoursPlanned), expected: about(Math.round(summary.expected)), range: range(Math.round(summary.low), Math.round(summary.high)) });
}

function planFigures(summary) {
  const most = Math.max(...summary.byQuadrant.flatMap(([, wished, planned]) => [wished, planned]), 1);
  const bars = summary.byQuadrant.map(([quadrant, wished, planned]) => {
    const number = Math.max(0, QUADRANTS.indexOf(quadrant));
    const svg = drawing('svg', { class: 'hoursbar', viewBox: '0 0 300 30', preserveAspectRatio: 'none', role: 'img', 'aria-label': t('plan.barLabel', { q: quadrant, wished: hours(wished), planned: hours(planned) }) },
      drawing('rect', { x: 0, y: 3, width: Math.max((wished / most) * 300, 0.5), height: 7, class: 'wish' }),
      drawing('rect', { x: 0, y: 14, width: Math.max((planned / most) * 300, 0.5), height: 12, class: `fill q${quadrant}` }));
    return element('tr', null, element('th', { scope: 'row' }, chip(number), ` ${quadrantName(number)}`), element('td', { class: 'wide' }, svg), element('td', { class: 'number' }, hours(wished)), element('td', { class: 'number' }, hours(planned)));
  });
  return element('div', { class: 'planfigures' },
    element('table', { class: 'families bars' },
      element('caption', null, t('plan.byQuadrant')),
      element('thead', null, element('tr', null, element('th', { scope: 'col' }, t('word.quadrant')), element('th', { scope: 'col' }, t('plan.bars')), element('th', { scope: 'col', class: 'number' }, t('plan.wished')), element('th', { scope: 'col', class: 'number' }, t('plan.planned')))),
      element('tbody', null, bars)),
    element('div', null,
      element('p', null, pick(summary.ja, summary.en)),
      element('dl', { class: 'small' },
        [[t('plan.bound'), about(Math.round(summary.bound))], [t('plan.gap'), percent(summary.gap, 1)], [t('plan.hoursAvailable'), hours(summary.hoursAvailable)],
          [t('plan.target'), summary.target === null ? t('plan.noTarget') : money(Math.round(summary.target))],
          [t('plan.targetGap'), summary.targetGap === null ? '–' : about(Math.round(summary.targetGap))]].map(([name, value]) => element('div', null, element('dt', null, name), element('dd', null, value))))));
}
