// Streams an answer with Node's fetch.
const { GATEWAY_URL: url = 'http://localhost:8080', GATEWAY_KEY: key = 'none' } = process.env;
const response = await fetch(`${url}/v1/chat/completions`, {
  method: 'POST',
  headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
  body: JSON.stringify({ model: 'demo', stream: true, messages: [{ role: 'user', content: 'Count to 5' }] }),
});
if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);

let usage, provider, rest = '';
for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + part).split('\n');
  rest = lines.pop(); // a line may arrive in two parts
  for (const line of lines) {
    if (!line.startsWith('data: ') || line === 'data: [DONE]') continue; // blank lines and comments
    const chunk = JSON.parse(line.slice('data: '.length));
    if (chunk.error) throw new Error(chunk.error.message);
    provider = chunk.provider ?? provider;
    usage = chunk.usage ?? usage;
    for (const choice of chunk.choices) process.stdout.write(choice.delta.content ?? '');
  }
}
console.log(`\n${provider}: ${usage.total_tokens} tokens, ${usage.cost} USD`);
