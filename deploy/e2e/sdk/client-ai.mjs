// The Vercel AI SDK with the OpenRouter provider.
import assert from 'node:assert/strict';
import { APICallError, embed, generateText, isStepCount, Output, streamText, tool } from 'ai';
import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import { z } from 'zod';

const openrouter = createOpenRouter({ baseURL: process.env.GATEWAY + '/api/v1', apiKey: process.env.API_KEY });
const model = openrouter.chat('stage');
const maxRetries = 0;

const whole = await generateText({ model, prompt: 'hello', maxRetries });
assert.match(whole.text, /stage|wings/);
assert.equal(whole.usage.totalTokens, 150);
assert.ok(whole.providerMetadata.openrouter.usage.cost > 0);

const tools = { get_weather: tool({ inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => city + ' is fine' }) };
const result = streamText({ model, prompt: 'two', tools, stopWhen: isStepCount(3), maxRetries });
let text = '';
for await (const part of result.textStream) text += part;
assert.match(text, /call_one: "?Oslo is fine"?; call_two: "?Bergen is fine"?/);

const object = await generateText({ model, prompt: 'json', output: Output.object({ schema: z.object({ city: z.string(), degrees: z.number() }) }), maxRetries });
assert.deepEqual(object.output, { city: 'Oslo', degrees: 7 });

const only = await generateText({ model: openrouter.chat('stage', { provider: { only: ['sglang'] } }), prompt: 'hello', maxRetries });
assert.equal(only.text, 'wings');
const fallback = await generateText({ model: openrouter.chat('broken', { models: ['stage'] }), prompt: 'hello', maxRetries });
assert.match(fallback.text, /stage|wings/);

await assert.rejects(generateText({ model: openrouter.chat('no/such'), prompt: 'x', maxRetries }), (e) => APICallError.isInstance(e) && e.statusCode === 400 && /no\/such/.test(e.message));
await assert.rejects(generateText({ model: openrouter.chat('broken'), prompt: 'x', maxRetries }), (e) => APICallError.isInstance(e) && e.statusCode === 502);

const { embedding } = await embed({ model: openrouter.textEmbeddingModel('vectors'), value: 'x', maxRetries });
assert.deepEqual(embedding, [0.5, -1.25, 3, 0.0078125]);

// the SDK rejects promises of its own, too, which nobody has asked for
process.on('unhandledRejection', (e) => assert.equal(e.name, 'AbortError'));
const aborter = new AbortController();
let heard = 0;
try {
  for await (const part of streamText({ model, prompt: 'forever', abortSignal: aborter.signal, maxRetries, onError() {} }).textStream) {
    if (part && ++heard === 5) aborter.abort();
  }
} catch (e) {
  assert.equal(e.name, 'AbortError');
}
assert.ok(heard >= 5);
