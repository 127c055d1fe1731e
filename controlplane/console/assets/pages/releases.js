// What was changed, by whom and why; which nodes have it; where every usage event is.
import { h, show, count, badge, card, empty, table, toast, failed, moment, duration } from '../dom.js';
import { get, poll, send } from '../api.js';
import { form } from './limits.js';

const tabs = { releases: 'Releases', nodes: 'Nodes', ledger: 'Ledger', audit: 'Audit log' };
const size = 50; // entries of a page

export async function render(root, context) {
  const [what] = context.params;
  const { go } = context;
  if (/^\d+$/.test(what || '')) return one(root, context, Number(what));
  const fill = { nodes, ledger, audit }[what] || releases;
  const current = fill === releases ? 'releases' : what;
  const body = h('div');
  show(root, h('div', { class: 'head' }, h('h1', {}, 'Releases'), h('div', { class: 'tabs', role: 'group', 'aria-label': 'View' }, Object.entries(tabs).map(([key, text]) =>
    h('button', { 'aria-pressed': String(key === current), onclick: () => go(key === 'releases' ? 'releases' : 'releases/' + key) }, text)))), body);
  await fill(body, context);
}

// pages shows a list newest first, with a button for older entries.
async function pages(body, signal, path, key, draw, hint) {
  const list = h('div', { class: 'card' });
  show(body, list);
  let rows = await get(path, { limit: size }, signal);
  let more = rows.length === size;
  const redraw = () => show(list, rows.length ? draw(rows) : hint, more ? h('div', { class: 'row below' }, h('button', {
    onclick: async (e) => {
      e.target.disabled = true;
      try {
        const next = await get(path, { limit: size, before: rows.at(-1)[key] }, signal);
        more = next.length === size;
        rows = rows.concat(next);
        redraw();
      } catch (err) {
        failed(err);
      }
    },
  }, 'Show older ones')) : null);
  redraw();
}

const releases = (body, { signal, go }) => pages(body, signal, '/admin/releases', 'release', (rows) => table('Releases', [
  { head: 'Release', cell: (r) => [h('a', { href: '#/releases/' + r.release }, String(r.release)), ' ', r.current ? badge('current', 'good') : null] },
  { head: 'Time', class: 'tight', cell: (r) => moment(r.time) }, { head: 'Author', cell: (r) => r.author }, { head: 'Reason', cell: (r) => r.reason || '–' }, { head: 'Models', class: 'num', cell: (r) => count(r.models) },
], rows, (r) => go('releases/' + r.release)), empty('No release yet', 'The first one is made when models.yaml is loaded.'));

async function one(root, context, number) {
  const { signal, may, live } = context;
  const [[release], diff, list] = await Promise.all([get('/admin/releases', { limit: 1, before: number + 1 }, signal), get(`/admin/releases/${number}/diff`, {}, signal).catch((err) => ({ changes: [], from: 0, error: err.message })), get('/admin/releases', { limit: 1 }, signal)]);
  if (release?.release !== number) return show(root, h('a', { href: '#/releases' }, '← Releases'), empty('No release ' + number, 'It was never made, or is no longer kept.'));
  const current = list[0].release;
  const since = number === current ? null : await get(`/admin/releases/${number}/diff`, { from: current }, signal);
  const locked = !may('admin') ? 'Needs the role admin' : number === current ? 'It is the current release' : null;
  const acknowledged = h('div');
  show(root, h('a', { href: '#/releases' }, '← Releases'), h('div', { class: 'head request' }, h('h1', {}, 'Release ' + number, ' ', number === current ? badge('current', 'good') : null),
    h('button', { class: 'primary', disabled: !!locked, title: locked, onclick: () => rollback(context, number, since).catch(failed) }, 'Roll back to this')),
  h('div', { class: 'grid two' },
    card('What it changed', changes(diff.changes, diff.from ? `since release ${diff.from}` : diff.error || 'It is the first release that is kept.')),
    card('Release', h('dl', {}, [['Time', moment(release.time)], ['Author', release.author], ['Reason', release.reason || '–'], ['Hash', h('span', { class: 'mono' }, release.hash.slice(0, 16))]].map(([name, value]) => [h('dt', {}, name), h('dd', {}, value || '–')])))),
  since ? card('What returning to it would change', changes(since.changes, 'Nothing: it routes as the current release does.')) : null, acknowledged);
  if (number !== current) return;
  live.watch(signal, (state) => show(acknowledged, card('Nodes', state.fleet.length ? table('Nodes', [
    { head: 'Node', cell: (n) => n.node }, { head: 'Acknowledgement', cell: (n) => acknowledgement(n, number) }, { head: 'Release', class: 'num', cell: (n) => n.release }, { head: 'Reason', cell: (n) => n.reason || '–' },
  ], state.fleet) : empty('No nodes', 'No node is there to serve it.'))));
}

