// The admin API. Every call takes an AbortSignal: a page that is left cancels
// what it asked for, down to the query in the database.

// Failure is an answer that is not a success.
export class Failure extends Error {
  constructor(status, message, metadata) {
    super(message);
    Object.assign(this, { status, metadata: metadata || {} });
  }
}

let signedOut = () => {};

// onSignedOut is called when the session is over.
export function onSignedOut(f) { signedOut = f; }

function request(method, path, body, signal, by = byUser) {
  return fetch(path, {
    method, signal, credentials: 'same-origin', redirect: 'error',
    headers: { ...by, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

// Pages of other sites cannot send this header. Requests with "poll" do not
// keep the session alive.
const byUser = { 'X-Gateway-Console': '1' };
const byTimer = { 'X-Gateway-Console': 'poll' };

async function answer(response) {
  const text = await response.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    throw new Failure(response.status, 'The daemon did not answer in JSON (HTTP ' + response.status + ').');
  }
  if (response.ok) return body;
  const error = (body && body.error) || {};
  if (response.status === 401) signedOut();
  throw new Failure(response.status, error.message || 'HTTP ' + response.status, error.metadata);
}

// path adds parameters to a path; empty ones are left out.
export function path(base, query = {}) {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== '' && value !== null && value !== undefined && value !== false) q.set(name, value);
  const text = q.toString();
  return text ? base + '?' + text : base;
}

export const get = async (base, query, signal) => answer(await request('GET', path(base, query), undefined, signal));
// poll is a get that a timer makes.
export const poll = async (base, query, signal) => answer(await request('GET', path(base, query), undefined, signal, byTimer));
export const send = async (method, base, body, signal, more = {}) => answer(await request(method, base, body, signal, { ...byUser, ...more }));

// stream posts a body and reads the server-sent events of the answer, which may
// come from a node instead of the daemon. It returns the answer's headers.
export async function stream(base, body, signal, more, each) {
  const response = await request('POST', base, body, signal, { ...byUser, ...more });
  const type = response.headers.get('Content-Type') || '';
  if (response.ok && type.startsWith('text/event-stream')) {
    await read(response.body.getReader(), each);
    return response.headers;
  }
  if (response.headers.get('X-Gateway-Answered-By') !== 'node') return void await answer(response);
  const text = await response.text();
  let message = 'HTTP ' + response.status;
  try {
    message = JSON.parse(text).error.message;
  } catch {
    // it is no JSON of ours
  }
  throw new Failure(response.status, message, { id: response.headers.get('X-Generation-Id') || response.headers.get('X-Request-Id') });
}

// session says who is signed in: {name, role, method, expires, idle_expires},
// null for nobody.
export async function session() {
  const response = await request('GET', '/console/session');
  if (response.status === 401) return null;
  return answer(response);
}

// methods says how one can sign in: {token, oidc}.
export const methods = async () => answer(await request('GET', '/console/methods'));

// signIn makes a session of a token.
export async function signIn(secret) {
  await answer(await request('POST', '/console/session', { token: secret }));
}

// signOut ends the session.
export async function signOut() {
  await answer(await request('DELETE', '/console/session'));
}

// events reads server-sent events until the signal is aborted, and connects
// again when the connection ends. state(true or false) tells whether it is up.
export async function events(base, signal, each, state) {
  for (let wait = 500; !signal.aborted; wait = Math.min(2 * wait, 15_000)) {
    try {
      const response = await fetch(base, { signal, credentials: 'same-origin', headers: { ...byTimer, Accept: 'text/event-stream' } });
      if (response.status === 401) return void signedOut();
      if (response.ok) {
        state(true);
        wait = 500;
        await read(response.body.getReader(), each);
      }
    } catch {
      // the daemon restarts, or the page is left
    }
    if (signal.aborted) return;
    state(false);
    await new Promise((done) => setTimeout(done, wait));
  }
}

async function read(reader, each) {
  const decoder = new TextDecoder();
  for (let rest = ''; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + decoder.decode(value, { stream: true })).split('\n\n');
    rest = parts.pop();
    for (const part of parts) {
      const data = part.split('\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)).join('\n');
      if (data && data !== '[DONE]') each(JSON.parse(data));
    }
  }
}
