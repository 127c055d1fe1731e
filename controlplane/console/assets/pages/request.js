// One request: what was tried, what it used, what went wrong.
import { h, show, card, count, money, duration, badge, empty, moment, failed } from '../dom.js';
import { get, send } from '../api.js';
import { status, outcome } from './requests.js';

export async function one(root, context, id) {
  const { signal } = context;
  const found = await get('/admin/logs', { id, limit: 10 }, signal);
  const row = found.find((r) => r.request_id === id) || found[0];
  const back = h('a', { href: '#/requests', onclick: (e) => { if (history.length > 1) { e.preventDefault(); history.back(); } } }, '← Requests');
  if (!row) return show(root, back, h('div', { class: 'card' }, empty('No such request', `No request in the log has the id ${id}. It may still be on its way, or older than the log.`)));
  show(root, back, h('div', { class: 'head request' }, h('h1', {}, row.model_id, ' ', status(row), ' ', h('small', {}, outcome(row))), h('span', { class: 'soft' }, moment(row.received_at))),
    row.error ? h('div', { class: 'notice bad' }, h('strong', {}, 'Error'), h('p', { class: 'mono' }, row.error)) : null,
    h('div', { class: 'tiles' }, tile('Total', duration(row.latency_ms)), tile('First token', duration(row.ttft_ms)),
      tile('Tokens', row.total_tokens === null ? '–' : count(row.total_tokens), row.usage_source === 'estimated' ? 'estimated' : null), tile('Cost', row.cost_usd === null ? 'not known' : money(row.cost_usd), row.cost_source)),
    timeline(row),
    h('div', { class: 'grid two' }, usage(row), parameters(row, context), caller(row), ids(row)),
    content(row, context));
}

const tile = (label, value, more) => h('div', { class: 'tile' }, h('div', { class: 'label' }, label), h('div', { class: 'value' }, value), h('div', { class: 'more' }, more || '\u00a0'));

// timeline shows the attempts one after the other, on the scale of the request.
function timeline(row) {
  const attempts = row.attempts || [];
  if (!attempts.length) return card('Attempts', h('p', { class: 'soft' }, 'It was sent to no endpoint.'));
  const scale = Math.max(row.latency_ms, attempts.reduce((n, a) => n + a.ms, 0), 1);
  let at = 0;
  return card('Attempts', h('ol', { class: 'attempts' }, attempts.map((a) => {
    const good = !a.kind && a.status < 400;
    const line = h('li', {}, h('div', {}, h('strong', {}, a.endpoint), ' ', badge(a.status ? String(a.status) : 'no answer', good ? 'good' : 'bad'), a.kind ? h('small', {}, ' ' + a.kind.replaceAll('_', ' ')) : null),
      h('div', { class: 'track', role: 'img', 'aria-label': `from ${duration(at)}, took ${duration(a.ms)}` }, h('span', { class: good ? '' : 'bad', style: { 'margin-left': 100 * at / scale + '%', width: Math.max(0.6, 100 * a.ms / scale) + '%' } })),
      h('span', { class: 'num' }, duration(a.ms)));
    at += a.ms;
    return line;
  })));
}

// facts is a list of those that are known.
function facts(list) {
  const known = list.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return known.length ? h('dl', {}, known.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])) : h('p', { class: 'soft' }, 'Nothing is recorded.');
}

const number = (n) => (n === null ? null : n.toLocaleString('en'));

const usage = (r) => card('Usage and cost', facts([['Prompt tokens', number(r.prompt_tokens)], ['of which cached', r.cache_read_tokens ? number(r.cache_read_tokens) : null], ['written to cache', r.cache_write_tokens ? number(r.cache_write_tokens) : null],
  ['Completion tokens', number(r.completion_tokens)], ['of which reasoning', r.reasoning_tokens ? number(r.reasoning_tokens) : null], ['Counted by', r.usage_source], ['Cost', r.cost_usd === null ? null : '$' + r.cost_usd],
  ['Price', r.price_version], ['Cost of the provider', r.upstream_cost_usd === null ? null : '$' + r.upstream_cost_usd], ['Before repricing', r.original_cost_usd === null ? null : '$' + r.original_cost_usd], ['Service tier', r.service_tier],
  ['Own key of the provider', r.is_byok ? 'yes' : null], ['Finish reason', [r.finish_reason, r.native_finish_reason && r.native_finish_reason !== r.finish_reason ? ` (${r.native_finish_reason})` : ''].join('')]]));

