// Where do requests go, and where should they go?
import { h, show, count, percent, badge, empty, field, dialog, toast, failed, moment } from '../dom.js';
import { get, poll, send } from '../api.js';
import * as shadow from './shadow.js';

const periods = { '5m': '5 minutes', '1h': 'Hour', '24h': 'Day' };
const page = 20; // models shown at once

export async function render(root, context) {
  const { params, query, signal, go, live } = context;
  const since = periods[query.get('since')] ? query.get('since') : '5m';
  const search = h('input', { type: 'search', placeholder: 'Find a model, endpoint or provider', 'aria-label': 'Find a model, endpoint or provider', value: params[0] || query.get('q') || '' });
  const list = h('div');
  show(root, h('div', { class: 'head' }, h('h1', {}, 'Routing'), h('div', { class: 'row' },
    h('span', { class: 'soft' }, 'Real traffic of the last'),
    h('div', { class: 'tabs', role: 'group', 'aria-label': 'Period' }, Object.entries(periods).map(([key, text]) =>
      h('button', { 'aria-pressed': String(key === since), onclick: () => go(`routing?since=${key}&q=${encodeURIComponent(search.value)}`) }, text))))),
  h('div', { class: 'row search' }, search), list);

  let models = [];
  let traffic = new Map();
  let shown = page;
  const draw = () => {
    const wanted = search.value.trim().toLowerCase();
    const found = models.filter((m) => !wanted || [m.model, m.name, ...m.endpoints.flatMap((e) => [e.endpoint, e.provider])].some((t) => t.toLowerCase().includes(wanted)));
    if (!models.length) return show(list, empty('No models', 'models.yaml names none yet.'));
    if (!found.length) return show(list, empty('No model matches', `None of ${models.length} models has “${search.value}” in its name, endpoints or providers.`));
    show(list, found.slice(0, shown).map((m) => model(m, traffic, { ...context, reload })),
      found.length > shown ? h('button', { onclick: () => { shown += 5 * page; draw(); } }, `Show more of ${found.length} models`) : null);
  };
  // Only what has changed is drawn anew: a button must not vanish under the finger.
  let drawn = '';
  const reload = async (ask = poll) => {
    models = await load(ask, signal);
    const text = JSON.stringify(models);
    if (text !== drawn) draw();
    drawn = text;
  };
  const measure = async (ask = poll) => {
    const answer = await ask('/admin/series', { since, by: 'endpoint', top: 0, limit: 1000 }, signal);
    traffic = new Map(answer.groups.map((g) => [g.group, g]));
    for (const box of list.querySelectorAll('[data-model]')) fillTraffic(box, models.find((m) => m.model === box.dataset.model), traffic);
  };
  search.addEventListener('input', () => { shown = page; draw(); });
  await Promise.all([reload(get), measure(get).catch((err) => { if (err.name !== 'AbortError') show(list.parentNode.querySelector('.search'), search, h('small', {}, 'Real traffic is not known: ' + err.message)); })]);
  draw();
  let seen = null;
  live.watch(signal, (now) => { // at once when a breaker opens or a release comes
    const text = JSON.stringify([now.endpoints, now.release, now.applied]);
    if (seen !== null && text !== seen) reload().catch(failed);
    seen = text;
  });
  const timer = setInterval(() => { if (!document.hidden) measure().catch(failed); }, since === '5m' ? 2000 : 30_000);
  signal.addEventListener('abort', () => clearInterval(timer));
}

// rolloutLine says where a rollout is. How long it stays there would change every second.
const rolloutLine = (r) => (r ? `Rollout to ${r.endpoint}: step ${r.step} of ${r.steps.length}, ${r.share} % of the traffic${r.state === 'paused' ? ', paused' : ''}. A change by hand ends it.` : null);

const policyWords = { weighted: 'by weight', priority: 'by priority', least_busy: 'least busy first', latency: 'fastest first', cost: 'cheapest first' };
const affinityWords = { prefix: 'same beginning of the prompt', session: 'same session' };

// policyLine says how an endpoint is chosen.
function policyLine(p) {
  if (!p) return null;
  const text = policyWords[p.policy] + (p.affinity === 'none' ? '' : `, ${affinityWords[p.affinity]} to the same endpoint`);
  return p.override ? text + ` (set by an operator; the files say ${p.configured_policy}, affinity ${p.configured_affinity})` : text;
}

