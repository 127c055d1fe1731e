// LangChain's OpenAI chat model on the Responses API.
import assert from 'node:assert/strict';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { z } from 'zod';

const chat = (more = {}) => new ChatOpenAI({ model: 'stage', useResponsesApi: true, apiKey: process.env.API_KEY, configuration: { baseURL: process.env.GATEWAY + '/v1' }, maxRetries: 0, ...more });

const unary = await chat().invoke('hello');
assert.match(unary.text, /stage|wings/);
assert.equal(unary.usage_metadata.total_tokens, 150);

const bound = chat().bindTools([{ name: 'get_weather', description: 'The weather.', schema: z.object({ city: z.string() }) }]);
let called;
for await (const chunk of await bound.stream('two')) called = called ? called.concat(chunk) : chunk;
assert.deepEqual(called.tool_calls.map((c) => [c.id, c.args.city]), [['call_one', 'Oslo'], ['call_two', 'Bergen']]);
const told = await bound.invoke([new HumanMessage('two'), called, ...called.tool_calls.map((c) => new ToolMessage({ tool_call_id: c.id, content: c.args.city + ' is fine' }))]);
assert.equal(told.text, 'call_one: Oslo is fine; call_two: Bergen is fine');

await assert.rejects(chat({ model: 'no/such' }).invoke('x'), (e) => e.status === 400 && /no\/such is not a valid model ID/.test(e.message));
await assert.rejects(chat({ model: 'broken' }).invoke('x'), (e) => e.status === 502);

let heard = 0;
for await (const chunk of await chat().stream('forever')) if (chunk.text && ++heard === 5) break;
assert.equal(heard, 5);
