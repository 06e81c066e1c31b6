// 根拠・データ: what was read, what was learned, where the lines come from, how good the figures are.
function evidencePage(host) {
  const { intake, families, measures } = core;
  const rows = intake.ja.map((_, n) => element('tr', null, element('th', { scope: 'row' }, pick(intake.ja[n], intake.en[n])), element('td', { class: 'number' }, integer(intake.count[n])), element('td', { class: 'number' }, amount(intake.amount[n])), element('td', null, pick(intake.explanationJa[n], intake.explanationEn[n]))));
  const order = [...families.id.keys()].sort((a, b) => (families.amount[b] || 0) - (families.amount[a] || 0));
  host.replaceChildren(
    element('section', { class: 'head' }, element('h1', { class: 'sentence' }, t('evidence.sentence', { n: customerCountWords(customerCount), what: intake.ja.length ? `${pick(intake.ja[0], intake.en[0])} ${integer(intake.count[0])}` : '', f: integer(families.id.length) }))),
    block('evidence.intake', rows.length ? simpleTable([['evidence.what'], ['evidence.count', 'number'], ['karte.amount', 'number', unitWord()], ['evidence.explanation']], rows) : element('p', { class: 'note' }, t('evidence.noIntake'))),
    block('evidence.thresholds', element('p', null, `${t('map.lines', { potential: money(Math.round(core.thresholds.potential)), track: money(Math.round(core.thresholds.track)) })} ${pick(core.thresholds.ja, core.thresholds.en)}`)),
    block('evidence.measures', measures.length ? simpleTable([['evidence.measure'], ['evidence.value', 'number'], ['evidence.n', 'number'], ['evidence.how']],
      measures.map((m) => element('tr', null, element('th', { scope: 'row' }, pick(m.ja, m.en)), element('td', { class: 'number' }, m.value), element('td', { class: 'number' }, integer(m.n)), element('td', null, pick(m.howJa, m.howEn))))) : element('p', { class: 'note' }, t('evidence.noMeasures'))),
    block('evidence.families', element('p', { class: 'note' }, t('evidence.familiesHow')), simpleTable([['word.family'], ['evidence.origin'], ['evidence.products', 'number'], ['evidence.customers', 'number'], ['karte.current', 'number', unitWord()], ['evidence.words']],
      order.map((f) => element('tr', null, element('th', { scope: 'row' }, families.name[f]), element('td', null, t(families.learned[f] ? 'evidence.learned' : 'evidence.given')), element('td', { class: 'number' }, integer(families.products[f])), element('td', { class: 'number' }, integer(families.customers[f])), element('td', { class: 'number' }, amount(families.amount[f])), element('td', null, families.words[f]))))),
    block('evidence.about', element('p', null, core.source), element('p', null, t('evidence.made', { version: core.version, at: core.generatedAt, asOf: core.asOf })), element('p', null, t('evidence.interval'))),
  );
}

function block(key, ...children) {
  return element('section', { class: 'block' }, element('h2', null, t(key)), children);
}

function simpleTable(heads, rows) {
  return element('div', { class: 'sideways', tabindex: 0, role: 'region', 'aria-label': t(heads[0][0]) }, element('table', { class: 'families' },
    element('thead', null, element('tr', null, heads.map(([key, kind, unit]) => element('th', { scope: 'col', class: kind }, t(key), unit ? ` ${unit}` : '')))),
    element('tbody', null, rows)));
}
