// The run's data. `core` is there at once; `detail` is unpacked after the first paint.
const core = JSON.parse(document.getElementById('core').textContent);
const customers = core.customers;
const customerCount = customers.id.length;
const QUADRANTS = ['A', 'B', 'C', 'D', '?'];
const UNKNOWN = 4;
let detail = null;

const numberOfId = new Map(customers.id.map((id, i) => [id, i]));

function coded(column, i) {
  const at = column.at[i];
  return at < 0 ? '' : column.of[at];
}

// Rows are sorted by customer: [starts[i], starts[i + 1]) are customer i's.
function startsOf(column) {
  const starts = new Int32Array(customerCount + 1);
  for (const customer of column) starts[customer + 1] += 1;
  for (let i = 0; i < customerCount; i += 1) starts[i + 1] += starts[i];
  return starts;
}

function rowsOf(part, i) {
  const rows = [];
  for (let row = part.starts[i]; row < part.starts[i + 1]; row += 1) rows.push(row);
  return rows;
}

async function unpackDetail() {
  const holder = document.getElementById('detail');
  const bytes = Uint8Array.from(atob(holder.textContent), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const unpacked = JSON.parse(await new Response(stream).text());
  for (const part of [unpacked.gaps, unpacked.offers, unpacked.history]) part.starts = startsOf(part.customer);
  holder.remove();
  detail = unpacked;
}

// The lines on the map and the quadrant of every customer under them.
const cuts = { potential: core.thresholds.potential, track: core.thresholds.track, moved: false };
const quadrantNow = new Uint8Array(customerCount);
const quadrantGiven = Uint8Array.from(customers.quadrant, (letter) => QUADRANTS.indexOf(letter));

// Under the run's own lines everyone stands where the run put them. Under moved lines only those the run computed move;
// people's overrides and tags stay, and who has no known potential keeps that side and moves along the other axis only.
function recount() {
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < customerCount; i += 1) {
    let quadrant = quadrantGiven[i];
    if (cuts.moved && quadrant !== UNKNOWN && coded(customers.decidedBy, i) === 'computed') {
      const potential = customers.potential[i];
      const large = potential === null ? quadrant < 2 : potential >= cuts.potential;
      const strong = customers.track[i] >= cuts.track;
      quadrant = large ? (strong ? 0 : 1) : (strong ? 2 : 3);
    }
    quadrantNow[i] = quadrant;
    counts[quadrant] += 1;
  }
  return counts;
}

function resetCuts() {
  cuts.potential = core.thresholds.potential;
  cuts.track = core.thresholds.track;
  cuts.moved = false;
}
recount();
