package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// reader is an upstream with a model that reads a file with whatever tool an
// agent offers, and then says what was in it. It speaks chat completions and
// Anthropic's messages.
type reader struct {
	t *testing.T

	mu    sync.Mutex
	asked []sent // for generations
}

// take returns what was asked since the last call.
func (u *reader) take() []sent {
	u.mu.Lock()
	defer u.mu.Unlock()
	asked := u.asked
	u.asked = nil
	return asked
}

const fileContent = "magic-4711"

func (u *reader) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the agent has left
	}
	if isGeneration(r.URL.Path) {
		u.mu.Lock()
		u.asked = append(u.asked, sent{path: r.URL.Path, body: body})
		u.mu.Unlock()
	}
	var request struct {
		Model    string            `json:"model"`
		Messages []json.RawMessage `json:"messages"`
		Tools    []json.RawMessage `json:"tools"`
		Stream   bool              `json:"stream"`
	}
	if err := json.Unmarshal(body, &request); err != nil || len(request.Messages) == 0 {
		u.t.Errorf("%s: %v in %.200s", r.URL.Path, err, body)
		http.Error(w, `{"error":{"message":"no messages"}}`, http.StatusBadRequest)
		return
	}
	last := string(request.Messages[len(request.Messages)-1])
	text, name, args := "The file says: (nothing)", "", ""
	switch {
	case strings.Contains(last, fileContent):
		text = "The file says: " + fileContent
	case len(request.Tools) > 0 && !strings.Contains(last, `"tool"`) && !strings.Contains(last, "tool_result"):
		name, args = u.pick(request.Tools)
	}
	events := chatEvents(request.Model, text, name, args)
	if strings.HasSuffix(r.URL.Path, "/messages") {
		events = messagesEvents(request.Model, text, name, args)
	}
	if strings.HasSuffix(r.URL.Path, "/count_tokens") {
		_, _ = io.WriteString(w, `{"input_tokens":1234}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, events)
}

// pick chooses the tool of an agent that can read a file, and its arguments.
func (u *reader) pick(tools []json.RawMessage) (name, args string) {
	ways := map[string]map[string]any{
		"exec_command":      {"cmd": "cat hello.txt"},
		"Bash":              {"command": "cat hello.txt", "description": "Read the file"},
		"bash":              {"command": "cat hello.txt", "description": "Read the file"},
		"run_shell_command": {"command": "cat hello.txt", "description": "Read the file", "is_background": false},
	}
	for _, raw := range tools {
		var tool struct {
			Name     string                `json:"name"`
			Function struct{ Name string } `json:"function"`
		}
		if err := json.Unmarshal(raw, &tool); err != nil {
			u.t.Error(err)
		}
		if tool.Name == "" {
			tool.Name = tool.Function.Name
		}
		if way, ok := ways[tool.Name]; ok {
			raw, err := json.Marshal(way)
			if err != nil {
				u.t.Error(err)
			}
			return tool.Name, string(raw)
		}
	}
	return "", ""
}

func chatEvents(model, text, name, args string) string {
	var b strings.Builder
	chunk := func(delta, finish string) {
		fmt.Fprintf(&b, "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":%q,\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":%s}]}\n\n", model, delta, finish)
	}
	if name == "" {
		chunk(fmt.Sprintf(`{"role":"assistant","content":%q}`, text), "null")
		chunk(`{}`, `"stop"`)
	} else {
		chunk(`{"role":"assistant","content":"","reasoning_content":"I read it."}`, "null")
		chunk(fmt.Sprintf(`{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":%q,"arguments":""}}]}`, name), "null")
		for _, part := range []string{args[:5], args[5:]} {
			chunk(fmt.Sprintf(`{"tool_calls":[{"index":0,"function":{"arguments":%q}}]}`, part), "null")
		}
		chunk(`{}`, `"tool_calls"`)
	}
	b.WriteString("data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":20,\"total_tokens\":120}}\n\ndata: [DONE]\n\n")
	return b.String()
}

func messagesEvents(model, text, name, args string) string {
	var b strings.Builder
	event := func(kind, members string) {
		fmt.Fprintf(&b, "event: %s\ndata: {\"type\":%q%s}\n\n", kind, kind, members)
	}
	event("message_start", fmt.Sprintf(`,"message":{"id":"msg_1","type":"message","role":"assistant","model":%q,"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":100,"output_tokens":1}}`, model))
	reason := "end_turn"
	if name == "" {
		event("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`)
		event("content_block_delta", fmt.Sprintf(`,"index":0,"delta":{"type":"text_delta","text":%q}`, text))
	} else {
		reason = "tool_use"
		event("content_block_start", fmt.Sprintf(`,"index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":%q,"input":{}}`, name))
		event("content_block_delta", fmt.Sprintf(`,"index":0,"delta":{"type":"input_json_delta","partial_json":%q}`, args))
	}
	event("content_block_stop", `,"index":0`)
	event("message_delta", fmt.Sprintf(`,"delta":{"stop_reason":%q,"stop_sequence":null},"usage":{"output_tokens":20}`, reason))
	event("message_stop", "")
	return b.String()
}

const agentModels = `models:
  - id: open
    provider: openai_compat
    provider_model_id: org/open-1
    base_url: %[1]s/v1
    supports_tools: true
    max_output_length: 64000
  - id: claude-sonnet-4-5
    provider: anthropic
    provider_model_id: claude-sonnet-4-5-20250929
    base_url: %[1]s
    api_key: ${AGENT_KEY}
    supports_tools: true
    max_output_length: 64000
`

// agent is a program that is told to read a file.
type agent struct {
	name    string
	program string
	// args and env of a model at a gateway; home is its own.
	args func(model string) []string
	env  func(url, model string) []string
	// files are written before it starts: below its home, or where it works.
	files func(url, model string) map[string]string
}

const prompt = "read hello.txt"

func agents() []agent {
	return []agent{
		{
			name: "codex", program: "codex",
			args: func(string) []string {
				return []string{"exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", prompt}
			},
			env: func(string, string) []string { return []string{"GATEWAY_KEY=x"} },
			files: func(url, model string) map[string]string {
				return map[string]string{"home/.codex/config.toml": fmt.Sprintf("model = %q\nmodel_provider = \"gateway\"\n[model_providers.gateway]\nname = \"gateway\"\nbase_url = \"%s/v1\"\nenv_key = \"GATEWAY_KEY\"\nwire_api = \"responses\"\n[analytics]\nenabled = false\n", model, url)}
			},
		},
		{
			name: "claude code", program: "claude",
			args: func(string) []string { return []string{"-p", prompt, "--dangerously-skip-permissions"} },
			env: func(url, model string) []string {
				return []string{
					"ANTHROPIC_BASE_URL=" + url, "ANTHROPIC_AUTH_TOKEN=x", "ANTHROPIC_MODEL=" + model, "ANTHROPIC_SMALL_FAST_MODEL=" + model,
					"DISABLE_TELEMETRY=1", "DISABLE_AUTOUPDATER=1", "DISABLE_ERROR_REPORTING=1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "IS_SANDBOX=1",
				}
			},
		},
		{
			name: "opencode", program: "opencode",
			args: func(model string) []string { return []string{"run", "-m", "openai/" + model, prompt} },
			env:  func(string, string) []string { return []string{"OPENCODE_DISABLE_MODELS_FETCH=1"} },
			files: func(url, model string) map[string]string {
				return map[string]string{"work/opencode.json": fmt.Sprintf(`{"autoupdate":false,"share":"disabled","small_model":"openai/%[2]s","provider":{"openai":{"options":{"baseURL":"%[1]s/v1","apiKey":"x"},"models":{"%[2]s":{"name":"m","tool_call":true}}}}}`, url, model)}
			},
		},
		{
			name: "qwen code", program: "qwen",
			args: func(string) []string { return []string{"--auth-type", "openai", "-y", "-p", prompt} },
			env: func(url, model string) []string {
				return []string{"OPENAI_API_KEY=x", "OPENAI_BASE_URL=" + url + "/v1", "OPENAI_MODEL=" + model}
			},
		},
	}
}

// TestAgents runs the coding agents that people use: each reads a file with a
// tool of its own and says what is in it, over a server that speaks chat
// completions and over one of Anthropic's.
func TestAgents(t *testing.T) {
	up := &reader{t: t}
	server := httptest.NewServer(up)
	t.Cleanup(server.Close)
	models := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(models, fmt.Appendf(nil, agentModels, server.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	launch(t, "standalone", []string{
		"PORT=" + port, "CONTROL_PORT=" + freePort(t), "STATE_DIR=" + t.TempDir(), "MODELS_CONFIG=" + models,
		"ROUTING_CONFIG=" + filepath.Join(root, "config", "routing.yaml"), "AGENT_KEY=sk-test",
	})
	url := "http://127.0.0.1:" + port
	serving(t, url+"/health/ready")
	between := newTap(t, url)
	front := httptest.NewServer(between)
	t.Cleanup(front.Close)
	for _, a := range agents() {
		for _, model := range []string{"open", "claude-sonnet-4-5"} {
			t.Run(a.name+" over "+model, func(t *testing.T) {
				a.read(t, front.URL, model)
				compareSent(t, between.take(), up.take())
			})
		}
	}
}

// read runs the agent in a folder and a home of its own.
func (a *agent) read(t *testing.T, url, model string) {
	dir := t.TempDir()
	files := map[string]string{"work/hello.txt": fileContent + "\n", "home/.keep": ""}
	if a.files != nil {
		maps.Copy(files, a.files(url, model))
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program, err := filepath.Abs(filepath.Join("agents", "node_modules", ".bin", a.program))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, a.args(model)...)
	cmd.Dir = filepath.Join(dir, "work")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(dir, "home"), "TMPDIR=" + dir}, a.env(url, model)...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "The file says: "+fileContent) {
		t.Errorf("%v\n%s", err, out)
	}
}
