// One conversation with a tool and thoughts, through the published OpenAI SDK, with every model: whole and streamed.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: 'none', maxRetries: 0, timeout: 10_000 });
const tools = [{
  type: 'function',
  function: {
    name: 'get_weather', description: 'The weather at a place.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
  },
}];

// ask returns the message and usage of a turn, streamed or not.
async function ask(params, stream) {
  if (!stream) {
    const answer = await client.chat.completions.create(params);
    return { message: answer.choices[0].message, finish: answer.choices[0].finish_reason, usage: answer.usage };
  }
  const message = { role: 'assistant', content: '', reasoning: '', tool_calls: [], reasoning_details: [] };
  let finish, usage;
  for await (const chunk of await client.chat.completions.create({ ...params, stream: true })) {
    usage = chunk.usage ?? usage;
    const choice = chunk.choices[0];
    if (!choice) continue;
    finish = choice.finish_reason ?? finish;
    message.content += choice.delta.content ?? '';
    message.reasoning += choice.delta.reasoning ?? '';
    for (const call of choice.delta.tool_calls ?? []) gather(message.tool_calls, call, call.function?.arguments);
    for (const detail of choice.delta.reasoning_details ?? []) gather(message.reasoning_details, detail);
  }
  if (!message.tool_calls.length) delete message.tool_calls;
  return { message, finish, usage };
}

// gather joins a fragment to the entry with its index, as clients do.
function gather(list, fragment, args) {
  const entry = list.find((e) => e.index === fragment.index);
  if (!entry) return void list.push(structuredClone(fragment));
  if (args) entry.function.arguments += args;
  if (fragment.text) entry.text = (entry.text ?? '') + fragment.text;
  for (const name of ['signature', 'data']) if (fragment[name]) entry[name] = fragment[name];
}

async function converse(model, thinks, stream) {
  const messages = [
    { role: 'developer', content: 'Use the tool.' },
    { role: 'user', content: 'What is the weather in Oslo?' },
  ];
  const params = {
    model, messages, tools, tool_choice: 'auto', parallel_tool_calls: true, temperature: 0, max_tokens: 4000, seed: 7, user: 'me', reasoning_effort: 'low',
  };
  const one = await ask(params, stream);
  assert.equal(one.finish, 'tool_calls');
  assert.equal(one.message.tool_calls.length, 1);
  assert.equal(one.message.tool_calls[0].function.name, 'get_weather');
  assert.ok(one.message.tool_calls[0].id);
  assert.deepEqual(JSON.parse(one.message.tool_calls[0].function.arguments), { city: 'Oslo' });
  assert.ok(!one.message.content, `text ${one.message.content}`);
  assert.equal(one.message.reasoning || '', thinks ? 'The weather is asked for, so I call the tool.' : '');

  messages.push(one.message, { role: 'tool', tool_call_id: one.message.tool_calls[0].id, content: '7 degrees, light rain' });
  const two = await ask(params, stream);
  assert.equal(two.finish, 'stop');
  assert.equal(two.message.content, 'It is 7 degrees in Oslo, with light rain.');
  assert.equal(two.message.reasoning || '', thinks ? 'The tool has told me.' : '');
  assert.equal(two.message.tool_calls, undefined);
  for (const { usage } of [one, two]) {
    assert.deepEqual([usage.prompt_tokens, usage.completion_tokens, usage.total_tokens], [120, 30, 150]);
    assert.equal(usage.prompt_tokens_details.cached_tokens, 40);
  }
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

const prompt = { model: 'm-vllm', prompt: 'Say hello.', max_tokens: 10 };
const completion = await client.completions.create(prompt);
assert.equal(completion.object, 'text_completion');
assert.equal(completion.choices[0].text, 'Hello there.');
let text = '';
for await (const chunk of await client.completions.create({ ...prompt, stream: true })) text += chunk.choices[0]?.text ?? '';
assert.equal(text, 'Hello there.');
await assert.rejects(client.completions.create({ model: 'm-vllm', prompt: 7 }), (e) => e instanceof OpenAI.BadRequestError && /prompt/.test(e.message));

const want = [0.5, -1.25, 3, 0.0078125];
for (const encoding_format of [undefined, 'float']) { // without one the SDK asks for base64 and unpacks it
  const vectors = await client.embeddings.create({ model: 'm-embeddings', input: ['one', 'two'], encoding_format });
  assert.deepEqual(vectors.data.map((d) => d.embedding), [want, want]);
  assert.equal(vectors.usage.prompt_tokens, 6);
}
const packed = await client.embeddings.create({ model: 'm-embeddings', input: 'one', encoding_format: 'base64' });
assert.deepEqual([...new Float32Array(Uint8Array.from(Buffer.from(packed.data[0].embedding, 'base64')).buffer)], want);
await assert.rejects(client.embeddings.create({ model: 'm-vllm', input: 'one' }), (e) => e.status >= 400 && e.status < 500);
