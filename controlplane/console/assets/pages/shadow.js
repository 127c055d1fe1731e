// What a model's shadows answered, beside what clients got.
import { h, show, badge, card, count, dialog, duration, empty, money, percent, table } from '../dom.js';
import { get } from '../api.js';

const periods = { '1h': 'Hour', '24h': 'Day', '7d': '7 days' };
const list = (counts) => Object.entries(counts).map(([name, n]) => `${name || 'none'}: ${count(n)}`).join(', ') || '–';

// comparison is a table of one shadow.
function comparison(c) {
  const both = (metric, of) => ({ metric, main: of(c.main), shadow: of(c.shadow) });
  const json = (side) => (side.json_asked ? `${count(side.json_valid)} of ${count(side.json_asked)}` : '–');
  const rows = [
    both('Errors', (x) => `${count(x.error_count)} (${percent(x.error_count, c.pairs)})`),
    both('Time to first token, p50', (x) => duration(x.p50_ttft_ms)), both('Time to first token, p95', (x) => duration(x.p95_ttft_ms)),
    both('Latency, p50', (x) => duration(x.p50_latency_ms)), both('Latency, p95', (x) => duration(x.p95_latency_ms)),
    both('Prompt tokens', (x) => count(x.prompt_tokens)), both('Completion tokens', (x) => count(x.completion_tokens)), both('Cost', (x) => money(x.cost_usd)),
    both('Finish reasons', (x) => list(x.finish_reasons)), both('Tool calls', (x) => count(x.tool_calls)), both('Valid JSON', json), both('Endpoints', (x) => list(x.endpoints)),
  ];
  return card([c.endpoint, ' ', badge(c.share ? 'gets ' + c.share : 'no shadow any more')],
    h('p', { class: 'soft' }, `${count(c.pairs)} pairs · ${percent(c.same_finish_reason, c.pairs)} ended for the same reason · ${percent(c.same_tool_calls, c.pairs)} called as many tools`, c.unmatched ? ` · ${count(c.unmatched)} without their request` : null),
    c.pairs ? table('Shadow ' + c.endpoint, [{ head: '', cell: (r) => r.metric }, { head: 'Clients got', cell: (r) => r.main }, { head: 'Shadow', cell: (r) => r.shadow }], rows)
      : empty('Nothing to compare yet', 'in this period.'));
}

// report shows the shadows of a model in a dialog.
export async function report(model, signal) {
  let since = '24h';
  await dialog('Shadows of ' + model, () => {
    const body = h('div', { 'aria-live': 'polite' });
    const tabs = h('div', { class: 'tabs', role: 'group', 'aria-label': 'Period' });
    const load = async () => {
      show(tabs, Object.entries(periods).map(([key, text]) => h('button', { 'aria-pressed': String(key === since), onclick: () => { since = key; load(); } }, text)));
      const asked = since;
      try {
        const { shadows } = await get('/admin/shadows', { model, since }, signal);
        if (asked === since) show(body, shadows.length ? shadows.map(comparison) : empty('No shadow had a request', 'in this period.'));
      } catch (err) {
        if (err.name !== 'AbortError') show(body, h('div', { class: 'notice bad', role: 'alert' }, err.message));
      }
    };
    load();
    return h('div', {}, h('div', { class: 'row below' }, tabs), body);
  });
}
