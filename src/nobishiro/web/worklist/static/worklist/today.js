// The cards of today: one tap folds a card, undo opens it again; what this device has not sent yet is laid over what the site knew.
(() => {
  'use strict';
  const list = document.getElementById('today');
  const taps = window.nobishiroTaps;
  if (!list || !taps) return;
  const words = JSON.parse(document.getElementById('tap-words').textContent);
  const user = Number(list.dataset.user);
  const isKept = document.documentElement.dataset.from === 'device';
  const cards = new Map([...list.querySelectorAll('[data-card]')].map((card) => [card.dataset.card, card]));
  const fill = (text, values) => text.replace(/%(\w+)%/g, (all, name) => values[name] ?? all);

  function show(card, result, code, unsent) {
    const form = card.querySelector('form'), folded = card.querySelector('.folded'), wasFolded = card.classList.contains('is-folded');
    card.classList.toggle('is-folded', Boolean(result));
    card.querySelector('.open').hidden = Boolean(result);
    folded.hidden = !result;
    card.dataset.code = code || '';
    if (!result && !wasFolded) return; // somebody may be typing an amount while another tap is being sent
    if (!result) { form.querySelectorAll('[data-asks-first]').forEach((panel) => { panel.hidden = true; }); return; }
    folded.querySelector('[data-result]').textContent = words.results[result] || result;
    folded.querySelector('[data-unsent]').hidden = !unsent;
    folded.querySelector('[data-refer]').hidden = result !== 'referred';
  }

  function draw(state) {
    const last = new Map();
    for (const item of state.items) if (item.fields.action && item.state !== 'refused') last.set(String(item.fields.action), item);
    for (const [key, card] of cards) {
      const item = last.get(key);
      if (!item) show(card, card.dataset.result, card.dataset.knownCode, false);
      else if (item.kind === 'undo') show(card, '', '', false);
      else show(card, item.fields.result, item.code, item.state === 'waiting');
    }
    const left = [...cards.values()].filter((card) => !card.classList.contains('is-folded')).length;
    const over = document.getElementById('all-done');
    if (over) over.hidden = left > 0;
    tell(state);
  }

  function tell(state) {
    const place = document.getElementById('unsent');
    const lines = [];
    if (state.waiting) lines.push(fill(words.waiting, { n: state.waiting }));
    if (state.waiting && state.trouble === 'signin') lines.push(words.signin);
    if (state.waiting && state.trouble === 'other') lines.push(words.other);
    if (state.waiting && state.trouble === 'server') lines.push(words.server);
    if (state.others) lines.push(fill(words.others, { n: state.others }));
    place.hidden = !lines.length && !state.refused.length;
    place.querySelector('p').textContent = lines.join(' ');
    place.querySelector('[data-sign-in]').hidden = !(state.waiting && state.trouble === 'signin');
    place.querySelector('[data-send]').hidden = !state.waiting;
    const refused = place.querySelector('ul');
    refused.replaceChildren(...state.refused.map((item) => {
      const line = document.createElement('li'), put = document.createElement('button');
      put.type = 'button';
      put.textContent = words.forget;
      put.addEventListener('click', () => taps.forget(item.order));
      line.append(fill(words.refused, { what: item.label, why: item.why || '' }), ' ', put);
      return line;
    }));
  }

  async function tap(form, result, more = {}) {
    const card = form.closest('[data-card]');
    const said = new FormData(form);
    const fields = { result, action: Number(said.get('action')), customer: Number(said.get('customer')) };
    for (const name of ['family', 'product', 'offer_kind', 'touch_kind', 'minutes', 'note']) if (said.get(name)) fields[name] = said.get(name);
    Object.assign(fields, more);
    const offer = form.closest('[data-card]').querySelector('[name=chosen_offer]:checked');
    if (offer) { fields.family = offer.dataset.family; fields.product = offer.dataset.product; fields.offer_kind = offer.dataset.kind; }
    const next = nextCard(card), code = taps.newId();
    card.querySelectorAll('button').forEach((button) => { button.disabled = true; });
    try {
      await taps.push('tap', code, fields, `${card.dataset.name} ${words.results[result]}`);
    } catch (error) {
      window.alert(words.noStore); // nothing was kept: say so, never pretend
      return;
    } finally {
      card.querySelectorAll('button').forEach((button) => { button.disabled = false; });
    }
    if (result === 'referred' && navigator.onLine) {
      for (let waits = 0; waits < 15 && await taps.isWaiting(code); waits += 1) await new Promise((go) => { window.setTimeout(go, 100); });
      window.location.assign(form.dataset.refer); // sent or not: the tap is kept, and goes with the next look at this page
      return;
    }
    (card.querySelector('[data-undo]')).focus({ preventScroll: true });
    if (next) next.scrollIntoView({ block: 'nearest' });
  }

  function nextCard(card) {
    for (let other = card.nextElementSibling; other; other = other.nextElementSibling) if (other.matches('[data-card]:not(.is-folded)')) return other;
    return null;
  }

  list.addEventListener('submit', (event) => {
    const form = event.target.closest('form[data-tap]');
    if (!form) return;
    event.preventDefault();
    const button = event.submitter;
    const result = button ? button.dataset.outcome : '';
    const asks = button && button.dataset.opens ? form.querySelector(`[data-asks-first="${button.dataset.opens}"]`) : null;
    if (asks && asks.hidden) {
      form.querySelectorAll('[data-asks-first]').forEach((panel) => { panel.hidden = panel !== asks; });
      (asks.querySelector('input, button')).focus();
    } else if (button && button.dataset.reason) tap(form, 'declined', { reason: button.dataset.reason });
    else if (button && button.dataset.won) {
      const field = form.querySelector('[name=amount]'), amount = field.value.trim();
      const isYen = !amount || /^[\d¥\\,.、円億万千km\s]{1,40}$/i.test(amount.normalize('NFKC'));
      field.setCustomValidity(isYen ? '' : words.noYen);
      if (field.reportValidity()) tap(form, 'won', amount ? { amount } : {});
    } else if (result) tap(form, result);
  });

  list.addEventListener('click', (event) => {
    const undo = event.target.closest('[data-undo]');
    if (undo) {
      const card = undo.closest('[data-card]');
      const code = card.dataset.code;
      if (code) taps.push('undo', code, { action: Number(card.dataset.card) }, `${card.dataset.name} ${words.undo}`)
        .then(() => { const first = card.querySelector('[data-outcome]'); if (first) first.focus({ preventScroll: true }); })
        .catch(() => window.alert(words.noStore));
    }
    // a tap beside a button is no wish to leave the list: only the head of a card leads to the karte
    if (!event.target.closest('[data-leads]')) event.stopPropagation();
  });

  // The offer that is tapped for: the one in front unless another was chosen.
  list.addEventListener('change', (event) => {
    if (event.target.name !== 'touch_kind') return;
    const minutes = event.target.form.querySelector('[name=minutes]');
    if (!minutes.dataset.own) minutes.value = words.minutes[event.target.value] || '';
  });
  list.addEventListener('input', (event) => { if (event.target.name === 'amount') event.target.setCustomValidity(''); if (event.target.name === 'minutes') event.target.dataset.own = '1'; });

  document.querySelector('#unsent [data-send]').addEventListener('click', () => taps.flush());
  if (isKept) {
    const kept = document.getElementById('kept');
    kept.hidden = false;
  }
  taps.onChange(draw);
  taps.start({
    user, url: list.dataset.url, tokenUrl: list.dataset.token, made: Number(list.dataset.made),
    token: JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken'],
  }).catch(() => { document.getElementById('no-store').hidden = false; });

  if ('serviceWorker' in navigator && list.dataset.own) {
    navigator.serviceWorker.register(list.dataset.worker, { scope: list.dataset.scope }).then(() => navigator.serviceWorker.ready).then((registration) => {
      const assets = [...document.querySelectorAll('link[rel=stylesheet], link[rel=icon]')].map((one) => one.href)
        .concat([...document.querySelectorAll('script[src], img[src]')].map((one) => one.src));
      if (!isKept) registration.active.postMessage({ keep: assets, user });
    }).catch(() => undefined); // without it the list needs a line to open; taps are kept all the same
  }
})();
