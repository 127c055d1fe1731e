"""Streams an answer with Python's standard library."""
import json
import os
import urllib.request

url = os.environ.get("GATEWAY_URL", "http://localhost:8080")
key = os.environ.get("GATEWAY_KEY", "none")
body = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": "Count to 5"}]}
request = urllib.request.Request(
    url + "/v1/chat/completions",
    data=json.dumps(body).encode(),
    headers={"Authorization": "Bearer " + key, "Content-Type": "application/json"},
)
usage = provider = None
with urllib.request.urlopen(request) as response:
    for line in response:
        text = line.decode().strip()
        if not text.startswith("data: ") or text == "data: [DONE]":
            continue  # blank lines, and comments that keep the connection open
        chunk = json.loads(text.removeprefix("data: "))
        if "error" in chunk:
            raise SystemExit(chunk["error"]["message"])
        provider = chunk.get("provider", provider)
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            print(choice["delta"].get("content") or "", end="", flush=True)
print(f"\n{provider}: {usage['total_tokens']} tokens, {usage['cost']} USD")
