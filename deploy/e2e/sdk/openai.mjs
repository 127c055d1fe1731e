// The published OpenAI SDK against a node: models, chat, stream, tools, errors, abort.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });

const models = [];
for await (const m of client.models.list()) models.push(m.id);
assert.deepEqual(models, ['demo', 'other']);

const messages = [{ role: 'user', content: 'Ping' }];
const whole = await client.chat.completions.create({ model: 'demo', messages, max_tokens: 64 });
assert.equal(whole.object, 'chat.completion');
assert.match(whole.choices[0].message.content, /^Pong/);
assert.equal(whole.choices[0].finish_reason, 'stop');
assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);

let text = '';
let usage;
const stream = await client.chat.completions.create({
  model: 'demo', messages: [{ role: 'user', content: 'Count to 10' }], stream: true, demo_delay_ms: 0,
});
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta?.content ?? '';
  usage = chunk.usage ?? usage;
}
assert.equal(text, '1 2 3 4 5 6 7 8 9 10');
assert.equal(usage.completion_tokens, 10);

const helper = client.chat.completions.stream({ model: 'demo', messages: [{ role: 'user', content: 'Count to 3' }] });
assert.equal((await helper.finalChatCompletion()).choices[0].message.content, '1 2 3');

await assert.rejects(
  client.chat.completions.create({ model: 'no/such', messages }),
  (e) => e instanceof OpenAI.BadRequestError && /no\/such is not a valid model ID/.test(e.message),
);
await assert.rejects(
  new OpenAI({ baseURL: process.env.BASE_URL, apiKey: 'hyi-wrong', maxRetries: 0 }).models.list(),
  (e) => e instanceof OpenAI.AuthenticationError,
);

const aborter = new AbortController();
const long = await client.chat.completions.create(
  { model: 'demo', messages: [{ role: 'user', content: 'Count to 1000' }], stream: true }, { signal: aborter.signal },
);
let seen = 0;
try {
  for await (const chunk of long) if (chunk.choices.length && ++seen === 3) aborter.abort();
} catch (e) {
  assert.ok(e instanceof OpenAI.APIUserAbortError, String(e));
}
assert.ok(seen < 1000);
console.log('ok');
