// OpenAI's SDK on the Responses API: whole, streamed, tools over two turns, structured output, errors, abort.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';

const client = new OpenAI({ baseURL: process.env.GATEWAY + '/v1', apiKey: process.env.API_KEY, maxRetries: 0, timeout: 20_000 });
const say = (input, more = {}) => ({ model: 'stage', input, ...more });
const tools = [{ type: 'function', name: 'get_weather', strict: true, parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false } }];

const unary = await client.responses.create(say('hello', { instructions: 'Be brief.' }));
assert.match(unary.output_text, /stage|wings/);
assert.equal(unary.status, 'completed');
assert.equal(unary.usage.total_tokens, 150);
assert.ok(unary.usage.cost > 0);

// two calls at once, streamed, and their results
const stream = client.responses.stream(say('two', { tools: [...tools, { type: 'web_search' }] }));
const types = [];
for await (const event of stream) {
  assert.equal(event.sequence_number, types.length);
  types.push(event.type);
}
assert.deepEqual([types[0], types[1], types.at(-1)], ['response.created', 'response.in_progress', 'response.completed']);
const called = (await stream.finalResponse()).output.filter((item) => item.type === 'function_call');
assert.deepEqual(called.map((c) => [c.call_id, JSON.parse(c.arguments).city]), [['call_one', 'Oslo'], ['call_two', 'Bergen']]);
const results = called.map((c) => ({ type: 'function_call_output', call_id: c.call_id, output: JSON.parse(c.arguments).city + ' is fine' }));
const told = await client.responses.create({ model: 'stage', tools, input: [{ role: 'user', content: 'two' }, ...called, ...results] });
assert.equal(told.output_text, 'call_one: Oslo is fine; call_two: Bergen is fine');

const parsed = await client.responses.parse(say('json', { text: { format: zodTextFormat(z.object({ city: z.string(), degrees: z.number() }), 'weather') } }));
assert.deepEqual(parsed.output_parsed, { city: 'Oslo', degrees: 7 });

const fails = (params, kind, status, pattern) => assert.rejects(client.responses.create(params), (e) => e instanceof kind && e.status === status && pattern.test(e.message), JSON.stringify(params));
await fails({ ...say('x'), model: 'no/such' }, OpenAI.BadRequestError, 400, /no\/such is not a valid model ID/);
await fails(say('x', { previous_response_id: 'resp_1' }), OpenAI.BadRequestError, 400, /previous_response_id: not supported/);
await fails(say('x', { temperature: 9 }), OpenAI.BadRequestError, 400, /temperature/);
await fails({ ...say('x'), model: 'broken' }, OpenAI.InternalServerError, 502, /./);
await fails({ ...say('limit'), model: 'busy' }, OpenAI.RateLimitError, 429, /./);

assert.ok((await client.responses.inputTokens.count(say('Hello world'))).input_tokens > 2);

let heard = 0;
for await (const event of await client.responses.create(say('forever', { stream: true }))) {
  if (event.type === 'response.output_text.delta' && ++heard === 5) break; // which aborts
}
assert.equal(heard, 5);
