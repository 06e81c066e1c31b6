// A sortable list that draws only the rows in sight: ten thousand customers scroll like ten.
// columns: {label, cell(row) → node or text, key(row) → sort value, kind: 'number'|'text', width: 'css class'}
const PRINTED_ROWS = 45;
let listInUse = null;

function createTable({ label, columns, rows, open, sort, empty, tall, classOf }) {
  const state = { rows: rows.slice(), by: sort ? sort.by : -1, down: sort ? sort.down : true, current: -1, printing: false };
  const heads = columns.map((column, c) => {
    const head = element('th', { scope: 'col', class: `${column.kind || 'text'} ${column.width || ''}` });
    if (column.key) head.append(button(column.label, () => sortBy(c), { class: 'sort', title: column.title }));
    else head.append(column.label);
    return head;
  });
  const above = element('tr', { class: 'spacer', 'aria-hidden': 'true' }, element('td'));
  const below = element('tr', { class: 'spacer', 'aria-hidden': 'true' }, element('td'));
  const body = element('tbody');
  const table = element('table', { class: 'list', 'aria-label': label }, element('thead', null, element('tr', null, heads)), body);
  const scroller = element('div', { class: `scroller ${tall || ''}`, tabindex: 0, role: 'region', 'aria-label': label }, table);
  const rowHeight = () => (window.innerWidth < 700 ? 44 : 30);

  function sortBy(c) {
    if (state.by === c) state.down = !state.down;
    else { state.by = c; state.down = columns[c].kind === 'number'; }
    arrange();
  }

  function arrange() {
    const column = columns[state.by];
    if (column) {
      const keyed = state.rows.map((row) => [column.key(row), row]);
      const direction = state.down ? -1 : 1;
      // What we do not know stands last either way.
      keyed.sort(([a], [b]) => {
        if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
        if (b === null || b === undefined) return -1;
        return direction * (typeof a === 'number' ? a - b : String(a).localeCompare(String(b), 'ja'));
      });
      state.rows = keyed.map((pair) => pair[1]);
    }
    heads.forEach((head, c) => {
      if (columns[c].key) head.setAttribute('aria-sort', c !== state.by ? 'none' : state.down ? 'descending' : 'ascending');
    });
    state.current = -1;
    scroller.scrollTop = 0;
    draw();
  }

  function draw() {
    const height = rowHeight();
    const first = state.printing ? 0 : Math.max(0, Math.floor(scroller.scrollTop / height) - 6);
    const last = Math.min(state.rows.length, state.printing ? PRINTED_ROWS : first + Math.ceil((scroller.clientHeight || 700) / height) + 12);
    above.firstChild.style.height = `${first * height}px`;
    below.firstChild.style.height = `${state.printing ? 0 : (state.rows.length - last) * height}px`;
    const drawn = [above];
    for (let n = first; n < last; n += 1) drawn.push(drawRow(n));
    if (!state.rows.length) drawn.push(element('tr', null, element('td', { colspan: columns.length, class: 'none' }, empty || t('list.empty'))));
    if (state.printing && state.rows.length > last) {
      drawn.push(element('tr', null, element('td', { colspan: columns.length, class: 'none' }, t('list.more', { n: whole.format(state.rows.length - last) }))));
    }
    const held = heldFocus();
    body.replaceChildren(...drawn, below);
    if (held) held();
    table.setAttribute('aria-rowcount', state.rows.length + 1);
  }

  // Rows are made anew; whoever stands on one by keyboard stays there.
  function heldFocus() {
    const active = document.activeElement;
    if (!active || !body.contains(active)) return null;
    const index = active.closest('tr').getAttribute('aria-rowindex');
    const place = [...active.closest('tr').querySelectorAll('a,button,input')].indexOf(active);
    return () => {
      const row = body.querySelector(`tr[aria-rowindex="${index}"]`);
      const again = row && row.querySelectorAll('a,button,input')[place];
      if (again) again.focus({ preventScroll: true });
    };
  }

  function drawRow(n) {
    const row = state.rows[n];
    const extra = classOf ? classOf(row) : '';
    return element('tr', { 'aria-rowindex': n + 2, class: `${n === state.current ? 'is-current' : ''} ${extra}`, onclick: (event) => { if (open && !event.target.closest('a,button,input')) { state.current = n; open(row); } } },
      columns.map((column) => element('td', { class: `${column.kind || 'text'} ${column.width || ''}` }, column.cell(row))));
  }

  function move(step) {
    if (!state.rows.length) return;
    state.current = Math.min(state.rows.length - 1, Math.max(0, state.current + step));
    const height = rowHeight();
    const top = state.current * height;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + 2 * height > scroller.scrollTop + scroller.clientHeight - height) scroller.scrollTop = top - scroller.clientHeight + 3 * height;
    draw();
    const row = body.querySelector('.is-current');
    if (row) announce(row.textContent);
  }

  let waiting = false;
  scroller.addEventListener('scroll', () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  });
  const list = {
    node: scroller,
    rows: () => state.rows,
    show(next) { state.rows = next.slice(); arrange(); },
    move,
    openCurrent() { if (open && state.current >= 0) open(state.rows[state.current]); },
    draw,
    print(on) { state.printing = on; draw(); },
  };
  arrange();
  requestAnimationFrame(draw);
  listInUse = list;
  return list;
}
