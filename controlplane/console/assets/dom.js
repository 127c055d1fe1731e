// Elements and text. Data only ever becomes a text node or an attribute's
// value, never markup: what a client calls its key cannot run.

// h makes an element: h('button', { class: 'primary', onclick: f }, 'Save').
// Children are nodes, strings, numbers, arrays of them; null and false are left out.
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// s makes an SVG element.
export function s(tag, attributes, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    else if (name === 'value') element.value = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

// show replaces what is in an element.
export function show(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

// count shows 12,345 as 12.3K.
export const count = (n) => (Math.abs(n) >= 10_000 ? compact.format(n) : plain.format(n));

// money shows USD with as many digits as a reader needs.
export function money(usd) {
  const n = Number(usd);
  if (!n) return '$0';
  if (Math.abs(n) >= 1000) return '$' + compact.format(n);
  if (Math.abs(n) >= 1) return '$' + n.toFixed(2);
  return '$' + n.toFixed(Math.min(12, 1 - Math.floor(Math.log10(Math.abs(n))))); // two digits that count
}

// duration shows milliseconds.
export function duration(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1000) return Math.round(ms) + ' ms';
  if (ms < 60_000) return (ms / 1000).toFixed(ms < 10_000 ? 2 : 1) + ' s';
  return Math.floor(ms / 60_000) + ' min ' + Math.round((ms % 60_000) / 1000) + ' s';
}

export const percent = (part, whole) => (whole ? (100 * part / whole).toFixed(part && 100 * part / whole < 1 ? 2 : 1).replace(/\.0$/, '') + '%' : '–');

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short' });

// moment shows a time of this browser's zone; its title is the exact one in UTC.
export function moment(text) {
  const at = new Date(text);
  if (!text || Number.isNaN(at.getTime())) return h('span', {}, '–');
  const today = at.toDateString() === new Date().toDateString();
  return h('time', { datetime: at.toISOString(), title: at.toISOString() }, today ? clock.format(at) : day.format(at) + ' ' + clock.format(at));
}

// badge is a word with a colour that says whether it is good: good, bad, warn, or plain.
export const badge = (text, tone = 'plain') => h('span', { class: 'badge ' + tone }, text);

// empty says that there is nothing, and what to do about it.
export const empty = (title, hint) => h('div', { class: 'empty' }, h('strong', {}, title), hint ? h('p', {}, hint) : null);

// card is a titled box.
export const card = (title, ...children) => h('section', { class: 'card' }, h('h2', {}, title), ...children);

// field is a labelled control.
export const field = (label, control, hint) => h('label', { class: 'field' }, h('span', {}, label), control, hint ? h('small', {}, hint) : null);

// table has columns {head, cell, class} and rows; a row with open(row) can be opened.
export function table(label, columns, rows, open) {
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
    h('table', {},
      h('thead', {}, h('tr', {}, columns.map((c) => h('th', { class: c.class, scope: 'col' }, c.head)))),
      h('tbody', {}, rows.map((row) => h('tr', { class: open ? 'link' : null, onclick: open ? () => open(row) : null },
        columns.map((c) => h('td', { class: c.class, 'data-head': c.head }, c.cell(row))))))));
}

let toasts;

// toast says what was done, or what went wrong; with an action such as undo.
export function toast(text, { tone = 'good', action, run, stay } = {}) {
  if (!toasts) document.body.append(toasts = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' }));
  const close = () => box.remove();
  const box = h('div', { class: 'toast ' + tone }, h('span', {}, text),
    action ? h('button', { class: 'small', onclick: () => { close(); run(); } }, action) : null,
    h('button', { class: 'small quiet', 'aria-label': 'Dismiss', onclick: close }, '×'));
  toasts.append(box);
  if (!stay) setTimeout(close, action ? 60_000 : 8000);
}

// failed shows an error that was not expected.
export function failed(err) {
  if (err.name !== 'AbortError') toast(err.message, { tone: 'bad' });
}

// dialog asks in a modal box and resolves when it is closed. build(close) makes its content.
export function dialog(title, build) {
  const box = h('dialog', { 'aria-label': title });
  const close = () => box.close();
  box.append(h('header', {}, h('h2', {}, title), h('button', { class: 'quiet', 'aria-label': 'Close', onclick: close }, '×')), h('div', { class: 'body' }, build(close)));
  document.body.append(box);
  box.showModal();
  return new Promise((done) => box.addEventListener('close', () => { box.remove(); done(); }));
}
