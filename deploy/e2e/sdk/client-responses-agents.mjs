// OpenAI's agents SDK, whose default is the Responses API.
import assert from 'node:assert/strict';
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';

setTracingDisabled(true);
const client = new OpenAI({ baseURL: process.env.GATEWAY + '/v1', apiKey: process.env.API_KEY, maxRetries: 0, timeout: 20_000 });
const runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client }), tracingDisabled: true });
const get_weather = tool({ name: 'get_weather', description: 'The weather.', parameters: z.object({ city: z.string() }), execute: async ({ city }) => city + ' is fine' });
const agent = (model, more = {}) => new Agent({ name: 'Weather', instructions: 'Use the tool.', model, tools: [get_weather], ...more });

const result = await runner.run(agent('stage'), 'two');
assert.match(result.finalOutput, /call_one: Oslo is fine; call_two: Bergen is fine|call_two: Bergen is fine; call_one: Oslo is fine/);

const streamed = await runner.run(agent('stage'), 'two', { stream: true });
for await (const event of streamed) assert.ok(event.type);
await streamed.completed;
assert.match(streamed.finalOutput, /call_one: Oslo is fine; call_two: Bergen is fine|call_two: Bergen is fine; call_one: Oslo is fine/);

await assert.rejects(runner.run(agent('no/such'), 'x'), (e) => e.status === 400 && /no\/such is not a valid model ID/.test(e.message));
await assert.rejects(runner.run(agent('broken'), 'x'), (e) => e.status === 502);

const aborter = new AbortController();
let heard = 0;
try {
  const endless = await runner.run(agent('stage', { tools: [] }), 'forever', { stream: true, signal: aborter.signal });
  for await (const event of endless) {
    if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta' && ++heard === 5) aborter.abort();
  }
} catch (e) {
  assert.match(e.name, /AbortError|APIUserAbortError/);
}
assert.ok(heard >= 5);
