// The run's data. `core` is there at once; `detail` is unpacked after the first paint.
const core = JSON.parse(document.getElementById('core').textContent);
const customers = core.customers;
const customerCount = customers.id.length;
let detail = null;

const numberOfId = new Map(customers.id.map((id, i) => [id, i]));

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

const lines = createLines(customers, core.thresholds);
const { cuts, now: quadrantNow, recount, reset: resetCuts } = lines;
