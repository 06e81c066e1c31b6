// One customer on one sheet: where they stand, the next step with why, families, the months, the rows behind it all.
const STATES = { b: 'buying', p: 'proposed', n: 'notProposed', c: 'competitor', x: 'notApplicable' };
const MARKS = { b: '●', p: '◐', n: '○', c: '✕', x: '–', '.': '' };
const ROWS_AT_FIRST = 12;

function karte(i, { close } = {}) {
  const sheet = element('article', { class: 'karte', 'aria-label': customers.name[i] });
  const rows = element('section', { class: 'rows' });
  const rowState = { product: -1, order: -1, all: false };
  const showRows = (filter) => { Object.assign(rowState, { product: -1, order: -1, all: false }, filter); drawRows(rows, i, rowState); rows.scrollIntoView({ block: 'nearest' }); };
  sheet.append(
    karteHead(i, close),
    karteShare(i),
    element('section', { class: 'next' }, offersOf(i, 'n', t('karte.new'), showRows), offersOf(i, 'r', t('karte.replenishment'), showRows)),
    familiesOf(i),
    monthsOf(i),
    rows,
  );
  drawRows(rows, i, rowState);
  return sheet;
}

function karteHead(i, close) {
  const decided = coded(customers.decidedBy, i);
  const reason = detail.why.reason[i];
  return element('header', null,
    element('h2', null, chip(quadrantNow[i]), ' ', customers.name[i], close ? button(t('karte.close'), close, { class: 'plain close' }) : null),
    element('p', { class: 'facts' },
      `${quadrantName(quadrantNow[i])} · ${t('word.code')} ${customers.id[i]}`,
      decided && decided !== 'computed' ? ` · ${t(`decided.${['tags', 'override', 'unknown'].includes(decided) ? decided : 'unknown'}`)}${reason ? `: ${reason}` : ''}` : ''),
  );
}

function karteShare(i) {
  const { track, potential, low, high } = customers;
  const f = detail.features;
  const section = element('section', { class: 'share' });
  const known = potential[i] !== null;
  section.append(element('div', { class: 'pairing' },
    figure(t('word.track'), money(track[i]), f.amountPrevious[i] > 0 ? t('karte.change', { p: signed(f.amount12[i] / f.amountPrevious[i] - 1) }) : ''),
    figure(t('word.potential'), known ? about(potential[i]) : t('word.unknown'), known ? `${range(low[i], high[i])} · ${t(`basis.${customers.basis[i]}`)}` : t('karte.unknownHow'))));
  section.append(shareBar(i));
  // An estimate covers families not bought yet only: a share of all they spend can be said where they told us, not before.
  if (known && customers.basis[i] === 't' && track[i] + potential[i] > 0) {
    section.append(element('p', { class: 'note' }, t('karte.share', { total: about(track[i] + potential[i]), p: percent(track[i] / (track[i] + potential[i])) })));
  }
  const why = pick(detail.why.ja[i], detail.why.en[i]);
  if (why) section.append(element('p', { class: 'why' }, why));
  const facts = [
    [t('karte.orders'), f.orders[i] === null ? '–' : integer(f.orders[i])],
    [t('karte.lastOrder'), day(f.lastDay[i])],
    [t('karte.cycle'), f.cycle[i] === null ? t('word.unknown') : t('karte.days', { n: integer(f.cycle[i]) })],
    [t('karte.due'), day(f.dueDay[i])],
    [t('karte.visits'), core.hasTouch ? t('karte.hoursSpent', { n: hours(customers.hours[i]) }) : t('word.noTouch')],
    [t('word.rep'), coded(customers.rep, i) || '–'],
  ];
  section.append(element('dl', { class: 'small' }, facts.map(([name, value]) => element('div', null, element('dt', null, name), element('dd', null, value)))));
  return section;
}

const signed = (value) => (value < 0 ? `▲${percent(-value)}` : `+${percent(value)}`);

function figure(name, value, below) {
  return element('div', { class: 'figure' }, element('span', { class: 'name' }, name), element('strong', null, value), element('span', { class: 'below' }, below));
}

