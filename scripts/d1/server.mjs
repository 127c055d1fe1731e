// Cloudflare D1's own engine (workerd) behind the part of its REST API that the gateway speaks, with the limits that
// Cloudflare's documentation gives and workerd does not keep, and with faults on demand:
//
//   node server.mjs [--dir DIRECTORY] [--until-eof]   prints "listening on http://127.0.0.1:PORT"
//   PUT /faults {"kind":"500-after","count":3,"retry_after":1,"delay_ms":100}
//   GET /counts                             how many requests came, and how many were spoiled
//
// kinds: 429, 500-before (nothing was done), 500-after (it was done), timeout (it was done, no answer comes),
// full, readonly (workerd's answers on such a disk; nothing was done), cut (the answer breaks off), half (of a batch the first statement is done alone, the answer is 500).
import {createServer} from 'node:http';
import {Miniflare} from 'miniflare';

const dir = process.argv[2] === '--dir' ? process.argv[3] : undefined;
const token = process.env.D1_API_TOKEN ?? 'd1-token';
const limits = {sql: 100_000, params: 100, value: 2_000_000};
let fault = {kind: '', count: 0};
const counts = {requests: 0, spoiled: 0, statements: 0};

// A database's id is any name; the first ones that are asked for get one of these.
const bindings = Object.fromEntries(Array.from({length: 64}, (_, i) => [`DB${i}`, `database-${i}`]));
const names = new Map();
// The engine runs a batch in one call: a binding that is used from here takes a blocking round trip per statement.
const worker = `
// raw turns a result into columns and rows, as the API's /raw does.
function raw({results, meta}) {
  const columns = results.length > 0 ? Object.keys(results[0]) : [];
  return {results: {columns, rows: results.map((row) => columns.map((name) => row[name]))}, success: true, meta};
}

export default {
  async fetch(request, env) {
    const {binding, statements} = await request.json();
    const db = env[binding];
    try {
      const results = await db.batch(statements.map(({sql, params}) => db.prepare(sql).bind(...params)));
      return Response.json({result: results.map(raw)});
    } catch (error) {
      return Response.json({refused: String(error.message)});
    }
  },
};`;
const mf = new Miniflare({
  modules: true,
  script: worker,
  d1Databases: bindings,
  d1Persist: dir ?? false,
});

function bindingOf(id) {
  if (!names.has(id)) {
    if (names.size === Object.keys(bindings).length) throw new Refused(404, 7404, 'The database could not be found');
    names.set(id, `DB${names.size}`);
  }
  return names.get(id);
}

class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

// check refuses what Cloudflare refuses and the engine takes.
function check({sql, params = []}) {
  if (typeof sql !== 'string' || sql === '') throw new Refused(400, 7400, 'The request is malformed: sql is required');
  if (Buffer.byteLength(sql) > limits.sql) throw new Refused(400, 7500, 'statement too long: SQLITE_TOOBIG');
  if (params.length > limits.params) throw new Refused(400, 7500, 'too many SQL variables: SQLITE_ERROR');
  for (const value of params) {
    if (value !== null && typeof value !== 'string') throw new Refused(400, 7400, 'params must be strings');
    if (value !== null && Buffer.byteLength(value) > limits.value) throw new Refused(400, 7500, 'string or blob too big: SQLITE_TOOBIG');
  }
  counts.statements++;
  return {sql, params};
}

async function engine(binding, statements) {
  const response = await mf.dispatchFetch('http://d1/', {method: 'POST', body: JSON.stringify({binding, statements})});
  const {result, refused} = await response.json();
  if (refused !== undefined) throw new Refused(400, 7500, refused.replace(/^D1_ERROR: /, ''));
  return result;
}

async function run(binding, body, half) {
  const statements = (body.batch ?? [body]).map(check);
  if (half) {
    await engine(binding, statements.slice(0, 1));
    throw new Refused(500, 7500, 'internal error');
  }
  return engine(binding, statements);
}

function reply(response, status, body, headers = {}) {
  response.writeHead(status, {'content-type': 'application/json', ...headers});
  response.end(JSON.stringify(body));
}

function failed(response, status, code, message, headers) {
  reply(response, status, {result: null, success: false, errors: [{code, message}], messages: []}, headers);
}

function takeFault() {
  if (fault.count <= 0) return '';
  fault.count--;
  counts.spoiled++;
  return fault.kind;
}

async function text(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function answer(request, response) {
  const body = await text(request);
  if (request.url === '/faults') {
    fault = JSON.parse(body);
    return reply(response, 200, fault);
  }
  if (request.url === '/counts') return reply(response, 200, counts);
  counts.requests++;
  const path = /^\/client\/v4\/accounts\/[^/]+\/d1\/database\/([^/]+)\/raw$/.exec(request.url);
  if (!path) return failed(response, 404, 7003, 'Could not route to ' + request.url);
  if (request.headers.authorization !== 'Bearer ' + token) return failed(response, 401, 10000, 'Authentication error');
  const kind = takeFault();
  if (fault.delay_ms) await new Promise((done) => setTimeout(done, fault.delay_ms));
  if (kind === '429') return failed(response, 429, 971, 'Please wait and consider throttling your request speed', {'retry-after': String(fault.retry_after ?? 1)});
  if (kind === '500-before') return failed(response, 500, 7500, 'internal error');
  if (kind === 'full') return failed(response, 400, 7500, 'database or disk is full: SQLITE_FULL');
  if (kind === 'readonly') return failed(response, 400, 7500, 'attempt to write a readonly database: SQLITE_READONLY');
  const result = await run(bindingOf(path[1]), JSON.parse(body), kind === 'half');
  if (kind === '500-after') return failed(response, 500, 7500, 'internal error');
  if (kind === 'timeout') return;
  const done = {result, success: true, errors: [], messages: []};
  if (kind === 'cut') {
    const json = JSON.stringify(done);
    response.writeHead(200, {'content-type': 'application/json', 'content-length': json.length});
    response.write(json.slice(0, json.length / 2));
    return void setTimeout(() => response.destroy(), 20);
  }
  reply(response, 200, done);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    if (error instanceof Refused) return failed(response, error.status, error.code, error.message);
    failed(response, error instanceof SyntaxError ? 400 : 500, 7400, String(error));
  });
});
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));

async function stop() {
  server.close();
  server.closeAllConnections();
  await mf.dispose();
  process.exit(0);
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (process.argv.includes('--until-eof')) process.stdin.on('end', stop).resume(); // the test that started it is gone
