// 一緒に売れる: products on the same order more often than chance.
const togetherState = { text: '' };

function togetherPage(host) {
  const p = detail.pairs;
  const names = detail.products.name;
  if (!p.product.length) {
    host.replaceChildren(element('section', { class: 'head' }, element('h1', { class: 'sentence' }, t('together.none'))));
    return;
  }
  const words = p.product.map((product, row) => plainText(`${names[product]} ${detail.products.id[product]} ${names[p.other[row]]} ${detail.products.id[p.other[row]]}`));
  const search = element('input', { type: 'search', id: 'search', placeholder: t('together.search'), 'aria-label': t('together.search'), value: togetherState.text });
  search.addEventListener('input', () => { togetherState.text = search.value; show(); });
  const list = createTable({
    label: t('together.list'), rows: [], tall: 'page',
    columns: [
      { label: t('word.product'), cell: (row) => productCell(p.product[row]), key: (row) => names[p.product[row]], width: 'grow' },
      { label: t('together.other'), cell: (row) => productCell(p.other[row]), key: (row) => names[p.other[row]], width: 'grow' },
      { label: t('together.together'), title: t('together.togetherHow'), cell: (row) => integer(p.together[row]), key: (row) => p.together[row], kind: 'number', width: 'w6' },
      { label: t('together.support'), title: t('together.supportHow'), cell: (row) => percent(p.support[row], 2), key: (row) => p.support[row], kind: 'number', width: 'w6 optional' },
      { label: t('together.confidence'), title: t('together.confidenceHow'), cell: (row) => percent(p.confidence[row]), key: (row) => p.confidence[row], kind: 'number', width: 'w6' },
      { label: t('together.lift'), title: t('together.liftHow'), cell: (row) => (p.lift[row] === null ? '–' : tenth.format(p.lift[row])), key: (row) => p.lift[row], kind: 'number', width: 'w4' },
      { label: 'q', title: t('together.qHow'), cell: (row) => qWord(p.q[row]), key: (row) => p.q[row], kind: 'number', width: 'w6 optional' },
      { label: t('together.direction'), cell: (row) => directionWord(p, row), key: (row) => p.direction[row], width: 'w16 optional' },
    ],
  });
  function show() {
    const wanted = plainText(togetherState.text.trim());
    list.show([...p.product.keys()].filter((row) => !wanted || words[row].includes(wanted)));
  }
  host.replaceChildren(
    element('section', { class: 'head' }, element('h1', { class: 'sentence' }, t('together.sentence', { n: integer(p.distinct), a: names[p.product[0]], b: names[p.other[0]], together: integer(p.together[0]), lift: tenth.format(p.lift[0] || 0) }))),
    element('div', { class: 'filters' }, search, p.shown < p.total ? element('span', { class: 'note' }, t('together.trimmed', { shown: integer(p.shown), total: integer(p.total) })) : ''),
    list.node,
    element('p', { class: 'note' }, t('together.how')),
  );
  show();
}

const productCell = (product) => element('span', { title: detail.products.id[product] }, detail.products.name[product]);
const qWord = (q) => (q === null ? '–' : q < 0.001 ? '<0.001' : q.toFixed(3));

function directionWord(p, row) {
  const [share, n] = [p.direction[row], p.directionN[row]];
  if (share === null || !n) return t('together.directionUnknown');
  const values = { p: percent(share > 0.5 ? share : 1 - share), n: integer(n) };
  if (n < 10 || Math.abs(share - 0.5) < 0.1) return t('together.directionEven', { n: integer(n) });
  return t(share > 0.5 ? 'together.directionFirst' : 'together.directionSecond', values);
}
