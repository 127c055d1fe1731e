// Why did my request fail? The log: search it, follow it, open one.
import { h, show, count, money, duration, badge, empty, field, table, moment, failed } from '../dom.js';
import { get, poll } from '../api.js';
import { one } from './request.js';

const periods = { '15m': '15 minutes', '1h': 'Hour', '24h': 'Day', '7d': '7 days', '30d': '30 days', '': 'All' };
const outcomes = { complete: 'complete', client_gone: 'client gone', upstream_error: 'upstream error', timeout: 'timeout', rejected: 'rejected' };
const size = 50; // rows of a page
const most = 1000; // rows that are kept while following

export async function render(root, context) {
  if (context.params[0]) return one(root, context, context.params[0]);
  const { query, signal, go, may } = context;
  const input = (name, label, more) => field(label, h('input', { name, value: query.get(name) || '', autocomplete: 'off', spellcheck: 'false', ...more }));
  const select = (name, label, options, now) => field(label, h('select', { name }, Object.entries(options).map(([value, text]) => h('option', { value, selected: value === now }, text))));
  const errors = h('input', { type: 'checkbox', name: 'errors', value: 'true' });
  errors.checked = query.get('errors') === 'true';
  const since = query.get('since') ?? '24h';
  const text = input('text', may('admin') ? 'Error or content' : 'Error or content (admin)', { maxlength: 200, disabled: !may('admin') });
  const rare = h('details', { class: 'more' }, h('summary', {}, 'More filters'), h('div', { class: 'filters' }, input('endpoint', 'Endpoint'), input('provider', 'Provider'), input('node', 'Node'),
    input('key', 'Key'), input('user', 'User'), input('team', 'Team'), input('session', 'Session'), select('outcome', 'Outcome', { '': 'any', ...outcomes }, query.get('outcome') || ''), input('min_ms', 'Slower than, ms', { type: 'number', min: 0 }), text));
  rare.open = ['endpoint', 'provider', 'node', 'key', 'user', 'team', 'session', 'outcome', 'min_ms', 'text'].some((name) => query.get(name));
  const form = h('form', { class: 'card', role: 'search', 'aria-label': 'Filter the log', onsubmit: (e) => { e.preventDefault(); go('requests?' + chosen(form)); } },
    h('div', { class: 'filters' }, input('id', 'Any id', { type: 'search', placeholder: 'of a request, trace, response, upstream' }), select('since', 'Period', periods, since), input('model', 'Model'),
      h('label', { class: 'field inline check' }, errors, h('span', {}, 'Errors only')),
      h('div', { class: 'row' }, h('button', { class: 'primary', type: 'submit' }, 'Search'), h('button', { type: 'button', onclick: () => go('requests') }, 'Clear'))), rare);
  const follow = h('button', { 'aria-pressed': 'false' }, 'Follow live');
  const result = h('div', { class: 'card' }, h('p', { class: 'soft', role: 'status' }, 'Searching…'));
  show(root, h('div', { class: 'head' }, h('h1', {}, 'Requests'), follow), form, result);

  const filters = Object.fromEntries(query);
  if (filters.id) filters.since = query.get('since') ?? '';
  const asked = { ...filters, since: filters.id ? filters.since : since };
  let rows = await get('/admin/logs', { ...asked, limit: size }, signal);
  if (filters.id && rows.length === 1) return go('requests/' + encodeURIComponent(rows[0].request_id));
  let more = rows.length === size;
  const draw = () => show(result, rows.length ? [list(rows, go), more ? h('div', { class: 'row below' }, h('button', { onclick: (e) => older(e.target).catch(failed) }, 'Show older requests')) : null]
    : empty('No request matches', filters.id ? 'No request has this id, of any kind, as far back as the log goes.' : 'Take a longer period or fewer filters. A request appears here some seconds after its end.'));
  const older = async (button) => {
    button.disabled = true;
    button.textContent = 'Searching…';
    const next = await get('/admin/logs', { ...asked, before: rows.at(-1).request_id, limit: size }, signal);
    more = next.length === size;
    rows = rows.concat(next);
    draw();
  };
  draw();
  following(follow, signal, async () => {
    const fresh = rows.length ? await poll('/admin/logs', { ...asked, since: '', after: rows[0].request_id, limit: 200 }, signal) : (await poll('/admin/logs', { ...asked, limit: size }, signal)).reverse();
    if (!fresh.length) return;
    rows = fresh.reverse().concat(rows);
    if (rows.length > most) [rows, more] = [rows.slice(0, most), true];
    draw();
  });
}

// following runs f every two seconds, one at a time, while the button is pressed.
function following(button, signal, f) {
  let on = false;
  const step = async () => {
    while (on && !signal.aborted) {
      await f().catch(failed);
      await new Promise((done) => setTimeout(done, 2000));
    }
  };
  button.addEventListener('click', () => {
    on = !on;
    button.setAttribute('aria-pressed', String(on));
    button.textContent = on ? 'Following' : 'Follow live';
    if (on) step();
  });
}

function chosen(form) {
  const q = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value.trim() || name === 'since') q.set(name, value.trim());
  return q.toString();
}

export const status = (row) => badge(String(row.status_code), row.status_code >= 500 || row.status_code === 0 ? 'bad' : row.status_code >= 400 ? 'warn' : row.outcome === 'complete' ? 'good' : 'warn');
export const outcome = (row) => outcomes[row.outcome] || row.outcome || '';

function list(rows, go) {
  return table('Requests', [
    { head: 'Time', class: 'tight', cell: (r) => h('a', { href: '#/requests/' + encodeURIComponent(r.request_id), onclick: (e) => e.stopPropagation() }, moment(r.received_at)) },
    { head: 'Status', cell: (r) => [status(r), r.outcome === 'complete' ? null : h('small', {}, ' ' + outcome(r))] },
    { head: 'Model', cell: (r) => r.model_id },
    { head: 'Endpoint', cell: (r) => [r.endpoint || '–', (r.attempts || []).length > 1 ? h('small', {}, ` after ${r.attempts.length - 1} failed`) : null] },
    { head: 'First token', class: 'num', cell: (r) => duration(r.ttft_ms) },
    { head: 'Total', class: 'num', cell: (r) => duration(r.latency_ms) },
    { head: 'Tokens', class: 'num', cell: (r) => (r.total_tokens === null ? '–' : count(r.total_tokens)) },
    { head: 'Cost', class: 'num', cell: (r) => (r.cost_usd === null ? '–' : money(r.cost_usd)) },
    { head: 'User', cell: (r) => r.user_id || r.key_id || '–' },
    { head: 'Error', cell: (r) => h('span', { class: 'clip' }, r.error || '') },
  ], rows, (r) => go('requests/' + encodeURIComponent(r.request_id)));
}
