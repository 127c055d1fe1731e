// What is it costing, is it healthy?
import { h, show, card, count, money, duration, percent, badge, empty, table } from '../dom.js';
import { get } from '../api.js';

const spans = { '1': 'Last hour', '24': 'Day', '720': '30 days' };

export async function render(root, { live, signal, query, go }) {
  const hours = spans[query.get('hours')] ? query.get('hours') : '24';
  const now = h('div', { 'aria-live': 'polite' });
  const fleet = h('div');
  const tabs = h('div', { class: 'tabs', role: 'group', 'aria-label': 'Period' }, Object.entries(spans).map(([n, text]) =>
    h('button', { 'aria-pressed': String(n === hours), onclick: () => go('overview?hours=' + n) }, text)));
  const figures = h('div');
  show(root, h('div', { class: 'head' }, h('h1', {}, 'Overview'), tabs), now, figures, fleet);
  live.watch(signal, (state, rate) => {
    show(now, troubles(state));
    show(fleet, nodes(state, rate));
  });
  const answer = await get('/admin/stats', { by: 'model', hours }, signal);
  show(figures, answer.error ? empty('There is no request log', answer.error) : totals(answer.groups));
}

// troubles says in words what is wrong.
function troubles(state) {
  const lines = state.problems.map((p) => p.message);
  for (const e of state.endpoints) {
    if (e.state === 'disabled') continue;
    const why = e.nodes[0] ? ': ' + (e.nodes[0].reason || e.nodes[0].state.replace('_', ' ')) : '';
    lines.push(h('span', {}, h('a', { href: '#/routing/' + encodeURIComponent(e.model) }, e.endpoint), ' is ' + (e.state === 'down' ? 'down' : 'down on some nodes') + why));
  }
  for (const n of state.fleet) {
    if (n.state === 'stale') lines.push('Node ' + n.node + ' has stopped sending heartbeats.');
    else if (n.release_state === 'rejected') lines.push('Node ' + n.node + ' rejected the release: ' + n.reason);
  }
  if (state.nodes.live === 0) lines.unshift('No node is live: requests are not served.');
  if (lines.length === 0) return h('div', { class: 'notice good' }, h('strong', {}, 'All is well.'), ' ' + state.nodes.live + (state.nodes.live === 1 ? ' node serves' : ' nodes serve') + ' release ' + state.release + '.');
  return h('div', { class: 'notice bad' }, h('strong', {}, lines.length === 1 ? 'One thing needs attention' : lines.length + ' things need attention'), h('ul', {}, lines.slice(0, 20).map((l) => h('li', {}, l))));
}

function nodes(state, rate) {
  const list = state.fleet.length ? table('Nodes', [
    { head: 'Node', cell: (n) => n.node },
    { head: 'State', cell: (n) => (n.draining ? badge('draining', 'warn') : badge(n.state, n.state === 'live' ? 'good' : 'bad')) },
    { head: 'Release', class: 'num', cell: (n) => n.release },
    { head: 'In flight', class: 'num', cell: (n) => count(n.in_flight) },
    { head: 'Requests', class: 'num', cell: (n) => count(n.requests) },
    { head: 'Version', cell: (n) => n.version },
  ], state.fleet) : empty('No nodes', 'A node appears here a few seconds after it has started.');
  const speed = rate === null ? '' : ' · ' + count(rate) + ' requests/s';
  return card('Fleet', h('p', { class: 'soft' }, state.nodes.live + ' live, ' + state.applied + ' of them on release ' + state.release + ' · ' + count(state.in_flight) + ' in flight' + speed), list);
}

const sum = (groups, name) => groups.reduce((n, g) => n + Number(g[name]), 0);

function tile(label, value, more, tone) {
  return h('div', { class: 'tile ' + (tone || '') }, h('div', { class: 'label' }, label), h('div', { class: 'value' }, value), more ? h('div', { class: 'more' }, more) : null);
}

function totals(groups) {
  if (!groups.length) return card('Traffic', empty('No requests in this period', 'Send one to a node, and it appears here within seconds.'));
  const requests = sum(groups, 'request_count');
  const errors = sum(groups, 'error_count');
  return [
    h('div', { class: 'tiles' },
      tile('Requests', count(requests)), tile('Errors', count(errors), percent(errors, requests), errors ? 'bad' : ''),
      tile('Tokens', count(sum(groups, 'total_tokens'))), tile('Cost', money(sum(groups, 'total_cost_usd')))),
    card('By model', table('By model', [
      { head: 'Model', cell: (g) => h('a', { href: '#/routing/' + encodeURIComponent(g.group) }, g.group) },
      { head: 'Requests', class: 'num', cell: (g) => count(g.request_count) },
      { head: 'Errors', class: 'num', cell: (g) => percent(g.error_count, g.request_count) },
      { head: 'Tokens', class: 'num', cell: (g) => count(g.total_tokens) },
      { head: 'Cost', class: 'num', cell: (g) => money(g.total_cost_usd) },
      { head: 'TTFT p50', class: 'num', cell: (g) => duration(g.p50_ttft_ms) },
      { head: 'TTFT p95', class: 'num', cell: (g) => duration(g.p95_ttft_ms) },
    ], [...groups].sort((a, b) => b.request_count - a.request_count))),
  ];
}