function acknowledgement(n, number) {
  if (n.state === 'stale') return badge('silent', 'bad');
  if (n.release_state === 'rejected') return badge('rejected', 'bad');
  return n.release >= number ? badge('applied', 'good') : badge('pending', 'warn');
}

const changes = (list, none) => (list.length ? h('ul', { class: 'changes' }, list.map((text) => h('li', {}, text))) : h('p', { class: 'soft' }, none));

async function rollback(context, number, since) {
  let made = null;
  await form('Roll back to release ' + number, 'Roll back', () => ({
    content: [h('p', {}, 'This makes a new release with its content, weights included.'), changes(since.changes, 'Nothing changes.')],
    submit: async (reason) => { made = await send('POST', `/admin/releases/${number}/rollback`, { reason, wait_ms: 15_000, if_release: since.from }); },
  }));
  if (!made) return;
  const late = made.nodes.filter((n) => n.state !== 'applied');
  toast(made.changed ? `Release ${made.release} is made; ${made.nodes.length - late.length} of ${made.nodes.length} nodes serve it.` : 'Nothing was to be changed.', { tone: late.length ? 'warn' : 'good' });
  context.go('releases/' + made.release);
}

async function nodes(body, { signal }) {
  const draw = (list) => show(body, list.length ? list.map((n) => h('section', { class: 'card' }, h('div', { class: 'head' },
    h('h2', {}, n.node, ' ', n.draining ? badge('draining', 'warn') : badge(n.state, n.state === 'live' ? 'good' : n.state === 'stale' ? 'bad' : 'plain'), ' ', n.release_state === 'rejected' ? badge('release rejected', 'bad') : null), h('small', {}, 'heartbeat ', duration(n.last_seen_ms), ' ago')),
  h('dl', {}, [['Version', n.version], ['Release', `${n.release} from ${n.source === 'disk' ? 'its disk' : 'NATS'}`], ['Rejected because', n.release_state === 'rejected' ? n.reason : ''], ['Up for', duration(1000 * n.uptime_s)], ['Requests', `${count(n.requests)}, ${count(n.in_flight)} in flight`],
    ['Usage events', `${count(n.usage_issued)} issued, ${count(n.usage_pending)} pending, ${count(n.usage_lost)} lost`], ['Clock', Math.abs(n.clock_skew_ms) > 2000 ? 'off by ' + duration(Math.abs(n.clock_skew_ms)) : ''], ['Notes', n.notes.join('; ')],
    ['Endpoints in trouble', n.troubled.slice(0, 10).map((t) => `${t.endpoint} (${t.state.replace('_', ' ')})`).join(', ')], ['Missing secrets', [...new Set(n.missing_secrets.map((m) => m.variable))].slice(0, 10).join(', ')],
  ].filter(([, value]) => value).map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])))) : h('div', { class: 'card' }, empty('No nodes', 'A node appears here a few seconds after it has started.')));
  draw(await get('/admin/nodes', {}, signal));
  const timer = setInterval(() => { if (!document.hidden) poll('/admin/nodes', {}, signal).then(draw).catch(failed); }, 3000);
  signal.addEventListener('abort', () => clearInterval(timer));
}

