// The Vercel AI SDK with the OpenAI provider, whose models speak Responses.
import assert from 'node:assert/strict';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, generateText, isStepCount, Output, streamText, tool } from 'ai';
import { z } from 'zod';

const openai = createOpenAI({ baseURL: process.env.GATEWAY + '/v1', apiKey: process.env.API_KEY });
const model = openai('stage');
const maxRetries = 0;

const unary = await generateText({ model, prompt: 'hello', maxRetries });
assert.match(unary.text, /stage|wings/);
assert.equal(unary.usage.totalTokens, 150);

const tools = { get_weather: tool({ inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => city + ' is fine' }) };
const result = streamText({ model, prompt: 'two', tools, stopWhen: isStepCount(3), maxRetries, providerOptions: { openai: { store: false } } });
let text = '';
for await (const part of result.textStream) text += part;
assert.match(text, /call_one: "?Oslo is fine"?; call_two: "?Bergen is fine"?/);

const object = await generateText({ model, prompt: 'json', output: Output.object({ schema: z.object({ city: z.string(), degrees: z.number() }) }), maxRetries });
assert.deepEqual(object.output, { city: 'Oslo', degrees: 7 });

await assert.rejects(generateText({ model: openai('no/such'), prompt: 'x', maxRetries }), (e) => APICallError.isInstance(e) && e.statusCode === 400 && /no\/such/.test(e.message));
await assert.rejects(generateText({ model: openai('broken'), prompt: 'x', maxRetries }), (e) => APICallError.isInstance(e) && e.statusCode === 502);

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
