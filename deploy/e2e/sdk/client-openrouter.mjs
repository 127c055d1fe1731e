// OpenRouter's own SDK, whose validators refuse every answer that lacks a key.
import assert from 'node:assert/strict';
import { OpenRouter } from '@openrouter/sdk';
import * as errors from '@openrouter/sdk/models/errors';

const client = new OpenRouter({ serverURL: process.env.GATEWAY + '/api/v1', apiKey: process.env.API_KEY, retryConfig: { strategy: 'none' } });
const send = (content, more = {}, options = {}) => client.chat.send({ chatRequest: { model: 'stage', messages: [{ role: 'user', content }], ...more } }, options);

const models = [];
for await (const page of await client.models.list()) models.push(...page.result.data);
assert.deepEqual(models.map((m) => m.id), ['stage', 'broken', 'busy']);
assert.equal(Number(models[0].pricing.prompt), 0.000001);
assert.equal((await client.models.count()).data.count, 3);

// the front endpoint may still rest from what another client did
const whole = await send('hello');
assert.match(whole.choices[0].message.content, /stage|wings/);
assert.ok(whole.usage.cost > 0);
const only = await send('hello', { provider: { only: ['sglang'] } });
assert.equal(only.choices[0].message.content, 'wings');
const fallback = await send('hello', { model: 'broken', models: ['stage'] });
assert.equal(fallback.model, 'stage');

let text = '';
let usage;
for await (const chunk of await send('hello', { stream: true })) {
  text += chunk.choices[0]?.delta?.content ?? '';
  usage = chunk.usage ?? usage;
}
assert.match(text, /stage|wings/);
assert.equal(usage.totalTokens, 150);

const tools = [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } }];
const called = (await send('two', { tools })).choices[0].message;
assert.equal(called.toolCalls.length, 2);
const told = await client.chat.send({
  chatRequest: { model: 'stage', tools, messages: [{ role: 'user', content: 'two' }, called, ...called.toolCalls.map((c) => ({ role: 'tool', toolCallId: c.id, content: 'fine' }))] },
});
assert.match(told.choices[0].message.content, /call_one: fine/);

const schema = { type: 'object', properties: { city: { type: 'string' }, degrees: { type: 'number' } }, required: ['city', 'degrees'], additionalProperties: false };
const json = await send('json', { responseFormat: { type: 'json_schema', jsonSchema: { name: 'weather', strict: true, schema } } });
assert.deepEqual(JSON.parse(json.choices[0].message.content), { city: 'Oslo', degrees: 7 });

await assert.rejects(send('x', { model: 'no/such' }), (e) => e instanceof errors.BadRequestResponseError && /no\/such/.test(e.message));
await assert.rejects(send('x', { model: 'broken' }), (e) => e instanceof errors.BadGatewayResponseError);
await assert.rejects(new OpenRouter({ serverURL: process.env.GATEWAY + '/api/v1', apiKey: 'hyi-wrong' }).chat.send({ chatRequest: { model: 'stage', messages: [{ role: 'user', content: 'x' }] } }), (e) => e instanceof errors.UnauthorizedResponseError);

const vectors = await client.embeddings.generate({ requestBody: { model: 'vectors', input: 'x' } });
assert.deepEqual(vectors.data[0].embedding, [0.5, -1.25, 3, 0.0078125]);

const generation = (await client.generations.getGeneration({ id: whole.id })).data;
assert.equal(generation.id, whole.id);
assert.equal(generation.tokensPrompt, 120);
const key = (await client.apiKeys.getCurrentKeyMetadata()).data;
assert.equal(key.label, 'sdk');
assert.ok(key.usage > 0);

const aborter = new AbortController();
let heard = 0;
try {
  for await (const chunk of await send('forever', { stream: true }, { fetchOptions: { signal: aborter.signal } })) {
    if (chunk.choices[0]?.delta?.content && ++heard === 5) aborter.abort();
  }
} catch (e) {
  assert.match(String(e), /abort/i);
}
assert.ok(heard >= 5);
