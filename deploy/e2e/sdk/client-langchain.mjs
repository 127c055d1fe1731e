// LangChain's OpenAI chat model.
import assert from 'node:assert/strict';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';

const options = { apiKey: process.env.API_KEY, configuration: { baseURL: process.env.GATEWAY + '/v1' }, maxRetries: 0 };
const chat = (more = {}) => new ChatOpenAI({ model: 'stage', ...options, ...more });

const whole = await chat().invoke('hello');
assert.match(whole.content, /stage|wings/);
assert.equal(whole.usage_metadata.total_tokens, 150);

let text = '';
for await (const chunk of await chat().stream('hello')) text += chunk.content;
assert.match(text, /stage|wings/);

const weather = { name: 'get_weather', description: 'The weather.', schema: z.object({ city: z.string() }) };
const bound = chat().bindTools([weather]);
let called;
for await (const chunk of await bound.stream('two')) called = called ? called.concat(chunk) : chunk;
assert.deepEqual(called.tool_calls.map((c) => [c.id, c.args.city]), [['call_one', 'Oslo'], ['call_two', 'Bergen']]);
const told = await bound.invoke([new HumanMessage('two'), called, ...called.tool_calls.map((c) => new ToolMessage({ tool_call_id: c.id, content: c.args.city + ' is fine' }))]);
assert.equal(told.content, 'call_one: Oslo is fine; call_two: Bergen is fine');

const structured = await chat().withStructuredOutput(z.object({ city: z.string(), degrees: z.number() }), { name: 'weather', method: 'jsonSchema' }).invoke('json');
assert.deepEqual(structured, { city: 'Oslo', degrees: 7 });

const only = await chat({ modelKwargs: { provider: { only: ['sglang'] } } }).invoke('hello');
assert.equal(only.content, 'wings');
const fallback = await chat({ model: 'broken', modelKwargs: { models: ['stage'] } }).invoke('hello');
assert.match(fallback.content, /stage|wings/);

await assert.rejects(chat({ model: 'no/such' }).invoke('x'), (e) => e.status === 400 && /no\/such is not a valid model ID/.test(e.message));
await assert.rejects(chat({ model: 'broken' }).invoke('x'), (e) => e.status === 502);
assert.deepEqual(await new OpenAIEmbeddings({ model: 'vectors', ...options }).embedQuery('x'), [0.5, -1.25, 3, 0.0078125]);

let heard = 0;
for await (const chunk of await chat().stream('forever')) if (chunk.content && ++heard === 5) break;
assert.equal(heard, 5);
