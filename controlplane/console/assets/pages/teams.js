// Teams: their members, limits and use.
import { h, show, card, empty, field, table, toast, failed, count } from '../dom.js';
import { get, send } from '../api.js';
import * as limits from './limits.js';
import { brief, used } from './keys.js';

const words = (text) => text.split(',').map((w) => w.trim()).filter(Boolean);

export async function teams(body, { signal, go }) {
  const [all, held] = await Promise.all([get('/admin/teams', {}, signal), get('/admin/limits', {}, signal)]);
  const of = (t) => held.filter((l) => l.holder === 'team' && l.id === t.id);
  show(body, h('div', { class: 'card' }, all.length ? table('Teams', [
    { head: 'Team', cell: (t) => h('a', { href: '#/keys/team/' + t.id }, t.name) }, { head: 'Owner', cell: (t) => t.owner || '–' },
    { head: 'Users', class: 'num', cell: (t) => count(t.users.length) }, { head: 'Keys', class: 'num', cell: (t) => count(t.keys.length) },
    { head: 'Models', cell: (t) => (t.models.length ? t.models.join(', ') : 'all') }, { head: 'Limits', cell: (t) => brief(of(t), t.limits) },
  ], all, (t) => go('keys/team/' + t.id)) : empty('No teams yet', 'A team shares limits among users and keys, such as a budget per month.')));
}

export async function team(root, context, id) {
  const { signal, may, go } = context;
  const again = () => team(root, context, id);
  const t = await get('/admin/teams/' + encodeURIComponent(id), {}, signal);
  const [held, byKey, byModel] = await Promise.all([
    get('/admin/limits', { of: 'team:' + t.name }, signal), get('/admin/usage', { team: t.id, by: 'key', since: '30d' }, signal).catch(() => []), get('/admin/usage', { team: t.id, by: 'model', since: '30d' }, signal).catch(() => []),
  ]);
  const locked = may('admin') ? null : 'Needs the role admin';
  const button = (text, f, tone) => h('button', { class: tone, disabled: !!locked, title: locked, onclick: () => f().catch(failed) }, text);
  const fact = (name, value) => [h('dt', {}, name), h('dd', {}, value || '–')];
  show(root, h('a', { href: '#/keys/teams' }, '← Teams'), h('div', { class: 'head request' }, h('h1', {}, t.name), h('div', { class: 'row' },
    button('Limits', () => limits.edit(t.name, 'team:' + t.name, t.limits, again)), button('Change', () => change(t, again)), button('Delete', () => remove(t, go), 'danger'))),
  h('div', { class: 'grid two' }, card('Limits', limits.list(held, 'team')),
    card('Team', h('dl', {}, fact('Owner', t.owner), fact('Users', t.users.join(', ')), fact('Models', t.models.join(', ') || 'all'), fact('Keys', count(t.keys.length)), Object.entries(t.metadata).map(([name, value]) => fact(name, value))),
      h('p', { class: 'more-below' }, h('a', { href: '#/requests?since=24h&team=' + t.id }, 'Its requests')))),
  card('Keys of the last 30 days', used(byKey, 'Key', (r) => r.key_name || r.key, (r) => r.key && '#/keys/' + r.key)), card('Models of the last 30 days', used(byModel, 'Model', (r) => r.model)));
}

function fields(t) {
  const input = (name, value, more) => h('input', { name, value, autocomplete: 'off', ...more });
  const all = { name: input('name', t.name, { required: true, maxlength: 200 }), owner: input('owner', t.owner, { maxlength: 200 }), users: input('users', t.users.join(', ')), models: input('models', t.models.join(', '), { placeholder: 'all' }) };
  return {
    element: h('div', { class: 'fields' }, field('Name', all.name), field('Owner', all.owner, 'who answers for it'), field('Users', all.users, 'separated by commas'), field('Models', all.models, 'separated by commas')),
    read: () => ({ name: all.name.value.trim(), owner: all.owner.value.trim(), users: words(all.users.value), models: words(all.models.value) }),
  };
}

export async function newTeam({ go }) {
  let made = null;
  await limits.form('New team', 'Create team', () => {
    const own = fields({ name: '', owner: '', users: [], models: [] });
    const bounds = limits.inputs();
    return { content: [own.element, h('h3', {}, 'Limits'), bounds.element], submit: async (reason) => { made = await send('POST', '/admin/teams', { ...own.read(), limits: bounds.read(), reason }); } };
  });
  if (!made) return;
  toast('Team ' + made.name + ' is made.');
  go('keys/team/' + made.id);
}

async function change(t, again) {
  await limits.form('Change ' + t.name, 'Save', () => {
    const own = fields(t);
    return { content: own.element, submit: (reason) => send('PATCH', '/admin/teams/' + t.id, { ...own.read(), reason }) };
  });
  await again();
}

async function remove(t, go) {
  let done = false;
  await limits.form('Delete ' + t.name, 'Delete', () => ({
    content: h('p', {}, t.keys.length || t.users.length ? `Its ${count(t.users.length)} users and ${count(t.keys.length)} keys will belong to no team, and its limits will bound nobody.` : 'It has no users and no keys.'),
    submit: async (reason) => {
      await send('DELETE', '/admin/teams/' + t.id, { force: true, reason });
      done = true;
    },
  }), 'danger');
  if (!done) return;
  toast('Team ' + t.name + ' is deleted.');
  go('keys/teams');
}
