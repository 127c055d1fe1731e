// OpenAI's SDK: list, chat, stream, tools, structured output, errors, abort, embeddings, fallbacks, preferences, images, transcriptions.
import assert from 'node:assert/strict';
import OpenAI, { toFile } from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

const client = new OpenAI({ baseURL: process.env.GATEWAY + '/v1', apiKey: process.env.API_KEY, maxRetries: 0, timeout: 20_000 });
const say = (content, more = {}) => ({ model: 'stage', messages: [{ role: 'user', content }], ...more });
const tools = [{ type: 'function', function: { name: 'get_weather', strict: true, parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false } } }];

const ids = [];
for await (const m of client.models.list()) ids.push(m.id);
assert.deepEqual(ids, ['stage', 'broken', 'busy']); // embedding models have a list of their own
assert.equal((await client.models.retrieve('stage')).id, 'stage');

const whole = await client.chat.completions.create(say('hello'));
assert.equal(whole.choices[0].message.content, 'stage');

// two calls at once, streamed, and their results
const helper = client.chat.completions.stream(say('two', { tools, stream_options: { include_usage: true } }));
const streamed = await helper.finalChatCompletion();
const called = streamed.choices[0].message;
assert.deepEqual(called.tool_calls.map((c) => [c.id, JSON.parse(c.function.arguments).city]), [['call_one', 'Oslo'], ['call_two', 'Bergen']]);
assert.equal(streamed.usage.total_tokens, 150);
const results = called.tool_calls.map((c) => ({ role: 'tool', tool_call_id: c.id, content: JSON.parse(c.function.arguments).city + ' is fine' }));
const told = await client.chat.completions.create({ model: 'stage', tools, messages: [{ role: 'user', content: 'two' }, called, ...results] });
assert.equal(told.choices[0].message.content, 'call_one: Oslo is fine; call_two: Bergen is fine');

const runner = client.chat.completions.runTools({
  ...say('two'), tools: [{ type: 'function', function: { ...tools[0].function, parse: JSON.parse, function: ({ city }) => city + ' is wet' } }],
});
assert.match(await runner.finalContent(), /Oslo is wet.*Bergen is wet|Bergen is wet.*Oslo is wet/);

const parsed = await client.chat.completions.parse(say('json', { response_format: zodResponseFormat(z.object({ city: z.string(), degrees: z.number() }), 'weather') }));
assert.deepEqual(parsed.choices[0].message.parsed, { city: 'Oslo', degrees: 7 });

const fails = (params, kind, status, more = () => true) => assert.rejects(client.chat.completions.create(params), (e) => e instanceof kind && e.status === status && more(e), JSON.stringify(params));
await fails({ ...say('limit'), model: 'busy' }, OpenAI.RateLimitError, 429, (e) => Number(e.headers.get('retry-after')) > 0 && Number(e.headers.get('retry-after')) <= 7);
await fails({ ...say('x'), model: 'no/such' }, OpenAI.BadRequestError, 400, (e) => /no\/such is not a valid model ID/.test(e.message));
await fails(say('x', { temperature: 9 }), OpenAI.BadRequestError, 400, (e) => /temperature/.test(e.message));
await fails({ ...say('x'), model: 'broken' }, OpenAI.InternalServerError, 502, (e) => e.error.metadata.provider_name === 'vLLM');
await assert.rejects(new OpenAI({ baseURL: process.env.GATEWAY + '/v1', apiKey: 'hyi-wrong', maxRetries: 0 }).models.list(), OpenAI.AuthenticationError);

const fallback = await client.chat.completions.create({ ...say('hello'), model: 'broken', models: ['stage'] });
assert.equal(fallback.model, 'stage');
const preferred = await client.chat.completions.create(say('hello', { provider: { only: ['sglang'] } }));
assert.equal(preferred.choices[0].message.content, 'wings');
assert.equal(preferred.provider, 'SGLang');
assert.ok(preferred.usage.cost > 0);
await fails(say('x', { provider: { only: ['nobody'] } }), OpenAI.NotFoundError, 404);

const stream = await client.chat.completions.create(say('forever', { stream: true }));
let heard = 0;
for await (const chunk of stream) if (chunk.choices[0]?.delta.content && ++heard === 5) break; // which aborts
assert.equal(heard, 5);

assert.deepEqual((await client.embeddings.create({ model: 'vectors', input: 'x' })).data[0].embedding, [0.5, -1.25, 3, 0.0078125]);

assert.equal((await client.images.generate({ model: 'stage', prompt: 'a cat' })).data[0].b64_json, 'AA==');

const sound = async (more) => client.audio.transcriptions.create({ model: 'stage', file: await toFile(Buffer.from('RIFF\r\n--sound'), 'a.wav'), ...more });
const words = await sound({ response_format: 'verbose_json', timestamp_granularities: ['word'] });
assert.deepEqual([words.text, words.words[0].end, words.usage.seconds], ['Hello', 1, 3]);
assert.equal(await sound({ response_format: 'text' }), 'Hello\n');
const events = [];
for await (const event of await sound({ stream: true })) events.push(event.delta ?? event.text);
assert.deepEqual(events, ['Hel', 'lo', 'Hello']);
await assert.rejects(sound({ model: 'no/such' }), (e) => e instanceof OpenAI.BadRequestError && /no\/such/.test(e.message));