// load gathers models with their endpoints.
async function load(ask, signal) {
  const [routing, endpoints, models, rollouts, policies] = await Promise.all([ask('/admin/routing', {}, signal), ask('/admin/endpoints', {}, signal), ask('/admin/models', {}, signal),
    ask('/admin/rollouts', { active: true }, signal), ask('/admin/policies', {}, signal)]);
  const chosen = new Map(policies.map((p) => [p.model, p]));
  const states = new Map(endpoints.map((e) => [e.endpoint, e]));
  const list = models.map((m) => ({
    model: m.model, name: m.name, release: routing.release, rollout: rolloutLine(rollouts.find((r) => r.model === m.model)), policy: policyLine(chosen.get(m.model)),
    endpoints: (routing.routes[m.model] || []).map((r) => ({ ...r, ...states.get(r.endpoint), weight: states.get(r.endpoint)?.weight ?? r.configured })),
  }));
  const rank = (m) => (m.endpoints.some((e) => e.state === 'down' || e.state === 'partly') ? 0 : 1);
  return list.sort((a, b) => rank(a) - rank(b)); // what needs attention first
}

const tones = { up: 'good', partly: 'warn', down: 'bad', off: 'plain', disabled: 'warn' };
const names = { up: 'up', partly: 'partly down', down: 'down', off: 'no weight', disabled: 'disabled' };
const faults = { open: 'circuit breaker open', half_open: 'circuit breaker half open', cooling: 'cooling down', probe_failed: 'health check fails', full: 'full', unprobed: 'works, has no health check', missing_secret: 'secret missing' };

const times = (n) => n.toLocaleString('en') + (n === 1 ? ' request' : ' requests');
const short = (m, e) => (e.endpoint.startsWith(m.model + ':') ? e.endpoint.slice(m.model.length + 1) : e.endpoint);
const sum = (list, of) => list.reduce((n, x) => n + of(x), 0);
const bar = (share, kind) => h('div', { class: 'bar ' + kind, 'aria-hidden': 'true' }, h('span', { style: { width: Math.min(100, 100 * share) + '%' } }));

function model(m, traffic, context) {
  const { may } = context;
  const weights = sum(m.endpoints, (e) => (e.disabled ? 0 : e.weight));
  const changed = m.endpoints.some((e) => e.override !== null);
  const locked = may('operator') ? null : 'Needs the role operator';
  const box = h('section', { class: 'card model', 'data-model': m.model },
    h('div', { class: 'head' }, h('div', {}, h('h2', {}, m.model), h('small', {}, m.name !== m.model ? m.name + ' · ' : null, m.policy ? m.policy + ' · ' : null, h('span', { class: 'all' }))),
      h('div', { class: 'row' }, changed ? badge('weights changed', 'warn') : null,
        m.endpoints.some((e) => /^shadow/.test(e.share)) ? h('button', { class: 'small', onclick: () => shadow.report(m.model, context.signal).catch(failed) }, 'Shadows') : null,
        h('button', { class: 'small', onclick: () => explain(m).catch(failed) }, 'Explain'),
        changed ? h('button', { class: 'small', disabled: !!locked, title: locked, onclick: () => resetWeights(m, context).catch(failed) }, 'Reset') : null,
        h('button', { class: 'small', disabled: !!locked || m.endpoints.length === 0, title: locked, onclick: () => edit(m, context).catch(failed) }, 'Move traffic'))),
    m.rollout ? h('p', { class: 'soft', role: 'status' }, m.rollout) : null,
    m.endpoints.length === 0 ? empty('No endpoints', 'None of this model’s endpoints has an address.') : h('div', { class: 'endpoints' },
      h('div', { class: 'keys soft', 'aria-hidden': 'true' }, h('span', {}), h('span', {}, 'Weight'), h('span', {}, 'Real traffic'), h('span', {})),
      m.endpoints.map((e) => endpoint(m, e, weights, context))));
  fillTraffic(box, m, traffic);
  return box;
}

// fillTraffic shows what the endpoints of a model really get.
function fillTraffic(box, m, traffic) {
  const requests = (e) => traffic.get(e.endpoint)?.request_count || 0;
  const all = sum(m.endpoints, requests);
  box.querySelector('.all').textContent = all ? times(all) : 'no requests';
  for (const e of m.endpoints) {
    const n = requests(e);
    const errors = traffic.get(e.endpoint)?.error_count || 0;
    show(box.querySelector(`[data-endpoint="${CSS.escape(e.endpoint)}"] .traffic`), bar(all ? n / all : 0, 'real'), h('span', { class: 'real' }, all ? percent(n, all) : '–',
      h('small', {}, n ? `${times(n)}${errors ? ', ' + count(errors) + ' failed' : ''}` : 'none')));
  }
}

