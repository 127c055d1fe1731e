// What the nodes report at the moment, by one stream for the whole console.
import { events } from './api.js';

const listeners = new Set();
const states = new Set();
let latest = null;
let rate = null; // requests per second
let stopper = null;
let counted = null; // the last count that had changed

function receive(now) {
  const at = performance.now() / 1000;
  if (!counted || now.requests < counted.requests) counted = { requests: now.requests, at };
  else if (now.requests !== counted.requests || at - counted.at > 5) {
    rate = (now.requests - counted.requests) / Math.max(1, at - counted.at);
    counted = { requests: now.requests, at };
  }
  latest = now;
  for (const f of listeners) f(now, rate);
}

export const live = {
  start() {
    live.stop();
    stopper = new AbortController();
    events('/admin/live', stopper.signal, receive, (up) => { for (const f of states) f(up); });
  },
  stop() {
    if (stopper) stopper.abort();
    stopper = latest = counted = rate = null;
    listeners.clear();
    states.clear();
  },
  // watch calls f(live, requests per second) now and at each change until the signal is aborted.
  watch(signal, f) {
    listeners.add(f);
    signal.addEventListener('abort', () => listeners.delete(f));
    if (latest) f(latest, rate);
  },
  onState(f) { states.add(f); },
};
