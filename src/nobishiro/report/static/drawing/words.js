// Language, yen, days: everything that turns a value into what people read.
const view = { language: core.language, unit: core.unit || 0 };
const UNITS = [1, 1000, 1000000];

function t(key, values) {
  let text = core.texts[view.language][key];
  if (text === undefined) throw new Error(`no text ${key}`);
  if (values) text = text.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
  return text;
}

const pick = (ja, en) => (view.language === 'ja' ? ja : en);
const SYMBOLS = { JPY: '¥', GBP: '£', USD: '$', EUR: '€', CNY: 'CN¥', KRW: '₩' };
const symbol = SYMBOLS[core.currency] || `${core.currency} `;
const isYen = core.currency === 'JPY';
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const pennies = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const upTo2 = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

const minus = (value, text) => (value < 0 ? `▲${text}` : text);
const integer = (value) => (value === null || value === undefined ? '–' : minus(value, whole.format(Math.abs(value))));

function unitWord() {
  if (view.unit === 0) return isYen ? t('money.yen') : core.currency;
  return isYen ? t(view.unit === 1 ? 'money.thousand' : 'money.million') : `${symbol.trim()}${view.unit === 1 ? 'k' : 'M'}`;
}

// For table cells: the unit stands in the head.
function amount(value) {
  if (value === null || value === undefined) return '–';
  const scaled = Math.abs(value) / UNITS[view.unit];
  return minus(value, view.unit === 2 ? tenth.format(scaled) : whole.format(scaled));
}

// Estimates are not known to the yen: three figures, in cells and in sentences.
function threeFigures(value) {
  if (value === null || value === undefined || value === 0) return value;
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.abs(value))) - 2);
  return Math.round(value / step) * step;
}
const aboutAmount = (value) => amount(threeFigures(value));
const about = (value) => money(threeFigures(value));

// One piece's price, to the penny where the currency has pennies.
const price = (value) => minus(value, symbol + (isYen || Number.isInteger(value) ? whole : pennies).format(Math.abs(value)));

// For sentences: with its unit.
function money(value) {
  if (value === null || value === undefined) return t('word.unknown');
  if (view.unit === 0) return minus(value, symbol + whole.format(Math.abs(value)));
  if (!isYen) return minus(value, symbol + amount(Math.abs(value)) + (view.unit === 1 ? 'k' : 'M'));
  return minus(value, symbol + amount(Math.abs(value)) + t(view.unit === 1 ? 'money.thousandShort' : 'money.millionShort'));
}

// Axis ticks, always short: ¥10万, £1k.
function tick(value) {
  if (isYen && view.language === 'ja') {
    if (value >= 1e8) return `¥${upTo2.format(value / 1e8)}億`;
    if (value >= 1e4) return `¥${whole.format(value / 1e4)}万`;
    return `¥${upTo2.format(value)}`;
  }
  if (value >= 1e9) return `${symbol}${upTo2.format(value / 1e9)}bn`;
  if (value >= 1e6) return `${symbol}${upTo2.format(value / 1e6)}M`;
  if (value >= 1e3) return `${symbol}${upTo2.format(value / 1e3)}k`;
  return symbol + upTo2.format(value);
}

const short = (value) => (value === null || value === undefined ? t('word.unknown') : value < 0 ? `▲${tick(threeFigures(-value))}` : tick(threeFigures(value)));

// Two figures that matter, for lines people drag: 1,234,567 → 1,200,000.
function rounded(value) {
  if (!(value > 0)) return 0;
  const step = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.round(value / step) * step;
}

function range(low, high) {
  if (low === null || low === undefined || high === null || high === undefined) return t('word.unknown');
  return `${about(low)}${t('word.to')}${about(high)}`;
}

const percent = (value, digits = 0) => (value === null || value === undefined ? '–' : `${(value * 100).toFixed(digits)}%`);
const hours = (value) => (value === null || value === undefined ? '–' : tenth.format(value));

function day(number) {
  if (number === null || number === undefined) return '–';
  const date = new Date(number * 86400000);
  const two = (n) => String(n).padStart(2, '0');
  const plain = `${date.getUTCFullYear()}/${two(date.getUTCMonth() + 1)}/${two(date.getUTCDate())}`;
  if (view.language === 'ja') return `${plain}(${'日月火水木金土'[date.getUTCDay()]})`;
  return plain.replaceAll('/', '-');
}

const dayOfIso = (iso) => Math.round(Date.parse(`${iso}T00:00:00Z`) / 86400000);
const quadrantName = (quadrant) => t(`quadrant.${quadrant === UNKNOWN ? 'unknown' : QUADRANTS[quadrant]}`);
const customerCountWords = (n) => t('word.customers', { n: whole.format(n) });
const familyName = (family) => core.families.name[family] + (core.families.learned[family] ? t('word.learnedMark') : '');