function endpoint(m, e, weights, context) {
  const share = weights && !e.disabled ? e.weight / weights : 0;
  const troubles = e.nodes || [];
  const locked = context.may('operator') ? null : 'Needs the role operator';
  return h('div', { class: 'endpoint', 'data-endpoint': e.endpoint },
    h('div', {}, h('strong', {}, short(m, e)), h('small', {}, e.provider), ' ', badge(names[e.state] || e.state, tones[e.state])),
    h('div', { class: 'measure' }, bar(share, ''), h('span', { class: 'weight' }, percent(share, 1), h('small', {}, /^shadow/.test(e.share) ? e.share : `weight ${e.weight}${e.override !== null ? `, configured ${e.configured}` : ''}`))),
    h('div', { class: 'measure traffic' }),
    h('div', { class: 'act' }, h('button', { class: 'small quiet', disabled: !!locked, title: locked, onclick: () => toggle(e, context).catch(failed) }, e.disabled ? 'Enable' : 'Disable')),
    troubles.length ? h('ul', { class: 'troubles' }, troubles.slice(0, 12).map((t) => h('li', {}, h('b', {}, t.node), ' ', faults[t.state] || t.state, t.reason ? ': ' + t.reason : '',
      t.until_ms ? [', until ', moment(new Date(t.until_ms).toISOString())] : null))) : null);
}

// change makes a change while it shows the nodes' progress, and offers to undo it.
async function change(context, what, method, path, body, undo) {
  const { live, signal } = context;
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Nodes that have applied the release' });
  const text = h('p', { role: 'status' }, 'Publishing the release…');
  const stop = new AbortController();
  signal.addEventListener('abort', () => stop.abort());
  const from = body.if_release || 0;
  live.watch(stop.signal, (now) => {
    if (now.release <= from) return;
    bar.max = now.nodes.live || 1;
    bar.value = now.applied;
    show(text, `${now.applied} of ${now.nodes.live} nodes serve release ${now.release}.`);
  });
  let made = null;
  let problem = null;
  await dialog(what, (close) => {
    send(method, path, { ...body, wait_ms: 15_000 }).then((answer) => { made = answer; }, (err) => { problem = err; }).finally(close);
    return h('div', {}, text, bar);
  });
  stop.abort();
  await context.reload();
  if (problem) return failed(problem);
  if (!made) return;
  const late = made.nodes.filter((n) => n.state !== 'applied');
  const said = late.length ? `Release ${made.release}: ${late.length} of ${made.nodes.length} nodes have not applied it` + (late[0].reason ? ` (${late[0].node}: ${late[0].reason})` : '') + '.'
    : `${what}: done by ${made.nodes.length} ${made.nodes.length === 1 ? 'node' : 'nodes'} in release ${made.release}.`;
  if (!made.changed) return toast('Nothing was to be changed.');
  toast(said, { tone: late.length ? 'warn' : 'good', action: undo ? 'Undo' : null, run: () => undo(made).catch(failed) });
}

// put sets weights; undoing sets the ones from before, unless somebody has made a release since.
async function put(context, m, weights, before, reason, release) {
  await change(context, 'Moving traffic of ' + m.model, 'PUT', '/admin/weights', { model: m.model, weights, reason, if_release: release },
    before && ((made) => put(context, m, before, null, `undo of release ${made.release}`, made.release)));
}

