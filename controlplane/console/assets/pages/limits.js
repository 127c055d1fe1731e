// Limits: how much of them is used, and the form that changes them.
import { h, show, count, money, badge, empty, field, dialog, toast, failed, moment } from '../dom.js';
import { send } from '../api.js';

export const kinds = {
  budget: 'USD', rpm: 'requests per minute', rpd: 'requests per day', tpm: 'tokens per minute', tpd: 'tokens per day', concurrency: 'requests in flight',
};
const resets = { month: 'per month', week: 'per week', day: 'per day', total: 'in total' };
const states = { ok: 'good', spent: 'bad', learning: 'warn', outage: 'warn' };

// amount is what a limit's value means, as a number: 20k is 20000.
const amount = (text) => {
  const m = /^([\d.]+)([kKmMgG]?)$/.exec(text);
  return m ? Number(m[1]) * { '': 1, k: 1e3, m: 1e6, g: 1e9 }[m[2].toLowerCase()] : 0;
};
const figure = (limit, value) => (limit.kind === 'budget' ? money(value) : count(amount(value)));

export function words(limit) {
  const of = limit.kind === 'budget' ? money(limit.value) + ' ' + (resets[limit.reset] || limit.reset) : figure(limit, limit.value) + ' ' + kinds[limit.kind];
  return of + (limit.model ? ' for ' + limit.model : '') + (limit.provider ? ' at ' + limit.provider : '');
}

// meter is a bar of how much is used; limits with use come from GET /admin/limits.
export function meter(limit) {
  const share = amount(limit.value) ? amount(limit.used || '0') / amount(limit.value) : 1;
  return h('div', { class: 'meter' },
    h('div', { class: 'bar ' + (share >= 1 ? 'bad' : ''), role: 'img', 'aria-label': `${Math.round(100 * share)}% used` }, h('span', { style: { width: Math.min(100, 100 * share) + '%' } })),
    h('small', {}, limit.used === '' ? 'not known now' : `${figure(limit, limit.used)} of ${words(limit)}`));
}

const holders = { key: 'this key', user: 'its user', team: 'its team', gateway: 'the whole gateway' };

// list shows limits with their use, and whose they are.
export function list(limits, self) {
  if (!limits.length) return empty('No limits', 'Nothing bounds what may be used.');
  return h('div', { class: 'limits' }, limits.map((l) => h('div', { class: 'limit' },
    h('div', {}, h('strong', {}, words(l)), h('small', {}, l.holder === self ? '' : ' of ' + (holders[l.holder] || l.holder) + (l.name ? ' ' + l.name : ''))),
    meter(l),
    h('div', { class: 'facts' }, badge(l.state === 'spent' ? 'used up' : l.state, states[l.state]), l.refused ? h('small', {}, count(l.refused) + ' refused') : null,
      l.resets_at ? h('small', {}, 'until ', moment(l.resets_at)) : null))));
}

// inputs are the controls for limits to set; read returns what was filled in.
export function inputs(existing = []) {
  const rows = h('div', { class: 'limit-inputs' });
  const add = (l) => {
    const kind = h('select', { 'aria-label': 'Kind', disabled: !!l }, Object.entries(kinds).map(([key, text]) => h('option', { value: key, selected: l && l.kind === key }, key === 'budget' ? 'budget, USD' : text)));
    const value = h('input', { 'aria-label': 'Value', value: l ? l.value : '', required: true, placeholder: '50, 600, 2M', autocomplete: 'off' });
    const reset = h('select', { 'aria-label': 'Period', disabled: !!l }, Object.entries(resets).map(([key, text]) => h('option', { value: key, selected: l && l.reset === key }, text)));
    const fit = () => { reset.hidden = kind.value !== 'budget'; };
    kind.addEventListener('change', fit);
    fit();
    const row = h('div', { class: 'row' }, kind, value, reset, l && (l.model || l.provider) ? h('small', {}, l.model ? 'for ' + l.model : 'at ' + l.provider) : null,
      h('button', { type: 'button', class: 'quiet small', 'aria-label': 'Remove the limit', onclick: () => { row.remove(); if (l) removed.push(l); } }, '×'));
    row.read = () => ({ kind: kind.value, value: value.value.trim(), ...(kind.value === 'budget' ? { reset: reset.value } : {}), ...(l ? { model: l.model, provider: l.provider } : {}) });
    rows.append(row);
    return row;
  };
  const removed = [];
  existing.forEach(add);
  return {
    element: h('div', {}, rows, h('button', { type: 'button', class: 'small', onclick: () => add().querySelector('select').focus() }, 'Add a limit')),
    read: () => [...[...rows.children].map((r) => r.read()), ...removed.map((l) => ({ kind: l.kind, reset: l.reset, model: l.model, provider: l.provider, value: 'none' }))],
  };
}

// edit asks for the limits of a holder and sets them.
export async function edit(title, of, existing, done) {
  await form('Limits of ' + title, 'Set limits', () => {
    const own = inputs(existing);
    return {
      content: [existing.length ? null : h('p', { class: 'soft' }, 'It has no limits of its own.'), own.element],
      submit: async (reason) => {
        const limits = own.read();
        if (!limits.length) return;
        await send('PUT', '/admin/limits', { of, limits, reason });
        toast('Limits of ' + title + ' are in force.');
      },
    };
  });
  await done();
}

// form is a dialog with fields, a reason for the audit log and one button.
// build() returns {content, submit(reason), reason: false}; submit's error is shown in the form.
export async function form(title, action, build, tone = 'primary') {
  await dialog(title, (close) => {
    const { content, submit, reason: asks } = build(close);
    const reason = h('input', { name: 'reason', maxlength: 1000, placeholder: 'for the audit log', autocomplete: 'off' });
    const note = h('p', { class: 'error', role: 'alert' });
    const button = h('button', { class: tone, type: 'submit' }, action);
    return h('form', {
      onsubmit: async (e) => {
        e.preventDefault();
        button.disabled = true;
        show(note);
        try {
          if (await submit(reason.value.trim()) !== false) close();
        } catch (err) {
          show(note, err.message);
        } finally {
          button.disabled = false;
        }
      },
    }, content, asks === false ? null : field('Reason', reason), note,
    h('div', { class: 'row end' }, h('button', { type: 'button', onclick: close }, 'Cancel'), button));
  }).catch(failed);
}
