package gemini_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The recordings are Google's own requests. clientOf translates one into the
// request of an OpenAI client, from which the adapter has to build it again.

type recorded struct {
	SystemInstruction struct {
		Parts []recordedPart `json:"parts"`
	} `json:"systemInstruction"`
	Contents []struct {
		Role  string         `json:"role"`
		Parts []recordedPart `json:"parts"`
	} `json:"contents"`
	Tools []struct {
		FunctionDeclarations []struct {
			Name        string `json:"name"`
			Description string `json:"description"`
			Parameters  any    `json:"parameters"`
		} `json:"functionDeclarations"`
	} `json:"tools"`
	ToolConfig struct {
		FunctionCallingConfig struct {
			Mode                 string   `json:"mode"`
			AllowedFunctionNames []string `json:"allowedFunctionNames"`
		} `json:"functionCallingConfig"`
	} `json:"toolConfig"`
	GenerationConfig map[string]json.RawMessage `json:"generationConfig"`
}

type recordedPart struct {
	Text       *string `json:"text"`
	InlineData *struct {
		MimeType string `json:"mimeType"`
		Data     string `json:"data"`
	} `json:"inlineData"`
	FunctionCall *struct {
		ID   string          `json:"id"`
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	} `json:"functionCall"`
	FunctionResponse *struct {
		ID       string `json:"id"`
		Response struct {
			Result string `json:"result"`
		} `json:"response"`
	} `json:"functionResponse"`
	ThoughtSignature string `json:"thoughtSignature"`
}

type object = map[string]any

// clientOf returns "" if there is no recording of a request.
func clientOf(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("GATEWAY_FIXTURES")
	if root == "" {
		return ""
	}
	raw, err := os.ReadFile(filepath.Join(root, "gemini", name, "request.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	var r recorded
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	client := object{"messages": r.messages()}
	r.config(client)
	r.tools(client)
	out, err := json.Marshal(client)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func (r *recorded) messages() []any {
	var out []any
	for _, p := range r.SystemInstruction.Parts {
		out = append(out, object{"role": "system", "content": *p.Text})
	}
	for _, c := range r.Contents {
		switch {
		case c.Role == "model":
			out = append(out, answer(c.Parts))
		case c.Parts[0].FunctionResponse != nil:
			for _, p := range c.Parts {
				out = append(out, object{"role": "tool", "tool_call_id": p.FunctionResponse.ID, "content": p.FunctionResponse.Response.Result})
			}
		default:
			out = append(out, object{"role": "user", "content": content(c.Parts)})
		}
	}
	return out
}

func content(parts []recordedPart) []any {
	var out []any
	for _, p := range parts {
		if p.InlineData != nil {
			out = append(out, object{"type": "image_url", "image_url": object{"url": "data:" + p.InlineData.MimeType + ";base64," + p.InlineData.Data}})
			continue
		}
		out = append(out, object{"type": "text", "text": *p.Text})
	}
	return out
}

func answer(parts []recordedPart) object {
	m := object{"role": "assistant"}
	var calls, details []any
	for _, p := range parts {
		if p.FunctionCall == nil {
			m["content"] = *p.Text
			continue
		}
		calls = append(calls, object{"id": p.FunctionCall.ID, "type": "function", "function": object{"name": p.FunctionCall.Name, "arguments": string(p.FunctionCall.Args)}})
		if p.ThoughtSignature != "" {
			details = append(details, object{"type": "reasoning.encrypted", "data": p.ThoughtSignature, "id": p.FunctionCall.ID, "format": "google-gemini-v1", "index": 0})
		}
	}
	if calls != nil {
		m["tool_calls"], m["reasoning_details"] = calls, details
	}
	return m
}

func (r *recorded) config(client object) {
	for key, raw := range r.GenerationConfig {
		switch key {
		case "maxOutputTokens":
			client["max_tokens"] = raw
		case "stopSequences":
			client["stop"] = raw
		case "responseJsonSchema":
			client["response_format"] = object{"type": "json_schema", "json_schema": object{"name": "answer", "schema": raw}}
		case "responseModalities":
			client["modalities"] = json.RawMessage(strings.ToLower(string(raw)))
		case "thinkingConfig":
			client["reasoning"] = thinking(raw)
		}
	}
}

func thinking(raw json.RawMessage) object {
	var c struct {
		Budget int `json:"thinkingBudget"`
	}
	if json.Unmarshal(raw, &c) != nil || c.Budget == 0 {
		return object{"enabled": false}
	}
	return object{"max_tokens": c.Budget}
}

func (r *recorded) tools(client object) {
	var tools []any
	for _, t := range r.Tools {
		for _, f := range t.FunctionDeclarations {
			tools = append(tools, object{"type": "function", "function": object{"name": f.Name, "description": f.Description, "parameters": lowerTypes(f.Parameters)}})
		}
	}
	if tools == nil {
		return
	}
	client["tools"] = tools
	choice := r.ToolConfig.FunctionCallingConfig
	if choice.Mode == "AUTO" {
		client["tool_choice"] = "auto"
		return
	}
	var allowed []any
	for _, name := range choice.AllowedFunctionNames {
		allowed = append(allowed, object{"type": "function", "function": object{"name": name}})
	}
	client["tool_choice"] = object{"type": "allowed_tools", "allowed_tools": object{"mode": "required", "tools": allowed}}
}

// lowerTypes writes the types of a schema as JSON Schema does.
func lowerTypes(schema any) any {
	m, ok := schema.(object)
	if !ok {
		return schema
	}
	for key, val := range m {
		if s, ok := val.(string); ok && key == "type" {
			m[key] = strings.ToLower(s)
		} else {
			m[key] = lowerTypes(val)
		}
	}
	return m
}
