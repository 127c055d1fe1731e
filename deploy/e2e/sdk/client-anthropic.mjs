// Anthropic's SDK over models that are not Anthropic's.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ baseURL: process.env.GATEWAY, apiKey: process.env.API_KEY, maxRetries: 0 });
const say = (content, more = {}) => ({ model: 'stage', max_tokens: 100, messages: [{ role: 'user', content }], ...more });

const ids = [];
for await (const m of client.models.list()) ids.push([m.id, m.type]);
assert.deepEqual(ids, [['stage', 'model'], ['broken', 'model'], ['busy', 'model']]);

const whole = await client.messages.create(say('hello'));
assert.match(whole.content[0].text, /stage|wings/);
const tools = [{ name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } }];
const called = await client.messages.stream(say('two', { tools })).finalMessage();
const calls = called.content.filter((b) => b.type === 'tool_use');
assert.deepEqual(calls.map((c) => [c.id, c.input.city]), [['call_one', 'Oslo'], ['call_two', 'Bergen']]);
const told = await client.messages.create({
  ...say('two', { tools }),
  messages: [{ role: 'user', content: 'two' }, { role: 'assistant', content: called.content }, { role: 'user', content: calls.map((c) => ({ type: 'tool_result', tool_use_id: c.id, content: c.input.city + ' is fine' })) }],
});
assert.equal(told.content[0].text, 'call_one: Oslo is fine; call_two: Bergen is fine');

await assert.rejects(client.messages.create({ ...say('x'), model: 'no/such' }), (e) => e instanceof Anthropic.BadRequestError && /no\/such/.test(e.message));
await assert.rejects(client.messages.create({ ...say('x'), model: 'broken' }), (e) => e instanceof Anthropic.InternalServerError && e.status === 502);
await assert.rejects(new Anthropic({ baseURL: process.env.GATEWAY, apiKey: 'hyi-wrong', maxRetries: 0 }).messages.create(say('x')), Anthropic.AuthenticationError);

const stream = client.messages.stream(say('forever'));
let heard = 0;
stream.on('text', () => { if (++heard === 5) stream.abort(); });
await assert.rejects(stream.done(), Anthropic.APIUserAbortError);
assert.ok(heard >= 5);
