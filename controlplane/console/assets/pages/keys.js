// Who may use the gateway, how much of it, and who does?
import { h, show, count, money, badge, card, empty, field, table, toast, failed, moment, dialog } from '../dom.js';
import { get, send } from '../api.js';
import * as limits from './limits.js';
import { teams, team, newTeam } from './teams.js';

const size = 200; // keys of a page
const roles = ['free', 'pro', 'internal', 'admin', 'management'];
const needsAdmin = 'Needs the role admin';

export async function render(root, context) {
  const [what, id] = context.params;
  if (what === 'team') return team(root, context, id);
  if (what === 'teams' || what === 'use') return what === 'teams' ? frame(root, context, what, teams) : frame(root, context, what, use);
  return what ? one(root, context, what) : frame(root, context, 'keys', keys);
}

const tabs = { keys: 'Keys', teams: 'Teams', use: 'Who uses what' };

async function frame(root, context, current, fill) {
  const { go, may } = context;
  const body = h('div');
  const locked = may('admin') ? null : needsAdmin;
  const create = (text, f) => h('button', { class: 'primary', disabled: !!locked, title: locked, onclick: () => f(context).catch(failed) }, text);
  show(root, h('div', { class: 'head' }, h('h1', {}, 'Keys and teams'), h('div', { class: 'row' },
    h('div', { class: 'tabs', role: 'group', 'aria-label': 'View' }, Object.entries(tabs).map(([key, text]) =>
      h('button', { 'aria-pressed': String(key === current), onclick: () => go(key === 'keys' ? 'keys' : 'keys/' + key) }, text))),
    current === 'teams' ? create('New team', newTeam) : create('New key', newKey))), body);
  await fill(body, context);
}

async function keys(body, context) {
  const { signal, go } = context;
  const search = h('input', { type: 'search', placeholder: 'Find a key, user or team', 'aria-label': 'Find a key, user or team' });
  const list = h('div', { class: 'card' });
  show(body, h('div', { class: 'row search' }, search), list);
  const [first, held, groups] = await Promise.all([get('/admin/keys', { limit: size }, signal), limitsInUse(signal), get('/admin/teams', {}, signal)]);
  let rows = first;
  let more = first.length === size;
  const names = new Map(groups.map((t) => [t.id, t.name]));
  const teamOf = (k) => names.get(k.team) || groups.find((t) => t.users.includes(k.user))?.name || '';
  const draw = () => {
    const wanted = search.value.trim().toLowerCase();
    const found = rows.filter((k) => !wanted || [k.name, k.id, k.prefix, k.user, teamOf(k)].some((t) => t.toLowerCase().includes(wanted)));
    if (!rows.length) return show(list, empty('No keys yet', 'A key lets a person or a program use the gateway. Make the first one with New key.'));
    show(list, found.length ? table('Keys', [
      { head: 'Key', cell: (k) => [h('a', { href: '#/keys/' + k.id }, k.name), h('br'), h('small', { class: 'mono' }, k.prefix + '…')] },
      { head: 'State', cell: state },
      { head: 'User', cell: (k) => [k.user, teamOf(k) ? h('small', {}, ' ' + teamOf(k)) : null] },
      { head: 'Role', cell: (k) => k.role },
      { head: 'Spent this month', class: 'num', cell: (k) => (k.spent ? money(k.spent.month) : '–') },
      { head: 'Limits', cell: (k) => brief(held.get('key ' + k.id), k.limits) },
      { head: 'Last used', class: 'tight', cell: (k) => (k.last_used ? moment(k.last_used) : 'never') },
    ], found, (k) => go('keys/' + k.id)) : empty('No key matches', `None of the ${rows.length} keys that are loaded has “${search.value}” in its name, user or team.`),
    more ? h('div', { class: 'row below' }, h('button', { onclick: (e) => older(e.target).catch(failed) }, 'Show older keys')) : null);
  };
  const older = async (button) => {
    button.disabled = true;
    const next = await get('/admin/keys', { limit: size, after: rows.at(-1).id }, signal);
    more = next.length === size;
    rows = rows.concat(next);
    draw();
  };
  search.addEventListener('input', draw);
  draw();
}

// limitsInUse returns the limits with their use by holder: "key k_1".
async function limitsInUse(signal) {
  const by = new Map();
  for (const l of await get('/admin/limits', {}, signal)) {
    const of = l.holder + ' ' + l.id;
    by.set(of, [...(by.get(of) || []), l]);
  }
  return by;
}

