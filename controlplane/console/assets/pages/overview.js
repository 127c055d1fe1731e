// What is it costing, is it healthy?
import { h, show, card, count, money, duration, percent, badge, empty, table, failed } from '../dom.js';
import { get, poll } from '../api.js';
import { chart, legend, timeline, values } from '../charts.js';

const spans = { '1h': 'Last hour', '24h': 'Day', '30d': '30 days' };
const refresh = { '1h': 10_000, '24h': 60_000, '30d': 300_000 };
const dimensions = { model: 'By model', provider: 'By provider' };
const others = 5; // the colour of what is not among the first

export async function render(root, { live, signal, query, go }) {
  const since = spans[query.get('since')] ? query.get('since') : '24h';
  const by = dimensions[query.get('by')] ? query.get('by') : 'model';
  const tabs = (label, all, current, to) => h('div', { class: 'tabs', role: 'group', 'aria-label': label }, Object.entries(all).map(([key, text]) =>
    h('button', { 'aria-pressed': String(key === current), onclick: () => go('overview?' + to(key)) }, text)));
  const now = h('div', { role: 'status' });
  const figures = h('div', {}, h('div', { class: 'tiles', 'aria-hidden': 'true' }, Array.from({ length: 5 }, () => h('div', { class: 'tile wait' }))));
  const fleet = h('div');
  show(root, h('div', { class: 'head' }, h('h1', {}, 'Overview'), h('div', { class: 'row' },
    tabs('Dimension', dimensions, by, (key) => `since=${since}&by=${key}`), tabs('Period', spans, since, (key) => `since=${key}&by=${by}`))), now, figures, fleet);
  let said = '';
  live.watch(signal, (state, rate) => {
    const text = JSON.stringify([state.problems, state.endpoints, state.nodes, state.release]);
    if (text !== said) show(now, health(state)); // screen readers hear what is new only
    said = text;
    show(fleet, nodes(state, rate));
  });
  let drawn = null;
  const load = async (ask) => {
    const series = await ask('/admin/series', { since, by }, signal);
    if (drawn) drawn.abort();
    drawn = new AbortController();
    show(figures, traffic(series, by, drawn.signal));
  };
  signal.addEventListener('abort', () => drawn && drawn.abort());
  try {
    await load(get);
  } catch (err) {
    if (err.name === 'AbortError') return;
    show(figures, card('Traffic', empty('The request log does not answer', err.message)));
  }
  const timer = setInterval(() => { if (!document.hidden) load(poll).catch(failed); }, refresh[since]);
  signal.addEventListener('abort', () => clearInterval(timer));
}

// health says in words what is wrong.
function health(state) {
  const to = (model, text) => h('a', { href: '#/routing/' + encodeURIComponent(model) }, text);
  const bad = [];
  const waiting = new Map(); // variables that are missing, with the models
  if (state.nodes.live === 0) bad.push('No node is live: requests are not served.');
  for (const p of state.problems) if (p.code !== 'missing_secret') bad.push(p.message);
  for (const e of state.endpoints) {
    if (e.state === 'disabled') continue;
    const troubles = e.nodes.filter((n) => n.state !== 'missing_secret');
    for (const n of e.nodes) if (n.state === 'missing_secret') waiting.set(n.reason, (waiting.get(n.reason) || new Set()).add(e.model));
    if (troubles.length === 0) continue;
    bad.push([to(e.model, e.endpoint), e.state === 'down' ? ' is down: ' : ` is down on ${troubles.length} of ${state.nodes.live} nodes: `, troubles[0].reason || words(troubles[0].state)]);
  }
  for (const n of state.fleet) {
    if (n.state === 'stale') bad.push('Node ' + n.node + ' has stopped sending heartbeats.');
    else if (n.release_state === 'rejected') bad.push('Node ' + n.node + ' rejected the release: ' + n.reason);
  }
  const idle = waiting.size === 0 ? null : h('details', { class: 'notice quiet' },
    h('summary', {}, waiting.size === 1 ? 'One secret is not set' : waiting.size + ' secrets are not set', h('span', { class: 'soft' }, ' · endpoints that need one are out of service')),
    h('ul', {}, [...waiting].map(([why, models]) => h('li', {}, why + ': ', [...models].slice(0, 8).map((m, i) => [i ? ', ' : '', to(m, m)])))));
  if (bad.length === 0) {
    return [h('div', { class: 'notice good' }, h('strong', {}, 'All is well.'), ` ${state.nodes.live} ${state.nodes.live === 1 ? 'node serves' : 'nodes serve'} release ${state.release}.`), idle];
  }
  return [h('div', { class: 'notice bad' }, h('strong', {}, bad.length === 1 ? 'One thing needs attention' : bad.length + ' things need attention'),
    h('ul', {}, bad.slice(0, 20).map((line) => h('li', {}, line)))), idle];
}