// What they buy from us, and beside it what is still open, with its interval.
function shareBar(i) {
  const { track, potential, low, high } = customers;
  const now = Math.max(track[i], 0);
  const known = potential[i] !== null && low[i] !== null;
  const end = known ? Math.max(now + high[i], 1) : Math.max(now * 2, 1);
  const x = (value) => (value / end) * 396 + 2;
  const svg = drawing('svg', { class: 'sharebar', viewBox: '0 0 400 26', preserveAspectRatio: 'none', role: 'img', 'aria-label': known ? `${t('word.potential')} ${range(low[i], high[i])}` : `${t('word.potential')} ${t('word.unknown')}` });
  svg.append(drawing('rect', { x: 2, y: 5, width: Math.max(x(now) - 2, 1), height: 16, class: `fill q${QUADRANTS[quadrantNow[i]] === '?' ? 'U' : QUADRANTS[quadrantNow[i]]}` }));
  if (known) {
    svg.append(
      drawing('rect', { x: x(now), y: 5, width: Math.max(x(now + potential[i]) - x(now), 1), height: 16, class: 'open' }),
      drawing('line', { x1: x(now + low[i]), x2: x(now + high[i]), y1: 13, y2: 13, class: 'span' }),
      drawing('line', { x1: x(now + low[i]), x2: x(now + low[i]), y1: 8, y2: 18, class: 'span' }),
      drawing('line', { x1: x(now + high[i]), x2: x(now + high[i]), y1: 8, y2: 18, class: 'span' }),
    );
  } else svg.append(drawing('rect', { x: x(now) + 3, y: 5, width: 398 - x(now) - 4, height: 16, class: 'empty' }));
  return svg;
}

function offersOf(i, kind, title, showRows) {
  const found = rowsOf(detail.offers, i).filter((row) => detail.offers.kind[row] === kind);
  const box = element('div', { class: 'offers' }, element('h3', null, title));
  if (!found.length) { box.append(element('p', { class: 'note' }, t(kind === 'n' ? 'karte.noNew' : 'karte.noReplenishment'))); return box; }
  box.append(offerCard(found[0], showRows));
  if (found.length > 1) box.append(element('details', null, element('summary', null, t('karte.folded', { n: found.length - 1 })), found.slice(1).map((row) => offerCard(row, showRows))));
  return box;
}

function offerCard(row, showRows) {
  const o = detail.offers;
  const product = o.product[row];
  const listed = detail.products.price[product];
  const said = pick(o.sayJa[row], o.sayEn[row]);
  return element('div', { class: 'offer' },
    element('p', { class: 'what' }, element('strong', null, detail.products.name[product]), listed === null ? '' : ` ${price(listed)}`, o.due[row] === null ? '' : ` · ${t('karte.dueBy', { day: day(o.due[row]) })}`),
    element('p', null, element('span', { class: 'tag' }, t('karte.why')), ' ', pick(o.whyJa[row], o.whyEn[row]) || '–'),
    element('p', null, element('span', { class: 'tag' }, t('karte.say')), ' ', said ? t('karte.quote', { text: said }) : t('karte.saidNothing')),
    evidenceOf(row, showRows));
}

