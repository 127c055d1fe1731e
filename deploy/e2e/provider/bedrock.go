package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// bedrock speaks Converse, and demands a signature over the entire request.
type bedrock struct{}

func (bedrock) answer(w http.ResponseWriter, r *request, c *complaints) {
	method := strings.TrimPrefix(r.URL.Path, "/model/"+Model("bedrock")+"/")
	c.want("method", method == "converse" || method == "converse-stream", true)
	checkSignature(c, r)
	c.only("the body", r.body, "messages", "system", "toolConfig", "inferenceConfig", "additionalModelRequestFields")
	checkTurns(c, list(r.body, "messages"))
	t := converseTurn(c, r)
	switch {
	case !c.none():
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"message":%q}`, strings.Join(c.list, "; "))
	case method == "converse-stream":
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		sse(w, converseStream(t))
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"metrics":{"latencyMs":5},"output":{"message":{"role":"assistant","content":[%s]}},"stopReason":%q,"usage":%s}`,
			strings.Join(converseBlocks(t), ","), t.stopReason(), converseUsage)
	}
}

// checkSignature signs the request again, with the date that it names.
func checkSignature(c *complaints, r *request) {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > time.Minute {
		c.sayf("X-Amz-Date %q", r.Header.Get("X-Amz-Date"))
	}
	again, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+r.Host+r.RequestURI, http.NoBody)
	if err != nil {
		c.sayf("%v", err)
		return
	}
	id, secret, _ := strings.Cut(Key("bedrock"), ":")
	sum := sha256.Sum256(r.raw)
	if err := v4.NewSigner().SignHTTP(r.Context(), aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, again, hex.EncodeToString(sum[:]), "bedrock", "eu-north-1", at); err != nil {
		c.sayf("%v", err)
	}
	c.want("signature", r.Header.Get("Authorization"), again.Header.Get("Authorization"))
}

func converseTurn(c *complaints, r *request) turn {
	messages := list(r.body, "messages")
	last := object(messages, -1)
	if result := object(last, "content", 0, "toolResult"); result != nil {
		c.want("toolUseId", text(result, "toolUseId"), "tooluse_Weather")
		c.want("result", words(result["content"]), Result)
		blocks := list(messages, -2, "content")
		c.want("thoughts of the earlier turn", at(blocks, 0), map[string]any{"reasoningContent": map[string]any{"reasoningText": map[string]any{"text": first, "signature": signature}}})
		c.want("call", at(blocks, -1), map[string]any{"toolUse": map[string]any{"toolUseId": "tooluse_Weather", "name": Tool, "input": map[string]any{"city": Place}}})
		return turn{thought: second, text: Answer}
	}
	if object(r.body, "toolConfig") == nil {
		return turn{text: greeting}
	}
	c.want("tool", text(r.body, "toolConfig", "tools", 0, "toolSpec", "name"), Tool)
	c.want("question", words(last["content"]), Question)
	c.want("thinking", text(r.body, "additionalModelRequestFields", "thinking", "type"), "enabled")
	c.want("system", strings.Contains(fmt.Sprint(r.body["system"]), "Use the tool"), true)
	return turn{thought: first, call: true}
}

const converseUsage = `{"inputTokens":80,"cacheReadInputTokens":40,"cacheWriteInputTokens":0,"outputTokens":30,"totalTokens":150}`

func converseBlocks(t turn) (blocks []string) {
	if t.thought != "" {
		blocks = append(blocks, fmt.Sprintf(`{"reasoningContent":{"reasoningText":{"text":%q,"signature":%q}}}`, t.thought, signature))
	}
	if t.text != "" {
		blocks = append(blocks, fmt.Sprintf(`{"text":%q}`, t.text))
	}
	if t.call {
		blocks = append(blocks, `{"toolUse":{"toolUseId":"tooluse_Weather","name":"get_weather","input":{"city":"Oslo"}}}`)
	}
	return blocks
}

// converseStream is a turn in frames. Only calls are announced.
func converseStream(t turn) (out []string) {
	put := func(kind, payload string) {
		var m eventstream.Message
		m.Headers.Set(":message-type", eventstream.StringValue("event"))
		m.Headers.Set(":event-type", eventstream.StringValue(kind))
		m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
		m.Payload = []byte(payload)
		var frame strings.Builder
		if err := eventstream.NewEncoder().Encode(&frame, m); err != nil {
			panic("BUG: " + err.Error())
		}
		out = append(out, frame.String())
	}
	n := 0
	block := func(deltas ...string) {
		for _, d := range deltas {
			put("contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":%d,"delta":%s,"p":"abcdefg"}`, n, d))
		}
		put("contentBlockStop", fmt.Sprintf(`{"contentBlockIndex":%d,"p":"ab"}`, n))
		n++
	}
	put("messageStart", `{"p":"abc","role":"assistant"}`)
	if t.thought != "" {
		block(append(converseDeltas(`{"reasoningContent":{"text":%q}}`, t.thought), fmt.Sprintf(`{"reasoningContent":{"signature":%q}}`, signature))...)
	}
	if t.text != "" {
		block(converseDeltas(`{"text":%q}`, t.text)...)
	}
	if t.call {
		put("contentBlockStart", fmt.Sprintf(`{"contentBlockIndex":%d,"start":{"toolUse":{"name":"get_weather","toolUseId":"tooluse_Weather"}}}`, n))
		block(`{"toolUse":{"input":""}}`, `{"toolUse":{"input":"{\"city\": \"O"}}`, `{"toolUse":{"input":"slo\"}"}}`)
	}
	put("messageStop", fmt.Sprintf(`{"p":"a","stopReason":%q}`, t.stopReason()))
	put("metadata", `{"metrics":{"latencyMs":5},"usage":`+converseUsage+`}`)
	return out
}

func converseDeltas(form, s string) (out []string) {
	for _, piece := range pieces(s) {
		out = append(out, fmt.Sprintf(form, piece))
	}
	return out
}
