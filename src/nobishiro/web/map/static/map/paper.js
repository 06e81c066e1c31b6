// The A3 sheet: drawn once, in ink on white, at the size of the paper.
(() => {
  'use strict';
  const place = document.getElementById('place');
  async function draw() {
    const response = await fetch(place.dataset.points + window.location.search, { headers: { Accept: 'application/json' } });
    if (!response.ok) throw new Error(String(response.status));
    const data = await response.json();
    const lines = createLines(data.customers, data.thresholds);
    const chart = createChart({ customers: data.customers, lines, hasTouch: data.hasTouch, choose: () => {}, enclose: () => {}, moveCuts: () => {} });
    chart.leave();
    chart.node.inert = true;
    place.replaceChildren(chart.node);
    chart.drawForPaper();
    document.body.dataset.ready = 'yes';
    document.getElementById('print').disabled = false;
  }
  document.getElementById('print').addEventListener('click', () => window.print());
  draw().catch(() => place.replaceChildren(element('p', { class: 'problem', role: 'alert' }, place.dataset.failed)));
})();
