package chat

import (
	"strconv"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// FromPrompt rewrites a legacy completion request into a chat completion with
// the prompt as its one user message, appended to dst. The error is an
// InvalidRequest fault that names the member which a chat cannot express:
// token ids, several prompts, echo, suffix and best_of.
func FromPrompt(dst, body []byte) ([]byte, error) {
	var c rawjson.Cursor
	c.Reset(body)
	if !c.Object() {
		return dst, (&Request{}).Parse(body) // which knows how to say it
	}
	dst = append(dst, '{')
	mark, prompted := len(dst), false
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		val := c.Raw()
		if rawjson.IsNull(val) {
			continue
		}
		var err error
		switch string(key) {
		case "prompt":
			prompted = true
			dst, err = appendPrompt(dst, val)
		case "logprobs":
			dst, err = appendLogprobs(dst, val)
		case "echo", "suffix", "best_of":
			err = harmless(string(key), val)
		case "messages":
			err = invalid("messages: not taken here; give a prompt, or use chat/completions")
		default:
			dst = append(append(append(dst, '"'), key...), '"', ':')
			dst = append(append(dst, val...), ',')
		}
		if err != nil {
			return dst, err
		}
	}
	if err := c.End(); err != nil {
		return dst, syntax(err)
	}
	if !prompted {
		return dst, invalid("prompt: required")
	}
	if len(dst) > mark {
		dst = dst[:len(dst)-1]
	}
	return append(dst, '}'), nil
}

func appendPrompt(dst, val []byte) ([]byte, error) {
	if val[0] == '[' {
		var err error
		if val, err = onlyPrompt(val); err != nil {
			return dst, err
		}
	}
	if val[0] != '"' {
		return dst, invalid("prompt: must be a string or an array of one string, got %s", describe(val))
	}
	dst = append(append(dst, `"messages":[{"role":"user","content":`...), val...)
	return append(dst, "}],"...), nil
}

func onlyPrompt(val []byte) ([]byte, error) {
	var c rawjson.Cursor
	c.Reset(val)
	c.Array()
	if !c.Elem() {
		return nil, invalid("prompt: must have a text")
	}
	only := c.Raw()
	if only[0] != '"' {
		return nil, invalid("prompt: token ids are not supported, give text")
	}
	if c.Elem() {
		return nil, invalid("prompt: several prompts in one request are not supported")
	}
	return only, nil
}

// appendLogprobs turns the number of alternatives into chat's two members.
func appendLogprobs(dst, val []byte) ([]byte, error) {
	if val[0] == 't' || val[0] == 'f' { // chat's own form, which some clients send
		return append(append(append(dst, `"logprobs":`...), val...), ','), nil
	}
	n, ok := Integer(val)
	if !ok || n < 0 || n > 20 {
		return dst, invalid("logprobs: must be from 0 to 20, got %s", describe(val))
	}
	dst = strconv.AppendInt(append(dst, `"logprobs":true,"top_logprobs":`...), n, 10)
	return append(dst, ','), nil
}

// harmless refuses members that change the answer, unless their value is the default.
func harmless(key string, val []byte) error {
	switch string(val) {
	case "false", `""`, "1", "0":
		return nil
	}
	return invalid("%s: not supported", key)
}