// brief shows the budget with its use, or how many limits there are.
export function brief(used, own = []) {
  const budget = (used || []).find((l) => l.kind === 'budget');
  const rest = own.length - (budget ? 1 : 0);
  if (!own.length) return h('span', { class: 'soft' }, 'none');
  return [budget ? limits.meter(budget) : null, rest ? h('small', {}, budget ? `and ${rest} more` : own.map(limits.words).join(', ')) : null];
}

export function state(k) {
  if (k.revoked) return badge('revoked', 'bad');
  if (k.disabled) return badge('disabled', 'warn');
  if (k.expires && new Date(k.expires) <= new Date()) return badge('expired', 'bad');
  return k.expires ? [badge('active', 'good'), h('small', {}, ' until ', moment(k.expires))] : badge('active', 'good');
}

async function one(root, context, id) {
  const { signal, may, go } = context;
  const again = () => one(root, context, id);
  const [k, held, byModel] = await Promise.all([
    get('/admin/keys/' + encodeURIComponent(id), {}, signal), get('/admin/limits', { of: 'key:' + id }, signal).catch((err) => { if (err.status === 404) return []; throw err; }), get('/admin/usage', { key: id, by: 'model', since: '30d' }, signal).catch(() => []),
  ]);
  const own = k.team ? await get('/admin/teams/' + k.team, {}, signal) : null;
  const locked = !may('admin') ? needsAdmin : k.revoked ? 'The key is revoked' : null;
  const button = (text, f, tone) => h('button', { class: tone, disabled: !!locked, title: locked, onclick: () => f().catch(failed) }, text);
  const fact = (name, value) => (value === '' || value === null ? null : [h('dt', {}, name), h('dd', {}, value)]);
  show(root, h('a', { href: '#/keys' }, '← Keys'), h('div', { class: 'head request' }, h('h1', {}, k.name, ' ', state(k)), h('div', { class: 'row' },
    button('Limits', () => limits.edit(k.name, 'key:' + k.id, k.limits || [], again)), button('Rotate', () => rotate(k, go)), button('Revoke', () => revoke(k, again), 'danger'))),
  h('div', { class: 'grid two' },
    card('Limits', limits.list(held, 'key')),
    card('Key', h('dl', {}, fact('Begins with', h('span', { class: 'mono' }, k.prefix)), fact('Id', h('span', { class: 'mono' }, k.id)), fact('User', k.user), fact('Team', own ? h('a', { href: '#/keys/team/' + own.id }, own.name) : ''), fact('Role', k.role),
      fact('Models', k.models.length ? k.models.join(', ') : 'all of the role'), fact('Created', moment(k.created)), fact('Expires', k.expires ? moment(k.expires) : 'never'), fact('Revoked', k.revoked ? moment(k.revoked) : ''),
      fact('Last used', k.last_used ? moment(k.last_used) : 'never'), k.spent ? fact('Spent', `${money(k.spent.day)} today, ${money(k.spent.month)} this month, ${money(k.spent.total)} in total`) : null),
    h('p', { class: 'more-below' }, h('a', { href: '#/requests?since=24h&key=' + k.id }, 'Its requests')))),
  card('Models of the last 30 days', used(byModel, 'Model', (r) => r.model)));
}

function used(rows, head, name, link) {
  if (!rows.length) return empty('No requests', 'in this period.');
  return table(head, [
    { head, cell: (r) => (link && link(r) ? h('a', { href: link(r) }, name(r)) : name(r)) }, { head: 'Requests', class: 'num', cell: (r) => count(r.request_count) }, { head: 'Errors', class: 'num', cell: (r) => count(r.error_count) },
    { head: 'Tokens', class: 'num', cell: (r) => count(r.total_tokens) }, { head: 'Cost', class: 'num', cell: (r) => money(r.cost_usd) },
  ], rows);
}

export { used };

const dimensions = { key: 'By key', user: 'By user', team: 'By team', model: 'By model' };

