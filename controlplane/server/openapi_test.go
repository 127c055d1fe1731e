package server_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// contract is the API's own description, by which every test's requests and
// answers are judged.
type contract struct {
	mu       sync.Mutex
	document map[string]any
	compiler *jsonschema.Compiler
	checked  int
}

// learn reads the document from a running daemon, once.
func (c *contract) learn(t *testing.T, text []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c.compiler = jsonschema.NewCompiler()
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	c.document = doc.(map[string]any) //nolint:errcheck // the compiler took it
}

// operation finds the description of a request.
func (c *contract) operation(method, path string) (pointer string, op map[string]any) {
	paths := c.document["paths"].(map[string]any) //nolint:errcheck // OpenAPI
	asked := strings.Split(path, "/")
	for template, item := range paths {
		parts := strings.Split(template, "/")
		fits := len(parts) == len(asked)
		for i := 0; fits && i < len(parts); i++ {
			fits = parts[i] == asked[i] || strings.HasPrefix(parts[i], "{") && paths[path] == nil
		}
		op, ok := item.(map[string]any)[strings.ToLower(method)].(map[string]any)
		if fits && ok {
			return "#/paths/" + strings.ReplaceAll(template, "/", "~1") + "/" + strings.ToLower(method), op
		}
	}
	return "", nil
}

// judge compares a request and its answer with the document.
func (c *contract) judge(t *testing.T, method, path, body string, status int, answer string) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	if path != "/" {
		path = strings.TrimSuffix(path, "/") // which the API tolerates
	}
	pointer, op := c.operation(method, path)
	if op == nil {
		if status < 400 {
			t.Errorf("the API answers %s %s, which its document does not have", method, path)
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	responses := op["responses"].(map[string]any) //nolint:errcheck // OpenAPI
	where := "#/components/responses/Error"
	if _, ok := responses[strconv.Itoa(status)]; ok {
		where = pointer + "/responses/" + strconv.Itoa(status)
	} else if status < 400 {
		t.Errorf("%s %s: the document knows no status %d", method, path, status)
	}
	c.valid(t, where+"/content/application~1json/schema", answer, method+" "+path+": the answer")
	if status < 400 && strings.TrimSpace(body) != "" {
		c.valid(t, pointer+"/requestBody/content/application~1json/schema", body, method+" "+path+": the request")
	}
}

func (c *contract) valid(t *testing.T, pointer, text, what string) {
	t.Helper()
	schema, err := c.compiler.Compile("openapi.json" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Errorf("%s is not as the document says: %v in %s", what, err, text)
	}
	c.checked++
}

func TestTheDocumentHasAllOfTheAPI(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]json.RawMessage
	}
	p.call("GET", "/admin/openapi.json", "", 200, &doc)
	var index struct{ Paths map[string][]string }
	p.call("GET", "/", "", 200, &index)
	if doc.OpenAPI != "3.1.0" || len(doc.Paths) != len(index.Paths) {
		t.Errorf("OpenAPI %q with %d paths, the API has %d", doc.OpenAPI, len(doc.Paths), len(index.Paths))
	}
	for path, methods := range index.Paths {
		var said []string
		for method := range maps.Keys(doc.Paths[path]) {
			said = append(said, strings.ToUpper(method))
		}
		slices.Sort(said)
		if !slices.Equal(said, methods) {
			t.Errorf("%s: the document has %q, the API %q", path, said, methods)
		}
	}
	if got, _, _ := p.raw(http.MethodGet, "/admin/openapi.json", "", map[string]string{"Authorization": ""}); got != 401 {
		t.Errorf("without a token: %d", got)
	}
}