// The counts behind the reason; products and orders among them lead to their rows.
function evidenceOf(row, showRows) {
  const text = detail.offers.evidence[row];
  const line = element('p', { class: 'evidence' }, element('span', { class: 'tag' }, t('karte.evidence')), ' ');
  let facts;
  try { facts = JSON.parse(text || '{}'); } catch { facts = { note: text }; }
  const known = productNumbers();
  const orders = orderNumbers();
  const seen = new Set();
  const visit = (name, value) => {
    if (value === null || value === undefined || value === '') return;
    if (Array.isArray(value)) { value.slice(0, 6).forEach((one) => visit(name, one)); return; }
    if (typeof value === 'object') { Object.entries(value).forEach(([inner, one]) => visit(inner, one)); return; }
    const label = core.texts[view.language][`evidence.${name}`] || name;
    if (typeof value === 'string' && known.has(value)) {
      const product = known.get(value);
      if (seen.has(product)) return;
      seen.add(product);
      line.append(button(t('karte.rowsOf', { name: shortName(detail.products.name[product]) }), () => showRows({ product }), { class: 'link' }), ' ');
    } else if (typeof value === 'string' && orders.has(value)) {
      line.append(button(t('karte.rowsOf', { name: value }), () => showRows({ order: orders.get(value) }), { class: 'link' }), ' ');
    } else line.append(element('span', { class: 'count' }, `${label} ${typeof value === 'number' ? upTo2.format(value) : value}`), ' ');
  };
  visit('evidence', facts);
  line.append(button(t('karte.sameProduct'), () => showRows({ product: detail.offers.product[row] }), { class: 'link' }));
  return line;
}

let productNumberMap = null;
let orderNumberMap = null;
function productNumbers() {
  if (!productNumberMap) productNumberMap = new Map(detail.products.id.map((id, n) => [id, n]));
  return productNumberMap;
}
function orderNumbers() {
  if (!orderNumberMap) orderNumberMap = new Map(detail.history.orders.map((id, n) => [id, n]));
  return orderNumberMap;
}

function stateOf(i, family) {
  return detail.gaps.states[i * core.families.id.length + family];
}

function familiesOf(i) {
  const g = detail.gaps;
  const cells = new Map(rowsOf(g, i).map((row) => [g.family[row], row]));
  const present = [...core.families.id.keys()].filter((family) => stateOf(i, family) !== '.');
  const value = (family, column) => (cells.has(family) ? g[column][cells.get(family)] : null);
  const order = { b: 0, p: 2, n: 1, c: 3, x: 4 };
  present.sort((a, b) => (g.missed[cells.get(b)] === '1') - (g.missed[cells.get(a)] === '1') || (value(b, 'expected') || 0) - (value(a, 'expected') || 0) || order[stateOf(i, a)] - order[stateOf(i, b)]);
  const place = barScale(present.map((family) => value(family, 'low')), present.map((family) => value(family, 'high')));
  const body = present.map((family, n) => {
    const state = stateOf(i, family);
    const row = cells.get(family);
    const missed = row !== undefined && g.missed[row] === '1';
    return element('tr', { class: n >= 10 ? 'later' : '' },
      element('th', { scope: 'row' }, familyName(family)),
      element('td', { class: missed ? 'missed' : '' }, `${MARKS[state]} ${t(`state.${STATES[state]}`)}`, missed ? element('span', { class: 'optional' }, ` · ${t('word.missed')}`) : ''),
      element('td', { class: 'number optional' }, amount(value(family, 'current'))),
      element('td', { class: 'number' }, state === 'x' ? '–' : value(family, 'expected') === null ? t('word.unknown') : aboutAmount(value(family, 'expected'))),
      element('td', { class: 'barcell' }, state === 'x' ? '' : intervalBar(value(family, 'low'), value(family, 'expected'), value(family, 'high'), place, range(value(family, 'low'), value(family, 'high')))),
      element('td', { class: 'number' }, row === undefined || g.comparable[row] === null ? '–' : `${g.buyers[row]}/${g.comparable[row]}`));
  });
  const table = element('table', { class: 'families' },
    element('thead', null, element('tr', null, ['word.family', 'karte.state', 'karte.current', 'word.expected', 'word.interval', 'karte.buyersOf'].map((key, n) => element('th', { scope: 'col', class: `${n === 2 || n === 3 || n === 5 ? 'number' : ''} ${n === 2 ? 'optional' : ''}` }, t(key), n === 2 || n === 3 ? ` ${unitWord()}` : '')))),
    element('tbody', null, body));
  const section = element('section', null, element('h3', null, t('karte.families')), table);
  if (present.length > 10) {
    table.classList.add('short');
    section.append(button(t('list.all', { n: present.length }), (event) => { table.classList.remove('short'); event.target.remove(); }, { class: 'plain' }));
  }
  return section;
}