async function edit(m, context) {
  const before = Object.fromEntries(m.endpoints.map((e) => [e.endpoint, e.weight]));
  let chosen = null;
  await dialog('Move traffic of ' + m.model, (close) => {
    const inputs = new Map();
    const bars = new Map();
    const preview = h('div', { class: 'preview', role: 'status' });
    const reason = h('input', { name: 'reason', maxlength: 1000, placeholder: 'for the audit log' });
    const apply = h('button', { class: 'primary', type: 'submit', disabled: true }, 'Move traffic');
    const weights = () => Object.fromEntries([...inputs].map(([id, input]) => [id, Number(input.value)]).filter(([id, w]) => w !== before[id]));
    let asking = null;
    const redraw = () => {
      const total = sum([...inputs.entries()].filter(([id]) => !m.endpoints.find((e) => e.endpoint === id).disabled), ([, input]) => Number(input.value) || 0);
      for (const [id, input] of inputs) show(bars.get(id), bar(total ? Number(input.value) / total : 0, ''), h('span', {}, total ? percent(Number(input.value), total) : '–'));
      if (asking) asking.abort();
      asking = new AbortController();
      apply.disabled = true;
      if (!Object.keys(weights()).length) return show(preview, h('p', { class: 'soft' }, 'Change a weight to see what it does.'));
      trial(m, weights(), asking.signal, preview).then((ok) => { apply.disabled = !ok; }, (err) => { if (err.name !== 'AbortError') show(preview, h('p', { class: 'error' }, err.message)); });
    };
    const rows = m.endpoints.map((e) => {
      const input = h('input', { type: 'number', min: 0, step: 'any', value: e.weight, 'aria-label': 'Weight of ' + e.endpoint, 'data-endpoint': e.endpoint, oninput: redraw, required: true });
      inputs.set(e.endpoint, input);
      bars.set(e.endpoint, h('div', { class: 'measure' }));
      return h('div', { class: 'edit' }, h('div', {}, h('strong', {}, short(m, e)), ' ', badge(names[e.state] || e.state, tones[e.state])), bars.get(e.endpoint), input,
        h('button', { type: 'button', class: 'small', onclick: () => { input.value = 0; redraw(); }, 'aria-label': 'Take all traffic from ' + e.endpoint }, 'None'));
    });
    const form = h('form', { onsubmit: (event) => { event.preventDefault(); chosen = { weights: weights(), reason: reason.value }; close(); } },
      rows, preview, field('Reason', reason), h('div', { class: 'row end' }, h('button', { type: 'button', onclick: close }, 'Cancel'), apply));
    redraw();
    return form;
  });
  if (!chosen) return;
  const undo = Object.fromEntries(Object.keys(chosen.weights).map((id) => [id, before[id]]));
  await put(context, m, chosen.weights, undo, chosen.reason, m.release);
}

// trial says what weights would change, without changing it.
async function trial(m, weights, signal, preview) {
  await new Promise((done) => setTimeout(done, 150)); // of typing
  if (signal.aborted) return false;
  const would = await send('PUT', '/admin/weights', { model: m.model, weights, dry_run: true }, signal);
  show(preview, would.changed ? [h('strong', {}, `Release ${would.release + 1} would change`), h('ul', {}, (would.changes || []).map((c) => h('li', {}, c)))] : h('p', { class: 'soft' }, 'This changes nothing.'));
  return would.changed;
}

const resetWeights = (m, context) => change(context, 'Resetting weights of ' + m.model, 'DELETE', '/admin/weights', { model: m.model, if_release: m.release },
  (made) => put(context, m, Object.fromEntries(m.endpoints.filter((e) => e.override !== null).map((e) => [e.endpoint, e.override])), null, `undo of release ${made.release}`, made.release));

async function toggle(e, context, back) {
  const verb = e.disabled ? 'enable' : 'disable';
  await change(context, (e.disabled ? 'Enabling ' : 'Disabling ') + e.endpoint, 'POST', '/admin/endpoints/' + verb, { endpoints: [e.endpoint], reason: back || '' },
    back ? null : (made) => toggle({ ...e, disabled: !e.disabled }, context, `undo of release ${made.release}`));
}

// explain shows which endpoints a node would try for the model, and why not the others.
export async function explain(m, request) {
  const found = await send('POST', '/admin/explain', { request: request || { model: m.model, messages: [{ role: 'user', content: 'Hi' }] } });
  await dialog('What would become of a request for ' + m.model, () => [
    h('p', { class: 'soft' }, `Asked of node ${found.node}, release ${found.release}. Nothing was sent.`),
    (found.tried || []).length ? [h('h3', {}, 'Tried, in this order'), h('ol', {}, found.tried.map((t) => h('li', {}, h('strong', {}, t.endpoint), ` ${t.provider}, weight ${t.weight}`)))] : h('p', {}, found.message || 'No endpoint would be tried.'),
    (found.left || []).length ? [h('h3', {}, 'Left out'), h('ul', {}, found.left.map((t) => h('li', {}, h('strong', {}, t.endpoint), ' ' + t.reason)))] : null,
  ]);
}
