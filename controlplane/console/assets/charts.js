// Charts over time: stacked bars and lines, by uPlot. Each has a table of the
// same figures for those who cannot see it.
/* global uPlot */
import { h } from './dom.js';

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const steps = { minute: 60, hour: 3600, day: 86_400 };

// timeline returns the steps of a series from its beginning until now, in seconds.
export function timeline(series) {
  const step = steps[series.step];
  const out = [];
  for (let at = Date.parse(series.since) / 1000; at <= Date.now() / 1000; at += step) out.push(at);
  return out;
}

// values puts points on a timeline; missing is what steps without a point have.
export function values(times, points, of, missing) {
  const known = new Map((points || []).map((p) => [Date.parse(p.time) / 1000, of(p)]));
  return times.map((t) => known.get(t) ?? missing);
}

function axes(format, step) {
  const base = { stroke: style('--soft'), grid: { stroke: style('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
  return [{ ...base, grid: { show: false }, space: 70, size: 26, values: (_, list) => list.map((t) => stamps[step === 'hour' ? 'minute' : step].format(new Date(t * 1000))) }, { ...base, size: 52, space: 36, values: (_, list) => list.map((v) => (v === null ? '' : format(v))) }];
}

// chart draws lines of {name, values, fill} over times. Stacked lines are added up.
export function chart(label, step, times, lines, { stacked, format, signal }) {
  const holder = h('div', { class: 'chart', role: 'img', 'aria-label': label });
  const data = stacked ? pile(lines) : lines.map((l) => l.values);
  let plot = null;
  const draw = () => {
    if (plot) plot.destroy();
    const bars = stacked && uPlot.paths.bars({ size: [0.82, 46], radius: 0.12 });
    const series = lines.map((line, i) => {
      const colour = style(`--c${line.colour ?? i}`);
      return stacked ? { label: line.name, stroke: colour, fill: colour, width: 0, paths: bars, points: { show: false } }
        : { label: line.name, stroke: colour, width: 2, spanGaps: true, points: { show: line.values.filter((v) => v !== null).length < 3, size: 6, fill: colour } };
    });
    plot = new uPlot({
      width: Math.max(120, holder.clientWidth), height: holder.clientHeight, legend: { show: false }, cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      axes: axes(format, step), series: [{}, ...series.slice().reverse()], scales: { y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] }, x: { range: (_, a, b) => [a - steps[step] / 2, b + steps[step] / 2] } },
      hooks: { setCursor: [(u) => tip.show(u.cursor.idx, u.cursor.left)] },
    }, [times, ...data.slice().reverse()], holder);
  };
  const tip = tooltip(holder, step, times, lines, format);
  let width = 0;
  const watch = new ResizeObserver(() => {
    if (holder.clientWidth && holder.clientWidth !== width) {
      width = holder.clientWidth;
      if (plot) plot.setSize({ width, height: holder.clientHeight });
      else draw();
    }
  });
  watch.observe(holder);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const redraw = () => { if (plot) draw(); };
  dark.addEventListener('change', redraw);
  signal.addEventListener('abort', () => { watch.disconnect(); dark.removeEventListener('change', redraw); if (plot) plot.destroy(); });
  return holder;
}

// pile adds lines up, the first at the bottom.
function pile(lines) {
  const sums = [];
  return lines.map((line) => line.values.map((v, i) => (sums[i] = (sums[i] || 0) + (v || 0))));
}

const stamps = {
  minute: new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }),
  hour: new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' }),
  day: new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short', timeZone: 'UTC' }),
};

function tooltip(holder, step, times, lines, format) {
  const box = h('div', { class: 'tip', hidden: true });
  holder.append(box);
  return {
    show(i, left) {
      box.hidden = i === null || i === undefined || left < 0;
      if (box.hidden) return;
      box.replaceChildren(h('strong', {}, stamps[step].format(new Date(times[i] * 1000))), ...lines.filter((l) => l.values[i]).map((l) =>
        h('div', {}, h('i', { class: 's' + (l.colour ?? lines.indexOf(l)) }), h('span', {}, l.name), h('b', {}, format(l.values[i])))));
      const right = left > holder.clientWidth / 2;
      box.style.left = right ? 'auto' : left + 64 + 'px';
      box.style.right = right ? holder.clientWidth - left - 40 + 'px' : 'auto';
    },
  };
}

// legend names the lines with their sums.
export const legend = (lines) => h('div', { class: 'legend' }, lines.map((l, i) => h('span', {}, h('i', { class: 's' + (l.colour ?? i) }), l.name, l.sum === undefined ? null : h('b', {}, l.sum))));