function monthsOf(i) {
  const h = detail.history;
  if (!h.monthStarts) h.monthStarts = startsOf(h.monthCustomer);
  const sums = new Array(24).fill(0);
  for (let row = h.monthStarts[i]; row < h.monthStarts[i + 1]; row += 1) sums[h.month[row]] = h.monthAmount[row];
  const most = Math.max(...sums, 1);
  const least = Math.min(...sums, 0);
  const span = most - least;
  const svg = drawing('svg', { class: 'months', viewBox: '0 0 480 86', role: 'img', 'aria-label': t('karte.monthsLabel', { n: money(sums.reduce((a, b) => a + b, 0)) }) });
  const zero = 6 + (most / span) * 58;
  svg.append(drawing('line', { x1: 0, x2: 480, y1: zero, y2: zero, class: 'rail' }));
  sums.forEach((sum, n) => {
    const month = (h.firstMonth - 1 + n) % 12 + 1;
    const height = (Math.abs(sum) / span) * 58;
    svg.append(drawing('rect', { x: n * 20 + 3, y: sum >= 0 ? zero - height : zero, width: 14, height: Math.max(height, sum ? 1 : 0), class: sum < 0 ? 'back' : 'bar' }, drawing('title', null, `${Math.floor((h.firstMonth - 1 + n) / 12)}/${month} ${money(sum)}`)));
    if (n % 3 === 0) svg.append(drawing('text', { x: n ? n * 20 + 10 : 0, y: 82, 'text-anchor': n ? 'middle' : 'start' }, month === 1 || n === 0 ? `${Math.floor((h.firstMonth - 1 + n) / 12)}/${month}` : String(month)));
  });
  return element('section', null, element('h3', null, t('karte.months'), element('span', { class: 'note' }, t('karte.monthsMost', { n: money(Math.max(...sums)) }))), svg);
}

function drawRows(section, i, state) {
  const h = detail.history;
  const all = rowsOf(h, i);
  const found = all.filter((row) => (state.product < 0 || h.product[row] === state.product) && (state.order < 0 || h.order[row] === state.order));
  const filtered = state.product >= 0 || state.order >= 0;
  const shown = state.all ? found : found.slice(0, ROWS_AT_FIRST);
  section.replaceChildren(
    element('h3', null, t('karte.rows'), element('span', { class: 'note' }, filtered ? t('karte.rowsFiltered', { name: state.product >= 0 ? detail.products.name[state.product] : h.orders[state.order], n: found.length, all: all.length }) : t('karte.rowsCount', { n: all.length })), filtered ? button(t('karte.rowsAll'), () => drawRows(section, i, Object.assign(state, { product: -1, order: -1 })), { class: 'plain' }) : null),
    found.length ? element('table', { class: 'rows' },
      element('thead', null, element('tr', null, [['karte.day', ''], ['karte.order', ''], ['word.product', ''], ['karte.quantity', 'number'], ['karte.amount', 'number']].map(([key, kind]) => element('th', { scope: 'col', class: kind }, t(key), key === 'karte.amount' ? ` ${isYen ? t('money.yen') : core.currency}` : '')))),
      element('tbody', null, shown.map((row) => element('tr', null,
        element('td', null, day(h.day[row])), element('td', null, h.orders[h.order[row]]), element('td', null, detail.products.name[h.product[row]]),
        element('td', { class: 'number' }, h.quantity[row] === null ? '–' : minus(h.quantity[row], upTo2.format(Math.abs(h.quantity[row])))), element('td', { class: 'number' }, h.amount[row] === null ? '–' : minus(h.amount[row], (isYen ? upTo2 : pennies).format(Math.abs(h.amount[row]))))))))
      : element('p', { class: 'note' }, t(filtered ? 'karte.noRowsOf' : 'karte.noRows')),
    shown.length < found.length ? button(t('list.all', { n: found.length }), () => drawRows(section, i, Object.assign(state, { all: true })), { class: 'plain' }) : '',
  );
}