async function ledger(body, { signal, may, go }) {
  const [l, letters] = await Promise.all([get('/admin/ledger', {}, signal), get('/admin/deadletters', { limit: 100 }, signal)]);
  const number = (name, of) => ({ head: name, class: 'num', cell: (b) => count(b[of]) });
  const sound = l.sum.balanced && !l.sum.lost && !l.gaps.length && !l.dead_letters;
  const waiting = l.sinks.reduce((n, s) => n + s.waiting_frames, 0);
  show(body, h('div', { class: 'notice ' + (sound ? 'good' : 'bad') }, h('strong', {}, sound ? 'Every usage event is accounted for.' : 'The ledger needs attention.'),
    h('p', {}, [`${count(l.sum.issued)} issued, ${count(l.sum.stored)} stored`, l.sum.lost ? count(l.sum.lost) + ' lost' : null, l.dead_letters ? count(l.dead_letters) + ' dead letters' : null, l.gaps.length ? count(l.gaps.length) + ' gaps in the last day' : null, l.sum.balanced ? null : 'the sum does not add up'].filter(Boolean).join(' · '))),
  card('Nodes', l.nodes.length ? table('Balance by node', [{ head: 'Node', cell: (b) => [b.node, ' ', b.balanced ? null : badge('unbalanced', 'bad')] }, number('Issued', 'issued'), number('Stored', 'stored'), number('In transit', 'in_transit'), number('Pending', 'pending'), number('Dead letters', 'dead_lettered'), number('Lost', 'lost')], l.nodes)
    : empty('No nodes', 'None has issued an event.')),
  card('Stores', table('Stores', [{ head: 'Store', cell: (s) => s.sink }, { head: 'Frames waiting', class: 'num', cell: (s) => count(s.waiting_frames) }, { head: 'Frames in progress', class: 'num', cell: (s) => count(s.frames_in_hand) }], l.sinks),
    h('p', { class: 'more-below soft' }, waiting ? `${count(waiting)} frames wait in NATS.` : 'Nothing waits in NATS.')),
  l.gaps.length ? card('Gaps of the last day', table('Gaps', [{ head: 'Node', cell: (g) => g.node }, { head: 'From', class: 'num', cell: (g) => g.first }, { head: 'To', class: 'num', cell: (g) => g.last }], l.gaps.slice(0, 200))) : null,
  card('Dead letters', letters.length ? dead(letters, may, go) : empty('No dead letters', 'The stores have taken every event.')));
}

function dead(letters, may, go) {
  const locked = may('admin') ? null : 'Needs the role admin';
  const act = (text, path, what, tone) => h('button', { class: tone, disabled: !!locked, title: locked, onclick: () => form(text + ' dead letters', text, () => ({
    content: h('p', {}, what),
    submit: async (reason) => {
      const { done } = await send('POST', '/admin/deadletters/' + path, { all: true, reason });
      toast(`${count(done.length)} dead letters: ${path === 'drop' ? 'dropped' : 'sent to the stores again'}.`);
      go('releases/ledger?at=' + Date.now());
    },
  }), tone) }, text);
  return [table('Dead letters', [{ head: 'Id', cell: (d) => String(d.id) }, { head: 'Time', class: 'tight', cell: (d) => moment(d.time) }, { head: 'Node', cell: (d) => d.node }, { head: 'Reason', cell: (d) => d.reason },
    { head: 'Event', cell: (d) => h('details', {}, h('summary', {}, count(d.bytes) + ' bytes'), h('pre', {}, d.event || '(cannot be unpacked)')) }], letters),
  h('div', { class: 'row end below' }, act('Replay all', 'replay', 'They are sent to the stores again. What is refused again comes back here.'), act('Drop all', 'drop', 'They are deleted for good: what they count is in no report.', 'danger'))];
}

const audit = (body, { signal }) => pages(body, signal, '/admin/audit', 'id', (rows) => table('Audit log', [
  { head: 'Action', class: 'tight', cell: (e) => h('span', { class: 'mono' }, e.action) }, { head: 'Time', class: 'tight', cell: (e) => moment(e.time) }, { head: 'Author', cell: (e) => e.author }, { head: 'Target', cell: (e) => e.target || '–' },
  { head: 'Reason', cell: (e) => e.reason || '–' }, { head: 'Detail', cell: (e) => detail(e.detail) },
], rows), empty('Nothing was changed yet', 'Every change is recorded here with its author and reason.'));

function detail(value) {
  const text = value === null || value === undefined || value === '' ? '' : typeof value === 'string' ? value : JSON.stringify(value, null, 1);
  if (text.length <= 60) return text ? h('span', { class: 'mono' }, text) : '–';
  return h('details', {}, h('summary', {}, 'show'), h('pre', {}, text));
}
