// The same conversation in Anthropic's language, through its published SDK, with every model: whole and streamed.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ baseURL: process.env.BASE_URL, apiKey: 'none', maxRetries: 0, timeout: 10_000 });
const tools = [{ name: 'get_weather', description: 'The weather at a place.', input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } }];

const ask = (params, stream) => (stream ? client.messages.stream(params).finalMessage() : client.messages.create(params));
const only = (message, type) => message.content.filter((block) => block.type === type);

async function converse(model, thinks, stream) {
  const messages = [{ role: 'user', content: 'What is the weather in Oslo?' }];
  const params = { model, messages, tools, system: 'Use the tool.', max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 1024 } };
  const one = await ask(params, stream);
  assert.equal(one.type, 'message');
  assert.equal(one.stop_reason, 'tool_use');
  const [call] = only(one, 'tool_use');
  assert.equal(call.name, 'get_weather');
  assert.ok(call.id);
  assert.deepEqual(call.input, { city: 'Oslo' });
  if (thinks) assert.equal(only(one, 'thinking')[0].thinking, 'The weather is asked for, so I call the tool.');

  messages.push({ role: 'assistant', content: one.content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: '7 degrees, light rain' }] });
  const two = await ask(params, stream);
  assert.equal(two.stop_reason, 'end_turn');
  assert.equal(only(two, 'text').map((block) => block.text).join(''), 'It is 7 degrees in Oslo, with light rain.');
  assert.equal(two.usage.input_tokens + two.usage.cache_read_input_tokens, 120);
  assert.equal(two.usage.output_tokens, 30);
}

for (const [model, thinks] of JSON.parse(process.env.MODELS)) {
  for (const stream of [false, true]) {
    try {
      await converse(model, thinks, stream);
    } catch (e) {
      console.log(`${model}, ${stream ? 'streamed' : 'whole'}: ${e.message}`);
      process.exitCode = 1;
    }
  }
}

await assert.rejects(client.messages.create({ model: 'm-vllm', max_tokens: 0, messages: [{ role: 'user', content: 'x' }] }), (e) => e instanceof Anthropic.BadRequestError && /max_tokens/.test(e.message));
await assert.rejects(client.messages.create({ model: 'no/such', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] }), Anthropic.APIError);