function parameters(r, { signal }) {
  const box = h('div');
  const ask = async (button) => {
    button.disabled = true;
    const e = await send('POST', '/admin/explain', { path: paths[r.api] || '', request: { model: r.model_id, ...r.params, ...(r.api === 'chat' ? { messages: [{ role: 'user', content: 'Hi' }] } : {}) } }, signal);
    show(box, h('h3', {}, 'A request like this now'), h('p', { class: 'soft' }, `Asked of node ${e.node}, release ${e.release}; nothing was sent.`),
      e.message ? h('p', {}, e.message) : null,
      (e.tried || []).length ? h('ol', {}, e.tried.map((t) => h('li', {}, h('strong', {}, t.endpoint), ' ' + t.provider))) : null,
      (e.dropped || []).length ? h('p', {}, 'Dropped for the first: ', e.dropped.join(', ')) : h('p', { class: 'soft' }, 'The first gets every parameter.'),
      (e.left || []).length ? h('ul', {}, e.left.map((t) => h('li', {}, h('strong', {}, t.endpoint), ' left out: ' + t.reason))) : null);
  };
  return card('Parameters', facts([['API', r.api], ['Stream', r.stream ? 'yes' : 'no'], ...Object.entries(r.params || {}).map(([name, value]) => [name, h('code', {}, typeof value === 'string' ? value : JSON.stringify(value))])]),
    h('div', { class: 'row explain' }, h('button', { class: 'small', onclick: (e) => ask(e.target).catch((err) => { e.target.disabled = false; failed(err); }) }, 'Explain: route and dropped parameters')), box);
}

const paths = { chat: 'chat/completions', completions: 'completions', embeddings: 'embeddings', messages: 'messages', responses: 'responses' };

const caller = (r) => card('Caller', facts([['Key', r.key_id], ['User', r.user_id], ['Team', r.team_id], ['Session', r.session_id], ['Address', r.client_ip], ['User agent', r.user_agent], ['Application', r.app_title], ['Referer', r.referer]]));

const ids = (r) => card('Ids and route', facts([['Request', mono(r.request_id)], ['X-Request-ID', mono(r.http_request_id)], ['Trace', mono(r.trace_id)], ['Upstream', mono(r.upstream_id)], ['Answered by', r.model], ['Endpoint', r.endpoint ? h('a', { href: '#/routing/' + encodeURIComponent(r.endpoint) }, r.endpoint) : null],
  ['Provider', r.provider], ['Upstream model', r.upstream_model], ['Node', r.node], ['Release', r.release]]));

const mono = (text) => (text ? h('code', {}, text) : null);

// content is read on demand: each reading is in the audit log.
function content(row, { may, signal }) {
  const box = h('div');
  const locked = may('admin') ? null : 'Needs the role admin';
  const read = async (button) => {
    button.disabled = true;
    try {
      const c = await get(`/admin/logs/${encodeURIComponent(row.request_id)}/content`, {}, signal);
      show(box, h('h3', {}, 'Prompt'), h('pre', {}, pretty(c.prompt)), h('h3', {}, 'Answer'), h('pre', {}, c.answer));
    } catch (err) {
      button.disabled = false;
      show(box, h('p', { class: 'error', role: 'alert' }, err.message));
    }
  };
  return card('Content', h('div', { class: 'row' }, h('button', { class: 'small', disabled: !!locked, onclick: (e) => read(e.target) }, 'Show prompt and answer'), h('small', {}, locked || 'Reading it is recorded in the audit log.')), box);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
