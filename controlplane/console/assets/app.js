// The shell: who is signed in, where in the console we are, and the navigation.
import { h, show, failed, badge, field } from './dom.js';
import * as api from './api.js';
import { live } from './live.js';
import { pages } from './pages.js';

const app = document.getElementById('app');
let user = null;
let leave = null; // aborts what the current page asked for

const allowed = { viewer: 0, operator: 1, admin: 2 };

// A page is { path, title, icon, render(root, context) }. The context has
// user, may(role), params (what follows the path), query, signal, live and go(path).
function context(params, query, signal) {
  return { user, may: (role) => allowed[user.role] >= allowed[role], params, query, signal, live, go };
}

// go moves to a page: go('requests/gen-1?errors=true').
export function go(path) { location.hash = '#/' + path; }

function route() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, ...params] = path.split('/').map(decodeURIComponent);
  const page = pages.find((p) => p.path === name) || pages[0];
  return { page, params, query: new URLSearchParams(query) };
}

function nav(current) {
  return h('nav', { 'aria-label': 'Pages' }, pages.map((p) => h('a', { href: '#/' + p.path, 'aria-current': p === current ? 'page' : null },
    p.icon(), h('span', {}, p.short || p.title))));
}

function header() {
  const state = h('span', { class: 'dot', role: 'img', 'aria-label': 'not connected' });
  live.onState((up) => {
    state.classList.toggle('up', up);
    const text = up ? 'live' : 'reconnecting';
    state.setAttribute('aria-label', text);
    state.title = text;
  });
  const name = user.name || 'admin';
  return h('header', { class: 'top' },
    h('a', { class: 'brand', href: '#/' + pages[0].path }, h('img', { src: '/console/icon.svg', alt: '', width: 24, height: 24 }), 'Gateway'),
    h('div', { class: 'who' }, state, h('span', { class: 'name', title: name }, name), name === user.role ? null : badge(user.role),
      user.method === 'local' ? null : h('button', { class: 'quiet small', onclick: signOut }, 'Sign out')));
}

async function signOut() {
  try {
    await api.signOut();
  } catch (err) {
    failed(err);
  }
  signInPage('');
}

async function render() {
  if (!user) return;
  if (leave) leave.abort();
  leave = new AbortController();
  const { page, params, query } = route();
  document.title = page.title + ' · Gateway';
  const main = h('main', { id: 'main', tabindex: -1 });
  const old = document.getElementById('main');
  if (old) {
    old.replaceWith(main);
    document.querySelector('nav').replaceWith(nav(page));
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  } else {
    show(app, h('a', { class: 'skip', href: '#main', onclick: (e) => { e.preventDefault(); document.getElementById('main').focus(); } }, 'Skip to content'),
      header(), h('div', { class: 'frame' }, nav(page), main));
  }
  try {
    await page.render(main, context(params, query, leave.signal));
  } catch (err) {
    if (err.name === 'AbortError') return;
    show(main, h('h1', {}, page.title), h('div', { class: 'notice bad', role: 'alert' }, h('strong', {}, 'This page could not be loaded.'), h('p', {}, err.message),
      h('button', { onclick: render }, 'Try again')));
  }
}

function signInPage(message) {
  user = null;
  live.stop();
  if (leave) leave.abort();
  document.title = 'Sign in · Gateway';
  const token = h('input', { type: 'password', name: 'token', required: true, autocomplete: 'current-password', spellcheck: 'false' });
  const note = h('p', { class: 'error', role: 'alert' }, message);
  const button = h('button', { class: 'primary', type: 'submit' }, 'Sign in');
  const form = h('form', {
    onsubmit: async (e) => {
      e.preventDefault();
      button.disabled = true;
      show(note);
      try {
        await api.signIn(token.value.trim());
        await start();
      } catch (err) {
        show(note, err.message);
        token.select();
      } finally {
        button.disabled = false;
      }
    },
  }, field('Token', token, 'ADMIN_TOKEN, or an operator’s token: gatewayctl operators create'), note, button);
  const provider = h('div', { class: 'provider' });
  show(app, h('main', { class: 'signin' }, h('div', { class: 'card' },
    h('img', { src: '/console/icon.svg', alt: '', width: 44, height: 44 }), h('h1', {}, 'Gateway console'), provider, form)));
  token.focus();
  api.methods().then((methods) => {
    if (!methods.oidc) return;
    const to = new URLSearchParams({ to: location.hash.replace(/^#\/?/, '') });
    show(provider, h('a', { class: 'button primary', href: '/console/oidc/login?' + to }, 'Sign in with ' + methods.oidc), h('p', { class: 'or' }, 'or with a token'));
    provider.firstChild.focus();
  }).catch(failed);
}

async function start() {
  user = await api.session();
  if (!user) return signInPage('');
  api.onSignedOut(() => { if (user) signInPage('Your session is over. Sign in again.'); });
  live.start();
  show(app);
  await render();
}

addEventListener('hashchange', render);
start().catch((err) => signInPage(err.message));