const words = (state) => ({ open: 'its circuit breaker is open', half_open: 'its circuit breaker is half open', cooling: 'it asked to wait', probe_failed: 'its health check fails', full: 'it is full' })[state] || state;

function nodes(state, rate) {
  const list = state.fleet.length ? table('Nodes', [
    { head: 'Node', cell: (n) => n.node },
    { head: 'State', cell: (n) => (n.draining ? badge('draining', 'warn') : badge(n.state, n.state === 'live' ? 'good' : 'bad')) },
    { head: 'Release', class: 'num', cell: (n) => [n.release, n.release_state === 'rejected' ? ' (rejected)' : ''] },
    { head: 'In flight', class: 'num', cell: (n) => count(n.in_flight) },
    { head: 'Requests', class: 'num', cell: (n) => count(n.requests) },
    { head: 'Version', cell: (n) => n.version },
  ], state.fleet) : empty('No nodes', 'A node appears here a few seconds after it has started.');
  return card('Fleet', h('p', { class: 'soft' }, [`${state.nodes.live} live`, state.nodes.stale ? `${state.nodes.stale} silent` : null, `${state.applied} on release ${state.release}`,
    `${count(state.in_flight)} in flight`, rate === null ? null : `${count(rate)} requests/s`].filter(Boolean).join(' · ')), list);
}

const tile = (label, value, more, tone) => h('div', { class: 'tile ' + (tone || '') },
  h('div', { class: 'label' }, label), h('div', { class: 'value' }, value), h('div', { class: 'more' }, more || '\u00a0'));

function traffic(series, by, signal) {
  const t = series.total;
  if (!t.request_count) return card('Traffic', empty('No requests in this period', 'Send one to a node, and it appears here within seconds.'));
  const times = timeline(series);
  const stacked = (title, of, format) => {
    const top = series.groups.filter((g) => g.points.length).map((g, i) => ({ name: g.group, colour: i, values: values(times, g.points, of, 0), sum: format(of(g)) }));
    const all = values(times, series.points, of, 0);
    const left = all.map((v, i) => Math.max(0, v - top.reduce((n, l) => n + l.values[i], 0)));
    const rest = of(t) - series.groups.filter((g) => g.points.length).reduce((n, g) => n + of(g), 0);
    if (series.group_count > top.length) top.push({ name: `${series.group_count - top.length} others`, colour: others, values: left, sum: format(Math.max(0, rest)) });
    return card(title, chart(`${title} by ${by} over time`, series.step, times, top, { stacked: true, format, signal }), legend(top));
  };
  const ttft = [
    { name: 'p50', colour: 1, values: values(times, series.points, (p) => p.p50_ttft_ms || null, null), sum: duration(t.p50_ttft_ms) },
    { name: 'p95', colour: 0, values: values(times, series.points, (p) => p.p95_ttft_ms || null, null), sum: duration(t.p95_ttft_ms) },
  ];
  return [
    h('div', { class: 'tiles' }, tile('Requests', count(t.request_count)), tile('Errors', percent(t.error_count, t.request_count), count(t.error_count) + (t.error_count === 1 ? ' request' : ' requests'), t.error_count > 0.02 * t.request_count ? 'bad' : ''),
      tile('Tokens', count(t.total_tokens)), tile('Cost', money(t.total_cost_usd), money(t.total_cost_usd / t.request_count) + ' per request'), tile('Time to first token', duration(t.p50_ttft_ms), 'p95 ' + duration(t.p95_ttft_ms))),
    h('div', { class: 'grid' },
      stacked('Requests', (p) => p.request_count, count),
      stacked('Cost', (p) => Number(p.total_cost_usd), money),
      card('Time to first token', chart('Time to first token, median and 95th percentile, over time', series.step, times, ttft, { format: duration, signal }), legend(ttft)),
      stacked('Errors', (p) => p.error_count, count),
      stacked('Tokens', (p) => p.total_tokens, count)),
    card(dimensions[by], table(dimensions[by], [
      { head: by === 'model' ? 'Model' : 'Provider', cell: (g) => (by === 'model' && g.group !== '(unknown)' ? h('a', { href: '#/routing/' + encodeURIComponent(g.group) }, g.group) : g.group || 'none') },
      { head: 'Requests', class: 'num', cell: (g) => count(g.request_count) },
      { head: 'Errors', class: 'num', cell: (g) => percent(g.error_count, g.request_count) },
      { head: 'Tokens', class: 'num', cell: (g) => count(g.total_tokens) },
      { head: 'Cost', class: 'num', cell: (g) => money(g.total_cost_usd) },
      { head: 'TTFT p50', class: 'num', cell: (g) => duration(g.p50_ttft_ms) },
      { head: 'TTFT p95', class: 'num', cell: (g) => duration(g.p95_ttft_ms) },
    ], series.groups), series.group_count > series.groups.length ? h('p', { class: 'soft more-below' }, `and ${series.group_count - series.groups.length} others with fewer requests`) : null),
  ];
}
