package gateway_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// published is the public API's own description, by which the answers of every
// test are judged.
var published = sync.OnceValue(func() *description {
	raw, err := os.ReadFile("openapi.json")
	if err != nil {
		panic(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		panic(err)
	}
	d := &description{compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	d.paths = at(doc, "paths").(map[string]any) //nolint:errcheck,forcetypeassert // the test of the document fails
	d.document = doc
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	if err := d.compiler.AddResource("openapi.json", doc); err != nil {
		panic(err)
	}
	return d
})

type description struct {
	document any
	paths    map[string]any
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

// at descends into a JSON value.
func at(v any, path ...string) any {
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// operation finds the description of a request, nil for paths that the document does not have.
func (d *description) operation(method, path string) (pointer []string) {
	path, _, _ = strings.Cut(path, "?")
	path = "/" + strings.Trim(path, "/")
	if rest, ok := strings.CutPrefix(path, "/api/v1/"); ok {
		path = "/v1/" + rest
	}
	if rest, ok := strings.CutPrefix(path, "/anthropic/v1/"); ok {
		path = "/v1/" + rest
	}
	method = strings.ToLower(method)
	if at(d.paths, path, method) != nil {
		return []string{"paths", path, method}
	}
	for _, template := range []string{"/v1/models/{id}/endpoints", "/v1/models/{id}", "/v1/model/{id}"} {
		before, after, _ := strings.Cut(template, "{id}")
		if strings.HasPrefix(path, before) && strings.HasSuffix(path, after) && at(d.paths, template, method) != nil {
			return []string{"paths", template, method}
		}
	}
	return nil
}

// schema compiles what a JSON pointer names, once.
func (d *description) schema(pointer []string) (*jsonschema.Schema, error) {
	escaped := make([]string, len(pointer))
	for i, p := range pointer {
		escaped[i] = strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(p)
	}
	at := "openapi.json#/" + strings.Join(escaped, "/")
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := d.schemas[at]; ok {
		return s, nil
	}
	s, err := d.compiler.Compile(at)
	d.schemas[at] = s
	return s, err
}

// judge holds a request that was taken, and its answer, against the document.
func (d *description) judge(t *testing.T, method, path, body string, r reply) {
	t.Helper()
	op := d.operation(method, path)
	if op == nil {
		return
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return // no body
	}
	answer := slices.Concat(op, []string{"responses", strconv.Itoa(r.StatusCode)})
	if at(d.document, answer...) == nil {
		answer[len(answer)-1] = "default"
	}
	if name, ok := at(d.document, slices.Concat(answer, []string{"$ref"})...).(string); ok {
		answer = strings.Split(strings.TrimPrefix(name, "#/"), "/")
	}
	where := slices.Concat(answer, []string{"content", kind})
	if at(d.document, where...) == nil {
		t.Errorf("%s %s: the OpenAPI document has no %d of %s", method, path, r.StatusCode, kind)
		return
	}
	if kind == "application/json" && r.body != "" {
		d.holds(t, method+" "+path+": answer", append(where, "schema"), r.body)
	}
	asked := slices.Concat(op, []string{"requestBody", "content", "application/json"})
	if r.StatusCode == http.StatusOK && body != "" && at(d.document, asked...) != nil && json.Valid([]byte(body)) {
		d.holds(t, method+" "+path+": a request that was taken", append(asked, "schema"), body)
	}
}

func (d *description) holds(t *testing.T, what string, pointer []string, body string) {
	t.Helper()
	schema, err := d.schema(pointer)
	if err != nil {
		t.Error(err)
		return
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s is not as the OpenAPI document says: %v\n%.2000s", what, err, body)
	}
}

// The document has the paths that the gateway serves, and no others.
func TestOpenAPI(t *testing.T) {
	d := published()
	listed := slices.Sorted(maps.Keys(d.paths))
	n := start(t, nodeOptions{}, catalog(t)...)
	for _, path := range n.gw.Paths() {
		if !slices.Contains(listed, path) {
			t.Errorf("%s is served, and not in openapi.json", path)
		}
	}
	for _, path := range listed {
		for method := range d.paths[path].(map[string]any) { //nolint:errcheck,forcetypeassert // a path is an object
			r := n.do(strings.ToUpper(method), strings.ReplaceAll(path, "{id}", "demo"), "")
			if r.StatusCode == http.StatusNotFound && strings.Contains(r.body, "No such path") || r.StatusCode == http.StatusMethodNotAllowed {
				t.Errorf("%s %s is in openapi.json, and not served: %s", method, path, r.body)
			}
			for _, part := range [][]string{{"requestBody", "content", "application/json"}, {"responses", "200", "content", "text/event-stream"}} {
				if at(d.document, slices.Concat([]string{"paths", path, method}, part)...) == nil {
					continue
				}
				if _, err := d.schema(slices.Concat([]string{"paths", path, method}, part, []string{"schema"})); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if r := n.do("GET", "/openapi.json", ""); r.StatusCode != 200 || !json.Valid([]byte(r.body)) {
		t.Errorf("%d", r.StatusCode)
	}
}

// Chunks of a stream are as the document says.
func TestChunksAreAsTheDocumentSays(t *testing.T) {
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		write(w, `data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Pong"},"finish_reason":null}]}`+"\n\n")
		write(w, `data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}`+"\n\ndata: [DONE]\n\n")
	})
	n := start(t, nodeOptions{}, model("demo", endpoint("demo:a", "vllm", url)))
	r := n.chat(`{"model":"demo","stream":true,` + ping[1:])
	chunks := 0
	for line := range strings.Lines(r.body) {
		if data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: {"); ok {
			chunks++
			published().holds(t, "a chunk", []string{"components", "schemas", "ChatChunk"}, "{"+data)
		}
	}
	if chunks < 2 {
		t.Errorf("%d chunks: %s", chunks, r.body)
	}
}
