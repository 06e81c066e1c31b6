// The lines that cut the map, and the quadrant of every customer under them. First of the scripts that the report and the
// web application draw with; what they say comes from `core`, which the page declares: language, currency and texts.
const QUADRANTS = ['A', 'B', 'C', 'D', '?'];
const UNKNOWN = 4;

function coded(column, i) {
  const at = column.at[i];
  return at < 0 ? '' : column.of[at];
}

// Under the run's own lines everyone stands where the run put them. Under moved lines only those the run computed move;
// people's overrides and tags stay, and who has no known potential keeps that side and moves along the other axis only.
function createLines(customers, thresholds) {
  const count = customers.id.length;
  const cuts = { potential: thresholds.potential, track: thresholds.track, moved: false };
  const given = Uint8Array.from(customers.quadrant, (letter) => QUADRANTS.indexOf(letter));
  const now = new Uint8Array(count);

  function recount() {
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < count; i += 1) {
      let quadrant = given[i];
      if (cuts.moved && quadrant !== UNKNOWN && coded(customers.decidedBy, i) === 'computed') {
        const potential = customers.potential[i];
        const large = potential === null ? quadrant < 2 : potential >= cuts.potential;
        const strong = customers.track[i] >= cuts.track;
        quadrant = large ? (strong ? 0 : 1) : (strong ? 2 : 3);
      }
      now[i] = quadrant;
      counts[quadrant] += 1;
    }
    return counts;
  }

  function reset() {
    cuts.potential = thresholds.potential;
    cuts.track = thresholds.track;
    cuts.moved = false;
  }

  recount();
  return { cuts, now, recount, reset };
}
