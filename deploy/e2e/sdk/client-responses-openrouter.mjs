// OpenRouter's SDK on the Responses API, whose types are checked.
import assert from 'node:assert/strict';
import { OpenRouter } from '@openrouter/sdk';

const client = new OpenRouter({ serverURL: process.env.GATEWAY + '/api/v1', apiKey: process.env.API_KEY, retryConfig: { strategy: 'none' } });
const send = (request) => client.beta.responses.send({ responsesRequest: request });
const tools = [{ type: 'function', name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } }];

const unary = await send({ model: 'stage', input: 'hello' });
assert.match(unary.output[0].content[0].text, /stage|wings/);
assert.equal(unary.usage.totalTokens, 150);

let last;
const items = [];
for await (const event of await send({ model: 'stage', input: 'two', tools, stream: true })) {
  last = event;
  if (event.type === 'response.output_item.done') items.push(event.item);
}
assert.equal(last.type, 'response.completed');
assert.deepEqual(items.map((c) => JSON.parse(c.arguments).city), ['Oslo', 'Bergen']);
const results = items.map((c) => ({ type: 'function_call_output', callId: c.callId, output: 'fine' }));
const told = await send({ model: 'stage', tools, input: [{ type: 'message', role: 'user', content: 'two' }, ...items, ...results] });
assert.equal(told.output[0].content[0].text, 'call_one: fine; call_two: fine');

await assert.rejects(send({ model: 'no/such', input: 'x' }), (e) => e.statusCode === 400);

let heard = 0;
for await (const event of await send({ model: 'stage', input: 'forever', stream: true })) {
  if (event.type === 'response.output_text.delta' && ++heard === 5) break;
}
assert.equal(heard, 5);
