// The map as a drawing: log yen both ways, one canvas for everything that prints, two handles above it for the lines.
const LABELS = 10;
const DECADES = 5;

function createChart({ customers, lines, hasTouch, choose, enclose, moveCuts }) {
  const { cuts, now: quadrantNow } = lines;
  const customerCount = customers.id.length;
  const canvas = element('canvas', { role: 'img' });
  const tip = element('div', { class: 'tip', hidden: true });
  const veil = drawing('svg', { class: 'veil', 'aria-hidden': 'true' });
  const handles = { track: handle('track'), potential: handle('potential') };
  const host = element('div', { class: 'chart' }, canvas, veil, handles.track, handles.potential, tip);
  const visible = new Uint8Array(customerCount).fill(1);
  const inside = new Uint8Array(customerCount).fill(1);
  const enclosed = new Set();
  const at = { x: new Float32Array(customerCount), y: new Float32Array(customerCount), r: new Float32Array(customerCount) };
  let selected = -1;
  let shape = 'lasso';
  let touchEncloses = false;
  let frame = null;
  const axes = { x: axisOf(customers.track, cuts.track), y: axisOf(customers.potential, cuts.potential) };
  const home = { x: { ...axes.x }, y: { ...axes.y } };
  // By potential, the largest first: who is labelled is looked for in this order, however often the map is drawn.
  const byPotential = [...customers.potential.keys()].filter((i) => customers.potential[i] !== null).sort((a, b) => customers.potential[b] - customers.potential[a]);

  // The axis covers what is there, but no more than five decades below the largest; what lies under stands in the strip.
  function axisOf(values, cut) {
    let most = cut > 0 ? cut * 2 : 1;
    let least = cut > 0 ? cut / 2 : 1;
    let rest = false;
    for (const value of values) {
      if (value === null) continue;
      if (value > most) most = value;
      if (value > 0 && value < least) least = value;
    }
    const top = Math.log10(most) + 0.08;
    const bottom = Math.max(Math.log10(least) - 0.05, top - DECADES);
    const floor = 10 ** bottom;
    for (const value of values) if (value !== null && value < floor) { rest = true; break; }
    return { top, bottom, floor, rest };
  }

  function layout(width, height, paper) {
    const narrow = width < 520;
    const text = paper ? 15 : narrow ? 11 : 12;
    const left = (narrow ? 50 : 68) * (paper ? 1.2 : 1);
    const strip = narrow ? 18 : 26;
    const band = customers.basis.includes('u') && customers.potential.some((value) => value === null) ? (narrow ? 34 : 46) : 0;
    const box = { left: left + (axes.x.rest ? strip : 0), right: width - (narrow ? 10 : 18), top: text * 2.4, bottom: height - text * 3.4 - band - (axes.y.rest ? strip : 0) };
    return {
      width, height, text, strip, band, left, box, paper,
      bandTop: height - text * 3.4 - band,
      x: (value) => (value >= axes.x.floor ? box.left + ((Math.log10(value) - axes.x.bottom) / (axes.x.top - axes.x.bottom)) * (box.right - box.left) : left + strip / 2),
      y: (value) => (value >= axes.y.floor ? box.bottom - ((Math.log10(value) - axes.y.bottom) / (axes.y.top - axes.y.bottom)) * (box.bottom - box.top) : box.bottom + strip / 2),
      valueX: (px) => 10 ** (axes.x.bottom + ((px - box.left) / (box.right - box.left)) * (axes.x.top - axes.x.bottom)),
      valueY: (py) => 10 ** (axes.y.bottom + ((box.bottom - py) / (box.bottom - box.top)) * (axes.y.top - axes.y.bottom)),
    };
  }

  // Zoomed in, what lies outside is not drawn, not hit and not enclosed.
  function zoom(factor, px, py) {
    for (const [name, share] of [['x', frame ? (px - frame.box.left) / (frame.box.right - frame.box.left) : 0.5], ['y', frame ? (frame.box.bottom - py) / (frame.box.bottom - frame.box.top) : 0.5]]) {
      const [axis, most] = [axes[name], home[name].top - home[name].bottom];
      const part = Math.min(Math.max(share, 0), 1);
      const span = Math.min(Math.max((axis.top - axis.bottom) * factor, 0.3), most);
      axis.bottom += part * (axis.top - axis.bottom - span);
      axis.top = axis.bottom + span;
    }
    pan(0, 0);
  }

  function pan(dx, dy) {
    if (!frame) return;
    for (const [name, moved, length] of [['x', -dx, frame.box.right - frame.box.left], ['y', dy, frame.box.bottom - frame.box.top]]) {
      const [axis, whole] = [axes[name], home[name]];
      const span = axis.top - axis.bottom;
      axis.bottom = Math.min(Math.max(axis.bottom + (moved / length) * span, whole.bottom), whole.top - span);
      axis.top = axis.bottom + span;
    }
    redraw();
  }

  function ticksOf(axis) {
    const found = [];
    const steps = axis.top - axis.bottom < 1.6 ? [1, 2, 5] : [1];
    for (let decade = Math.floor(axis.bottom); decade <= axis.top; decade += 1) {
      for (const step of steps) {
        const at = decade + Math.log10(step);
        if (at >= axis.bottom && at <= axis.top) found.push(step * 10 ** decade);
      }
    }
    return found;
  }

  // A steady scatter inside the strips, so that equal customers do not hide each other and nobody jumps on redraw.
  const scatter = (i, salt) => {
    let mixed = Math.imul(i + 1, 2654435761) ^ Math.imul(salt, 2246822519);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 3266489917);
    return (((mixed ^ (mixed >>> 13)) >>> 0) % 1000) / 1000 - 0.5;
  };

  function place(f) {
    const base = customerCount > 3000 ? 2.4 : customerCount > 500 ? 3.2 : 4.2;
    let mostHours = 0;
    for (const value of customers.hours) if (value > mostHours) mostHours = value;
    for (let i = 0; i < customerCount; i += 1) {
      const track = customers.track[i] === null ? 0 : customers.track[i];
      const potential = customers.potential[i];
      let x = f.x(track);
      let y = potential === null ? f.bandTop + f.band / 2 : f.y(potential);
      if (track < axes.x.floor) x += scatter(i, 1) * f.strip * 0.7;
      if (potential === null) y += scatter(i, 2) * f.band * 0.6;
      else if (potential < axes.y.floor) y += scatter(i, 3) * f.strip * 0.6;
      at.x[i] = x;
      at.y[i] = y;
      inside[i] = x >= f.left && x <= f.box.right && y >= f.box.top && (potential === null || potential < axes.y.floor || y <= f.box.bottom) && (track < axes.x.floor || x >= f.box.left) ? 1 : 0;
      const spent = customers.hours[i];
      at.r[i] = (f.paper ? 1.25 : 1) * (hasTouch && mostHours > 0 ? base * (0.75 + 1.6 * Math.sqrt((spent || 0) / mostHours)) : base);
    }
  }

  function colours(paper) {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    const light = { ink: '#1c1b19', soft: '#5d5a54', line: '#e3dfd6', paper: '#ffffff', accent: '#a8321f', A: '#17613f', B: '#d08700', C: '#4c6c93', D: '#d3d5d7', edge: '#85898e' };
    if (paper) return light;
    return { ink: read('--ink'), soft: read('--soft'), line: read('--line'), paper: read('--paper'), accent: read('--accent'), A: read('--a'), B: read('--b'), C: read('--c'), D: read('--d'), edge: read('--d-edge') };
  }

  function paint(context, f, colour) {
    const { box } = f;
    const ink = `${f.scale} ${Object.values(colour).join()}`;
    if (ink !== stampedIn) { stamps.clear(); stampedIn = ink; }
    const font = (size, weight = '') => `${weight} ${size}px "Hiragino Sans", "Yu Gothic UI", "Noto Sans JP", "Noto Sans CJK JP", system-ui, sans-serif`;
    context.fillStyle = colour.paper;
    context.fillRect(0, 0, f.width, f.height);
    context.font = font(f.text);
    context.lineWidth = 1;
    // Grid and ticks: one line a decade, so that ten times more is one step.
    const bottom = f.band ? f.bandTop + f.band : box.bottom + (axes.y.rest ? f.strip : 0);
    context.strokeStyle = colour.line;
    context.fillStyle = colour.soft;
    const across = ticksOf(axes.x);
    const sparse = (box.right - box.left) / Math.max(across.length, 1) < 62 ? 2 : 1;
    across.forEach((value, n) => {
      const x = Math.round(f.x(value)) + 0.5;
      line(context, x, box.top, x, bottom);
      context.textAlign = 'center';
      context.textBaseline = 'top';
      if (n % sparse === 0) context.fillText(tick(value), Math.min(x, f.width - 22), bottom + 5);
    });
    for (const value of ticksOf(axes.y)) {
      const y = Math.round(f.y(value)) + 0.5;
      line(context, f.left, y, box.right, y);
      context.textAlign = 'right';
      context.textBaseline = 'middle';
      context.fillText(tick(value), f.left - 6, y);
    }
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    if (axes.y.rest) context.fillText('0', f.left - 6, box.bottom + f.strip / 2);
    context.textAlign = 'center';
    context.textBaseline = 'top';
    if (axes.x.rest) context.fillText('0', f.left + f.strip / 2, bottom + 5);
    if (f.band) {
      context.setLineDash([3, 3]);
      context.strokeStyle = colour.edge;
      context.strokeRect(f.left + 0.5, Math.round(f.bandTop + 3) + 0.5, box.right - f.left - 1, f.band - 4);
      context.setLineDash([]);
      context.textAlign = 'right';
      context.textBaseline = 'middle';
      const words = t('map.unknownBand').split('\n');
      words.forEach((word, n) => context.fillText(word, f.left - 6, f.bandTop + f.band / 2 + (n - (words.length - 1) / 2) * f.text * 1.15));
    }
    context.fillStyle = colour.ink;
    context.textAlign = 'left';
    context.textBaseline = 'top';
    context.fillText(t('map.axisPotential', { unit: isYen ? t('money.yen') : core.currency }), 4, 2);
    context.textAlign = 'right';
    context.textBaseline = 'bottom';
    context.fillText(t('map.axisTrack', { unit: isYen ? t('money.yen') : core.currency }), box.right, f.height - 2);

    // The quadrants' names, quiet, in their corners.
    const cutX = f.x(cuts.track);
    const cutY = f.y(cuts.potential);
    context.font = font(f.text * 1.15, 'bold');
    context.fillStyle = colour.soft;
    if (cutX < box.right && cutY > box.top) corner(context, 'A', box.right - 5, box.top + 4, 'right', 'top');
    if (cutX > box.left && cutY > box.top) corner(context, 'B', f.left + 5, box.top + 4, 'left', 'top');
    if (cutX < box.right && cutY < box.bottom) corner(context, 'C', box.right - 5, box.bottom - 4, 'right', 'bottom');
    if (cutX > box.left && cutY < box.bottom) corner(context, 'D', f.left + 5, box.bottom - 4, 'left', 'bottom');

    // Points: the quiet ones first, so that A and B lie on top. Each kind of point is drawn once and then stamped into the
    // picture's own pixels: ten thousand arcs, or ten thousand images, take a browser many times longer.
    const picture = context.getImageData(0, 0, canvas.width, canvas.height);
    for (const shown of [0, 1]) {
      for (const quadrant of [4, 3, 2, 1, 0]) {
        for (let i = 0; i < customerCount; i += 1) {
          if (quadrantNow[i] !== quadrant || visible[i] !== shown || !inside[i]) continue;
          stampInto(picture, stampOf(quadrant, shown ? Math.round(at.r[i] * 2) / 2 : 1, shown, f.scale, colour), at.x[i] * f.scale, at.y[i] * f.scale);
        }
      }
    }
    context.putImageData(picture, 0, 0);
    if (enclosed.size) {
      context.strokeStyle = colour.accent;
      context.lineWidth = 1.2;
      context.beginPath();
      for (const i of enclosed) { if (!inside[i]) continue; context.moveTo(at.x[i] + at.r[i] + 1.5, at.y[i]); context.arc(at.x[i], at.y[i], at.r[i] + 1.5, 0, 6.2832); }
      context.stroke();
    }

    // The lines that cut the map.
    context.strokeStyle = colour.ink;
    context.lineWidth = cuts.moved ? 1.4 : 0.9;
    if (cuts.moved) context.setLineDash([6, 4]);
    if (cutX >= f.left && cutX <= box.right) line(context, cutX, box.top, cutX, bottom);
    if (cutY >= box.top && cutY <= bottom) line(context, f.left, cutY, box.right, cutY);
    context.setLineDash([]);

    if (f.paper) {
      context.font = font(f.text, 'bold');
      context.fillStyle = colour.ink;
      context.textAlign = 'center';
      context.textBaseline = 'bottom';
      context.fillText(tick(rounded(cuts.track)), cutX, box.top - 3);
      context.textAlign = 'right';
      context.fillText(tick(rounded(cuts.potential)), box.right, cutY - 4);
    }
    paintLabels(context, f, colour, font);
    if (selected >= 0 && inside[selected]) paintSelected(context, f, colour, font);
  }

  const stamps = new Map();
  let stampedIn = '';
  function stampOf(quadrant, r, shown, scale, colour) {
    const key = (quadrant * 2 + shown) * 1000 + r * 2;
    const known = stamps.get(key);
    if (known) return known;
    const stamp = document.createElement('canvas');
    stamp.width = Math.ceil((r + 1) * 2 * scale);
    stamp.height = stamp.width;
    const pen = stamp.getContext('2d', { willReadFrequently: true });
    pen.setTransform(scale, 0, 0, scale, stamp.width / 2, stamp.width / 2);
    pen.beginPath();
    pen.arc(0, 0, r, 0, 6.2832);
    pen.globalAlpha = shown ? 0.82 : 0.5;
    pen.fillStyle = shown ? (quadrant === 4 ? colour.paper : colour[QUADRANTS[quadrant]]) : colour.edge;
    pen.fill();
    if (shown && quadrant >= 3) {
      // Thousands of edges over each other would turn light grey dark.
      pen.globalAlpha = customerCount > 1500 ? 0.3 : 0.82;
      pen.strokeStyle = colour.edge;
      pen.lineWidth = 0.7;
      pen.stroke();
    }
    const made = { size: stamp.width, data: pen.getImageData(0, 0, stamp.width, stamp.height).data };
    stamps.set(key, made);
    return made;
  }

  function stampInto(picture, stamp, x, y) {
    const { width, height, data } = picture;
    const left = Math.round(x - stamp.size / 2);
    const top = Math.round(y - stamp.size / 2);
    if (left < 0 || top < 0 || left + stamp.size > width || top + stamp.size > height) return;
    for (let row = 0, from = 0; row < stamp.size; row += 1) {
      let to = ((top + row) * width + left) * 4;
      for (let column = 0; column < stamp.size; column += 1, from += 4, to += 4) {
        const alpha = stamp.data[from + 3];
        if (!alpha) continue;
        const share = alpha / 255;
        data[to] += (stamp.data[from] - data[to]) * share;
        data[to + 1] += (stamp.data[from + 1] - data[to + 1]) * share;
        data[to + 2] += (stamp.data[from + 2] - data[to + 2]) * share;
      }
    }
  }

  function line(context, x1, y1, x2, y2) {
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }

  function corner(context, letter, x, y, align, baseline) {
    context.textAlign = align;
    context.textBaseline = baseline;
    context.fillText(`${letter} ${t(`quadrant.${letter}`)}`, x, y);
  }

  // Ten names: the largest potentials of A and B in turn, each only where it covers no other name.
  function labelled() {
    const best = [[], []];
    for (const i of byPotential) {
      const quadrant = quadrantNow[i];
      if (quadrant < 2 && visible[i] && inside[i] && best[quadrant].length < 30) best[quadrant].push(i);
      if (best[0].length === 30 && best[1].length === 30) break;
    }
    const [a, b] = best;
    const order = [];
    for (let n = 0; n < Math.max(a.length, b.length); n += 1) { if (n < b.length) order.push(b[n]); if (n < a.length) order.push(a[n]); }
    return order;
  }

  function paintLabels(context, f, colour, font) {
    const taken = [];
    const limit = f.width < 520 ? 5 : LABELS;
    context.font = font(f.text * 0.95);
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    let drawn = 0;
    for (const i of labelled()) {
      if (drawn === limit) break;
      const name = shortName(customers.name[i]);
      const width = context.measureText(name).width;
      const gap = at.r[i] + 4;
      const options = [[at.x[i] + gap, at.y[i]], [at.x[i] - gap - width, at.y[i]], [at.x[i] - width / 2, at.y[i] - f.text], [at.x[i] - width / 2, at.y[i] + f.text]];
      for (const [x, y] of options) {
        const area = [x - 2, y - f.text * 0.6, x + width + 2, y + f.text * 0.6];
        const fits = area[0] > f.left && area[2] < f.box.right && area[1] > f.box.top + f.text * 1.6 && area[3] < f.box.bottom;
        if (!fits || taken.some((other) => area[0] < other[2] && area[2] > other[0] && area[1] < other[3] && area[3] > other[1])) continue;
        taken.push(area);
        context.textAlign = 'left';
        context.lineWidth = 3;
        context.strokeStyle = colour.paper;
        context.strokeText(name, x, y);
        context.fillStyle = colour.ink;
        context.fillText(name, x, y);
        drawn += 1;
        break;
      }
    }
  }

  function paintSelected(context, f, colour, font) {
    const [x, y, r] = [at.x[selected], at.y[selected], at.r[selected]];
    context.strokeStyle = colour.accent;
    context.lineWidth = 2;
    const { low, high, potential } = customers;
    if (potential[selected] !== null && low[selected] !== null) {
      const [from, to] = [Math.min(f.y(low[selected]), f.box.bottom), Math.max(f.y(high[selected]), f.box.top)];
      line(context, x, from, x, to);
      line(context, x - 5, from, x + 5, from);
      line(context, x - 5, to, x + 5, to);
    } else {
      // Not known: an empty bar over the whole height.
      context.setLineDash([4, 4]);
      context.strokeRect(x - 4, f.box.top, 8, f.box.bottom - f.box.top);
      context.setLineDash([]);
    }
    context.beginPath();
    context.arc(x, y, r + 3, 0, 6.2832);
    context.stroke();
    context.font = font(f.text * 1.05, 'bold');
    const name = shortName(customers.name[selected]);
    const width = context.measureText(name).width;
    const left = Math.min(Math.max(x + r + 8, f.left), f.box.right - width - 2);
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.lineWidth = 4;
    context.strokeStyle = colour.paper;
    context.strokeText(name, left, y - (left < x ? 14 : 0));
    context.fillStyle = colour.accent;
    context.fillText(name, left, y - (left < x ? 14 : 0));
  }

  function draw() {
    const width = host.clientWidth;
    const height = host.clientHeight;
    if (!width || !height) return;
    const scale = Math.min(window.devicePixelRatio || 1, 2.5);
    const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
    // Setting the size throws the picture away and makes a new one: only when it changed.
    if (canvas.width !== across || canvas.height !== down) { canvas.width = across; canvas.height = down; }
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.setTransform(scale, 0, 0, scale, 0, 0);
    frame = layout(width, height, false);
    frame.scale = scale;
    place(frame);
    paint(context, frame, colours(false));
    placeHandles();
    const counts = [0, 0, 0, 0, 0];
    for (const quadrant of quadrantNow) counts[quadrant] += 1;
    canvas.setAttribute('aria-label', t('map.chartLabel', { a: counts[0], b: counts[1], c: counts[2], d: counts[3] }));
  }

  let asked = false;
  function redraw() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  }

  // On paper the map is drawn anew, larger and in ink on white, whatever the screen shows.
  function drawForPaper() {
    const [width, height, scale] = [1040, 850, 2.4];
    canvas.width = width * scale;
    canvas.height = height * scale;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.setTransform(scale, 0, 0, scale, 0, 0);
    frame = layout(width, height, true);
    frame.scale = scale;
    place(frame);
    paint(context, frame, colours(true));
  }

  function handle(axis) {
    const node = element('div', { class: `handle ${axis}`, role: 'slider', tabindex: 0 }, element('span'));
    node.addEventListener('pointerdown', (event) => { node.setPointerCapture(event.pointerId); event.preventDefault(); node.focus(); });
    node.addEventListener('pointermove', (event) => {
      if (!node.hasPointerCapture(event.pointerId)) return;
      const area = canvas.getBoundingClientRect();
      const px = Math.min(Math.max(event.clientX - area.left, frame.box.left), frame.box.right);
      const py = Math.min(Math.max(event.clientY - area.top, frame.box.top), frame.box.bottom);
      setCut(axis, axis === 'track' ? frame.valueX(px) : frame.valueY(py));
    });
    node.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1.05, ArrowUp: 1.05, ArrowLeft: 1 / 1.05, ArrowDown: 1 / 1.05, PageUp: 1.5, PageDown: 1 / 1.5 }[event.key];
      if (!step) return;
      event.preventDefault();
      setCut(axis, cuts[axis] * step, true);
    });
    return node;
  }

  function setCut(axis, value, exact) {
    cuts[axis] = exact ? value : rounded(value);
    cuts.moved = true;
    moveCuts();
    redraw();
  }

  function placeHandles() {
    const x = frame.x(cuts.track);
    const y = frame.y(cuts.potential);
    for (const [axis, node] of Object.entries(handles)) {
      const value = axis === 'track' ? cuts.track : cuts.potential;
      node.setAttribute('aria-label', t(axis === 'track' ? 'map.lineTrack' : 'map.linePotential'));
      node.setAttribute('aria-valuenow', Math.round(value));
      node.setAttribute('aria-valuemin', 0);
      node.setAttribute('aria-valuemax', Math.round(10 ** (axis === 'track' ? axes.x.top : axes.y.top)));
      node.setAttribute('aria-valuetext', money(Math.round(value)));
      node.setAttribute('aria-orientation', axis === 'track' ? 'horizontal' : 'vertical');
      node.firstChild.textContent = tick(rounded(value));
    }
    handles.track.hidden = x < frame.left || x > frame.box.right;
    handles.potential.hidden = y < frame.box.top || y > frame.box.bottom + frame.strip;
    handles.track.style.left = `${x}px`;
    handles.track.style.top = `${frame.box.top}px`;
    handles.track.style.height = `${frame.box.bottom - frame.box.top}px`;
    handles.potential.style.top = `${y}px`;
    handles.potential.style.left = `${frame.left}px`;
    handles.potential.style.width = `${frame.box.right - frame.left}px`;
  }

  function nearest(px, py, reach) {
    let best = -1;
    let least = reach * reach;
    for (let i = 0; i < customerCount; i += 1) {
      if (!visible[i] || !inside[i]) continue;
      const distance = (at.x[i] - px) ** 2 + (at.y[i] - py) ** 2;
      if (distance < least) { least = distance; best = i; }
    }
    return best;
  }

  // Drawing round a group: a free line, or a box.
  let trail = null;
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    const area = canvas.getBoundingClientRect();
    trail = { points: [[event.clientX - area.left, event.clientY - area.top]], encloses: event.pointerType === 'mouse' || event.pointerType === 'pen' || touchEncloses, far: false };
    if (shape === 'move') trail.last = trail.points[0];
    if (trail.encloses || trail.last) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    const area = canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - area.left, event.clientY - area.top];
    if (!trail) { hover(px, py); return; }
    const [x0, y0] = trail.points[0];
    if (Math.hypot(px - x0, py - y0) > 6) trail.far = true;
    if (!trail.far) return;
    tip.hidden = true;
    if (trail.last) { pan(px - trail.last[0], py - trail.last[1]); trail.last = [px, py]; return; }
    if (!trail.encloses) return;
    if (shape === 'box') trail.points = [[x0, y0], [px, y0], [px, py], [x0, py]];
    else trail.points.push([px, py]);
    if (shape === 'box') trail.points[0] = [x0, y0];
    veil.replaceChildren(drawing('polygon', { points: trail.points.map((p) => p.join(',')).join(' ') }));
  });
  canvas.addEventListener('pointerup', (event) => {
    if (!trail) return;
    const { points, far, encloses, last } = trail;
    trail = null;
    veil.replaceChildren();
    if (!far) {
      const hit = nearest(points[0][0], points[0][1], event.pointerType === 'touch' ? 22 : 11);
      if (hit >= 0) choose(hit);
      return;
    }
    if (!encloses || last) return;
    enclosed.clear();
    for (let i = 0; i < customerCount; i += 1) if (visible[i] && inside[i] && within(points, at.x[i], at.y[i])) enclosed.add(i);
    redraw();
    enclose([...enclosed]);
  });
  // Pinching on a track pad arrives as a wheel with Ctrl; the bare wheel goes on scrolling the page unless the map is being moved.
  canvas.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && shape !== 'move') return;
    event.preventDefault();
    const area = canvas.getBoundingClientRect();
    zoom(event.deltaY > 0 ? 1.18 : 1 / 1.18, event.clientX - area.left, event.clientY - area.top);
  }, { passive: false });
  canvas.addEventListener('pointercancel', () => { trail = null; veil.replaceChildren(); });
  canvas.addEventListener('pointerleave', () => { tip.hidden = true; });

  function within(points, x, y) {
    let inside = false;
    for (let a = 0, b = points.length - 1; a < points.length; b = a, a += 1) {
      const [[ax, ay], [bx, by]] = [points[a], points[b]];
      if ((ay > y) !== (by > y) && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
    return inside;
  }

  function hover(px, py) {
    if (!frame) return;
    const hit = nearest(px, py, 9);
    tip.hidden = hit < 0;
    canvas.classList.toggle('over', hit >= 0);
    if (hit < 0) return;
    tip.replaceChildren(
      element('strong', null, chip(quadrantNow[hit]), ' ', customers.name[hit]),
      element('div', null, `${t('word.potential')} ${about(customers.potential[hit])}${customers.potential[hit] === null ? '' : ` (${range(customers.low[hit], customers.high[hit])})`}`),
      element('div', null, `${t('word.track')} ${money(customers.track[hit])}`),
    );
    const flip = px > frame.width - 240;
    tip.style.left = `${flip ? px - 12 : px + 14}px`;
    tip.style.top = `${Math.min(py + 10, frame.height - 80)}px`;
    tip.classList.toggle('flip', flip);
  }

  const observer = new ResizeObserver(redraw);
  observer.observe(host);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', redraw);
  return {
    node: host,
    redraw,
    drawForPaper,
    select(i) { selected = i; redraw(); },
    show(rows) { visible.fill(0); for (const i of rows) visible[i] = 1; redraw(); },
    setShape(next) { shape = next; },
    zoomBy(factor) { if (frame) zoom(factor, (frame.box.left + frame.box.right) / 2, (frame.box.top + frame.box.bottom) / 2); },
    whole() { Object.assign(axes.x, home.x); Object.assign(axes.y, home.y); redraw(); },
    mark(rows) { enclosed.clear(); for (const i of rows) enclosed.add(i); redraw(); },
    leave() { observer.disconnect(); dark.removeEventListener('change', redraw); },
    setTouch(on) { touchEncloses = on; canvas.classList.toggle('encloses', on); },
    clearEnclosed() { enclosed.clear(); redraw(); },
    pointOf(i) { return { x: at.x[i], y: at.y[i] }; },
  };
}

// For labels: without the company's form.
function shortName(name) {
  const bare = name.replace(/株式会社|有限会社|合同会社|[㈱㈲]|\((株|有)\)|（(株|有)）/g, '').replace(/[\u0000-\u001f]/g, ' ').trim() || name;
  return bare.length > 16 ? `${bare.slice(0, 15)}…` : bare;
}
