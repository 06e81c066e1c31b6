// Building the page: text always goes in as text, so that no name in the data can become markup.
function element(tag, properties, ...children) {
  const node = document.createElement(tag);
  fill(node, properties, children);
  return node;
}

function drawing(tag, properties, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  fill(node, properties, children);
  return node;
}

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
}

function button(label, press, properties) {
  return element('button', { type: 'button', onclick: press, ...properties }, label);
}

function chip(quadrant) {
  return element('span', { class: `chip q${QUADRANTS[quadrant] === '?' ? 'U' : QUADRANTS[quadrant]}` }, QUADRANTS[quadrant]);
}

function customerLink(i) {
  return element('a', { href: `#/customer/${encodeURIComponent(customers.id[i])}` }, customers.name[i]);
}

function announce(text) {
  document.getElementById('live').textContent = text;
}

// A low–high bar on a scale shared by the column, the estimate as a tick; an empty dashed box when we do not know.
function intervalBar(low, middle, high, place, label) {
  const svg = drawing('svg', { class: 'interval', viewBox: '0 0 100 12', preserveAspectRatio: 'none', role: 'img', 'aria-label': label });
  if (middle === null || middle === undefined || low === null || high === null) {
    svg.append(drawing('rect', { x: 1, y: 2, width: 98, height: 8, class: 'empty' }));
    return svg;
  }
  const from = place(low);
  const to = Math.max(place(high), from + 1);
  svg.append(
    drawing('line', { x1: 0, x2: 100, y1: 6, y2: 6, class: 'rail' }),
    drawing('line', { x1: from, x2: to, y1: 6, y2: 6, class: 'span' }),
    drawing('line', { x1: place(middle), x2: place(middle), y1: 1, y2: 11, class: 'middle' }),
  );
  return svg;
}

// The scale a column of bars shares: from nearly the smallest lower end to the largest upper end.
function barScale(lows, highs) {
  const known = highs.filter((value) => value > 0);
  const most = known.reduce((a, b) => Math.max(a, b), 1);
  const sorted = lows.filter((value) => value > 0).sort((a, b) => a - b);
  const least = sorted.length ? sorted[Math.floor(sorted.length * 0.05)] : known.reduce((a, b) => Math.min(a, b), most) / 10;
  return logPlace(least, most);
}

function logPlace(least, most) {
  const low = Math.log10(Math.max(least, 1));
  const width = Math.max(Math.log10(Math.max(most, 1)) - low, 0.1);
  // A tick at the very end would be cut off by the edge.
  return (value) => 1 + 98 * Math.min(1, Math.max(0, (Math.log10(Math.max(value, 1)) - low) / width));
}

// A cell that begins like a formula is a formula to Excel even in a CSV file: put an apostrophe before it.
function csvCell(value) {
  let text = value === null || value === undefined ? '' : String(value);
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csvText = (rows) => rows.map((row) => row.map(csvCell).join(',')).join('\r\n') + '\r\n';

// UTF-8 with BOM: Excel opens it as Japanese.
function download(name, rows) {
  const url = URL.createObjectURL(new Blob(['\ufeff', csvText(rows)], { type: 'text/csv;charset=utf-8' }));
  const link = element('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page opened from disk may have no clipboard: the older way asks for no permission.
    const area = element('textarea', { class: 'unseen' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  announce(t('list.copied'));
}
