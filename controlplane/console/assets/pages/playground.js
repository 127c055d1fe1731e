// What does a model answer, which way does the request take, and what does it cost?
import { h, show, card, count, money, duration, badge, empty, field, toast, failed } from '../dom.js';
import { get, poll, send, stream } from '../api.js';

const lifetime = '1h'; // of keys that are made here

export async function render(root, { signal, user, may, query }) {
  const models = await get('/admin/models', {}, signal);
  const model = h('input', { name: 'model', list: 'models', required: true, value: query.get('model') || models[0]?.model || '', autocomplete: 'off', spellcheck: 'false' });
  const key = h('input', { name: 'key', type: 'password', autocomplete: 'off', spellcheck: 'false', placeholder: 'hyi-…' });
  const system = h('textarea', { name: 'system', rows: 2 });
  const prompt = h('textarea', { name: 'prompt', rows: 5, required: true });
  const limit = h('input', { name: 'max_tokens', type: 'number', min: 1, value: 500 });
  const temperature = h('input', { name: 'temperature', type: 'number', min: 0, max: 2, step: 0.1, placeholder: 'the model’s' });
  const button = h('button', { class: 'primary', type: 'submit' }, 'Send');
  const stop = h('button', { type: 'button', disabled: true, onclick: () => sending && sending.abort() }, 'Stop');
  const locked = may('admin') ? null : 'Needs the role admin';
  const make = h('button', { type: 'button', class: 'small', disabled: !!locked, title: locked, onclick: () => newKey().catch(failed) }, 'Use a key that expires in an hour');
  const answer = h('div', { class: 'answer', 'aria-live': 'polite' });
  const route = h('div');
  let sending = null;
  show(root, h('div', { class: 'head' }, h('h1', {}, 'Playground')), h('div', { class: 'play' },
    h('form', { class: 'card', onsubmit: (e) => { e.preventDefault(); ask().catch(failed); } },
      field('Model', model), h('datalist', { id: 'models' }, models.map((m) => h('option', { value: m.model }))),
      field('System prompt', system), field('Prompt', prompt), h('div', { class: 'fields' }, field('Max tokens', limit), field('Temperature', temperature)),
      field('API key', key, 'The request counts for it. It is forgotten with the page; a gateway without keys needs none.'), h('p', {}, make), h('div', { class: 'row end' }, stop, button)),
    h('div', {}, card('Answer', answer), route)));
  show(answer, empty('Nothing was sent yet', 'The answer appears here as it comes.'));
  signal.addEventListener('abort', () => sending && sending.abort());

  async function newKey() {
    make.disabled = true;
    try {
      const made = await send('POST', '/admin/keys', { name: 'playground', user: user.name || 'admin', role: 'admin', expires: lifetime, reason: 'playground' }, signal);
      key.value = made.key;
      toast('A key that expires in an hour is filled in.');
    } finally {
      make.disabled = false;
    }
  }

  async function ask() {
    sending = new AbortController();
    button.disabled = true;
    stop.disabled = false;
    const text = h('span');
    const thought = h('span', { class: 'thought' });
    show(answer, thought, text);
    show(route);
    const started = performance.now();
    let first = null;
    let last = {};
    const messages = [...(system.value.trim() ? [{ role: 'system', content: system.value }] : []), { role: 'user', content: prompt.value }];
    const body = { model: model.value.trim(), messages, stream: true, stream_options: { include_usage: true }, max_tokens: Number(limit.value) || undefined, temperature: temperature.value === '' ? undefined : Number(temperature.value) };
    let id = '';
    try {
      await stream('/console/playground', body, sending.signal, key.value.trim() ? { 'X-API-Key': key.value.trim() } : {}, (chunk) => {
        const delta = chunk.choices?.[0]?.delta || {};
        if (first === null && (delta.content || delta.reasoning)) first = performance.now() - started;
        if (delta.reasoning) thought.append(delta.reasoning);
        if (delta.content) text.append(delta.content);
        id = chunk.id || id;
        last = { ...last, ...(chunk.usage ? { usage: chunk.usage } : {}), ...(chunk.choices?.[0]?.finish_reason ? { finish: chunk.choices[0].finish_reason } : {}), ...(chunk.error ? { error: chunk.error } : {}) };
      });
    } catch (err) {
      if (signal.aborted) return;
      if (err.name !== 'AbortError') last.error = err;
      id = err.metadata?.id || id;
    } finally {
      button.disabled = false;
      stop.disabled = true;
    }
    if (!text.textContent && !thought.textContent && !last.error) show(answer, h('span', { class: 'soft' }, 'The answer is empty.'));
    if (last.error) answer.append(h('div', { class: 'notice bad', role: 'alert' }, h('strong', {}, 'Error'), h('p', {}, last.error.message)));
    if (id) await way(id, first, performance.now() - started, last);
  }

  // way shows what this page has measured, and then what the request log says.
  async function way(id, first, all, last) {
    const draw = (row) => show(route, card('Route and price', h('dl', {}, [
      ['Route', row ? (row.attempts || []).map((a, i) => [i ? ' → ' : '', a.endpoint, ' ', badge(a.status ? String(a.status) : 'no answer', a.kind || a.status >= 400 ? 'bad' : 'good')]) : 'waiting for the log…'],
      ['Provider', row && row.provider], ['Node', row && row.node], ['First token', first === null ? null : duration(first)], ['Total', duration(all)], ['Finish reason', last.finish],
      ['Tokens', row ? `${count(row.prompt_tokens || 0)} in, ${count(row.completion_tokens || 0)} out` : last.usage && `${count(last.usage.prompt_tokens)} in, ${count(last.usage.completion_tokens)} out`],
      ['Cost', row ? (row.cost_usd === null ? 'not known' : money(row.cost_usd)) : null],
    ].filter(([, value]) => value).map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])), row ? h('p', { class: 'more-below' }, h('a', { href: '#/requests/' + encodeURIComponent(row.request_id) }, 'Open the request')) : null));
    draw(null);
    for (let tries = 0; tries < 40 && !signal.aborted; tries++) { // it comes with the collector's next batch
      const [row] = await poll('/admin/logs', { id, limit: 1 }, signal);
      if (row) return draw(row);
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}
