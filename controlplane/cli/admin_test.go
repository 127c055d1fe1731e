package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

const (
	token = "a-token-for-tests"
	hash  = "8d1f8f3a0f2b4c5d6e7f8a9b0c1d2e3f405162738495a6b7c8d9e0f1a2b3c4d5"
)

// answer is what the admin API says to one request.
type answer struct {
	status int
	body   string
}

// admin speaks the admin API with answers that never change, so that the
// output of a command can be compared letter by letter. The behaviour of the
// real one is what real_test.go looks at.
type admin struct {
	url string

	mu sync.Mutex
	// seen are the requests, one line each.
	seen []string
	// instead replaces answers, before is called ahead of them.
	instead map[string]answer
	before  map[string]func()
}

func newAdmin(t *testing.T) *admin {
	t.Helper()
	a := &admin{instead: map[string]answer{}, before: map[string]func(){}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request := r.Method + " " + strings.TrimPrefix(r.URL.RequestURI(), "/admin/")
	a.note(request, r.Header.Get("X-Gateway-Author"), body)
	if r.Header.Get("Authorization") != "Bearer "+token {
		reply(w, refusal(401, "the admin token is missing or wrong"))
		return
	}
	reply(w, a.answer(request, body))
}

func (a *admin) note(request, author string, body []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = append(a.seen, strings.TrimSpace(fmt.Sprintf("%s by %s %s", request, author, body)))
}

// on runs a function before that request is answered.
func (a *admin) on(request string, do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.before[request] = do
}

// say replaces the answer to a request.
func (a *admin) say(request string, said answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.instead[request] = said
}

func (a *admin) answer(request string, body []byte) answer {
	a.mu.Lock()
	do := a.before[request]
	a.mu.Unlock()
	if do != nil {
		do()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if said, ok := a.instead[request]; ok {
		return said
	}
	if said, ok := answers()[request]; ok {
		return said
	}
	if strings.HasPrefix(request, "GET logs?") {
		return answer{200, "[" + logRow2 + "," + logRow1 + "]"}
	}
	if strings.HasPrefix(request, "GET billing?") {
		return answer{200, billingAnswer}
	}
	return dynamic(request, body)
}

// requests returns what was asked since the last call.
func (a *admin) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen := a.seen
	a.seen = nil
	return seen
}

func reply(w http.ResponseWriter, said answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(said.status)
	_, _ = io.WriteString(w, said.body)
}

func refusal(status int, message string, problems ...string) answer {
	metadata := map[string]any{}
	if len(problems) > 0 {
		metadata["problems"] = problems
	}
	text, err := json.Marshal(map[string]any{"error": map[string]any{"code": status, "message": message, "metadata": metadata}})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return answer{status, string(text)}
}

// dynamic answers what depends on the body.
func dynamic(request string, body []byte) answer {
	var in struct {
		Model     string             `json:"model"`
		Weights   map[string]float64 `json:"weights"`
		Reason    string             `json:"reason"`
		WaitMS    int64              `json:"wait_ms"`
		IfRelease int                `json:"if_release"`
		DryRun    bool               `json:"dry_run"`
		Models    string             `json:"models_yaml"`
	}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			return refusal(400, err.Error())
		}
	}
	switch request {
	case "PUT weights", "DELETE weights", "PUT policies", "DELETE policies", "POST releases/1/rollback":
		switch {
		case in.IfRelease != 0 && in.IfRelease != 12:
			return refusal(409, fmt.Sprintf("release 12 is the current one, not %d: it changed demo:demo-api", in.IfRelease))
		case in.Model == "missing":
			return refusal(404, `model "missing" not found; available: demo, glm-4.6`)
		case len(in.Weights) > 0 && in.Weights["nowhere"] != 0:
			return refusal(400, `model demo has no endpoint "nowhere"; available: demo:demo-api`)
		}
		if in.DryRun {
			return answer{200, `{"release":12,"changed":true,"nodes":[],"changes":["demo:demo-api weight 0.8 -> 0.4"]}`}
		}
		if in.Weights["demo-api"] == 0.75 {
			return answer{200, `{"release":12,"changed":false,"nodes":[]}`}
		}
		return rolledOut(in.Model, in.WaitMS)
	case "POST apply":
		return applied(in.DryRun, in.WaitMS, in.Models)
	}
	return refusal(404, "there is no "+request)
}

// rolledOut has healthy nodes for the model demo, others for glm-4.6.
func rolledOut(model string, wait int64) answer {
	switch {
	case wait == 0:
		return answer{200, `{"release":13,"changed":true,"nodes":[{"node":"node-1","state":"pending","ms":0},{"node":"node-2","state":"pending","ms":0}]}`}
	case model == "glm-4.6":
		return answer{200, `{"release":13,"changed":true,"nodes":[{"node":"node-1","state":"applied","ms":4},` +
			`{"node":"node-2","state":"rejected","ms":6,"reason":"glm-4.6:zhipu-api: unknown kind"},{"node":"node-3","state":"pending","ms":0}]}`}
	}
	return answer{200, `{"release":13,"changed":true,"nodes":[{"node":"node-1","state":"applied","ms":4},{"node":"node-2","state":"applied","ms":12}]}`}
}

func applied(dry bool, wait int64, models string) answer {
	switch {
	case strings.Contains(models, "broken"):
		return refusal(400, "models.yaml has 2 problems; nothing was changed",
			"models.yaml:3: models[0].wieght: unknown key, did you mean weight?", "models.yaml:9: models[1].id: is required")
	case dry && models == "":
		return answer{200, `{"release":12,"changed":true,"changes":["endpoint demo:demo-api: weight 0.8 -> 1","model glm-4.6: added with 2 endpoints"],` +
			`"warnings":["config/models.yaml:12: models[1]: endpoint skipped: ZHIPU_BASE_URL is not set"],"nodes":[]}`}
	case models != "":
		return answer{200, `{"release":12,"changed":false,"changes":[],"warnings":[],"nodes":[]}`}
	}
	nodes := `[]`
	if wait > 0 {
		nodes = `[{"node":"node-1","state":"applied","ms":4}]`
	}
	return answer{200, `{"release":13,"changed":true,"changes":["model glm-4.6: added with 2 endpoints"],"warnings":[],"nodes":` + nodes + `}`}
}