async function use(body, { signal, query, go }) {
  const by = dimensions[query.get('by')] ? query.get('by') : 'team';
  const since = ['24h', '7d', '30d'].includes(query.get('since')) ? query.get('since') : '30d';
  const group = (label, all, now, to) => h('div', { class: 'tabs', role: 'group', 'aria-label': label }, Object.entries(all).map(([key, text]) => h('button', { 'aria-pressed': String(key === now), onclick: () => go('keys/use?' + to(key)) }, text)));
  const list = h('div', { class: 'card' }, h('p', { class: 'soft', role: 'status' }, 'Adding up…'));
  show(body, h('div', { class: 'row search' }, group('Dimension', dimensions, by, (key) => `by=${key}&since=${since}`), group('Period', { '24h': 'Day', '7d': '7 days', '30d': '30 days' }, since, (key) => `by=${by}&since=${key}`)), list);
  const rows = (await get('/admin/usage', { by, since }, signal)).sort((a, b) => b.cost_usd - a.cost_usd || b.request_count - a.request_count);
  const names = { key: (r) => r.key_name || r.key || '(none)', user: (r) => r.user || '(none)', team: (r) => r.team_name || r.team || '(no team)', model: (r) => r.model };
  const links = { key: (r) => r.key && '#/keys/' + r.key, team: (r) => r.team && '#/keys/team/' + r.team };
  const total = rows.reduce((n, r) => n + Number(r.cost_usd), 0);
  show(list, rows.length > 500 ? h('p', { class: 'soft' }, `The 500 of ${count(rows.length)} that cost most; all of them: gatewayctl usage --by ${by} -o csv`) : null,
    rows.length ? h('p', { class: 'soft' }, `${money(total)} in all`) : null, used(rows.slice(0, 500), dimensions[by].slice(3), names[by], links[by]));
}

async function newKey({ go }) {
  let made = null;
  await limits.form('New key', 'Create key', () => {
    const name = h('input', { name: 'name', required: true, maxlength: 200, autocomplete: 'off' });
    const user = h('input', { name: 'user', maxlength: 200, autocomplete: 'off' });
    const role = h('select', { name: 'role' }, roles.map((r) => h('option', {}, r)));
    const team = h('input', { name: 'team', maxlength: 200, autocomplete: 'off' });
    const models = h('input', { name: 'models', placeholder: 'all', autocomplete: 'off' });
    const expires = h('input', { name: 'expires', placeholder: '30d, 2030-01-31T00:00:00Z or never', autocomplete: 'off' });
    const own = limits.inputs();
    const once = [...crypto.getRandomValues(new Uint8Array(16))].join('-'); // a second click makes no second key
    return {
      content: [h('div', { class: 'fields' }, field('Name', name), field('User', user, 'by default the name'), field('Role', role), field('Team', team, 'by default that of the user'), field('Models', models, 'separated by commas'), field('Expires', expires)),
        h('h3', {}, 'Limits'), own.element],
      submit: async (reason) => {
        const list = models.value.split(',').map((m) => m.trim()).filter(Boolean);
        made = await send('POST', '/admin/keys', { name: name.value.trim(), user: user.value.trim(), role: role.value, team: team.value.trim(), models: list, expires: expires.value.trim(), limits: own.read(), reason }, undefined, { 'Idempotency-Key': once });
      },
    };
  });
  if (!made) return;
  await secret('The new key', made.key);
  go('keys/' + made.id);
}

// secret shows a text that is shown once.
export function secret(title, text) {
  return dialog(title, (close) => {
    const box = h('input', { class: 'mono', readonly: true, value: text, 'aria-label': 'Secret', onfocus: (e) => e.target.select() });
    return h('div', {}, h('p', {}, h('strong', {}, 'It is shown only now. '), 'The gateway keeps a hash of it; what is lost has to be rotated.'), box,
      h('div', { class: 'row end below' }, h('button', {
        onclick: async () => {
          try {
            await navigator.clipboard.writeText(text);
            toast('Copied.');
          } catch { // without https browsers refuse
            box.select();
            toast('The browser does not allow copying here: press Ctrl+C.', { tone: 'warn' });
          }
        },
      }, 'Copy'), h('button', { class: 'primary', onclick: close }, 'I have stored it')));
  });
}

async function rotate(k, go) {
  let made = null;
  await limits.form('Rotate ' + k.name, 'Rotate', () => {
    const overlap = h('input', { name: 'overlap', value: '24h', required: true, autocomplete: 'off' });
    return {
      content: [h('p', {}, 'A new key with the same user, limits and models takes its place.'), field('The old key works for another', overlap, 'such as 24h or 7d; 0s ends it at once')],
      submit: async (reason) => { made = await send('POST', `/admin/keys/${k.id}/rotate`, { overlap: overlap.value.trim(), reason }); },
    };
  });
  if (!made) return;
  await secret('The key that replaces ' + k.name, made.key);
  go('keys/' + made.id);
}

async function revoke(k, again) {
  await limits.form('Revoke ' + k.name, 'Revoke', () => ({
    content: h('p', {}, 'Requests with it are refused on all nodes at once. This cannot be undone.'),
    submit: async (reason) => {
      await send('DELETE', '/admin/keys/' + k.id, { reason });
      toast(k.name + ' is revoked.');
    },
  }), 'danger');
  await again();
}
