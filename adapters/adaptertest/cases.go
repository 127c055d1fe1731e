package adaptertest

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Case is one exchange with a provider.
type Case struct {
	Provider, Name string
	// Model is what the recording's client asked for, "" if it is not known.
	Model string
	// Status is the answer's HTTP status.
	Status int
	// Stream means that Body is a stream of server-sent events.
	Stream bool
	Body   []byte
	// Request is the recorded request body, nil if there is none.
	Request []byte
	// URL is where the recorded request went.
	URL string
}

type meta struct {
	Status   int    `json:"status"`
	Model    string `json:"model"`
	BodyFile string `json:"body_file"`
	Endpoint string `json:"endpoint"`
}

// fixtures is the folder of the recordings, "" if this machine has none.
func fixtures() string {
	return os.Getenv("GATEWAY_FIXTURES") //nolint:forbidigo // where the recordings are is the tester's choice, and only tests import this package
}

func loadCases(t testing.TB, provider string) []Case {
	t.Helper()
	cases := loadFolder(t, filepath.Join("testdata", provider), provider)
	if root := fixtures(); root != "" {
		cases = append(cases, loadFolder(t, filepath.Join(root, provider), provider)...)
		if len(cases) == 0 {
			t.Fatalf("%s has no cases for %s", root, provider)
		}
	}
	return cases
}

func loadFolder(t testing.TB, dir, provider string) []Case {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var cases []Case
	for _, e := range entries {
		if e.IsDir() {
			cases = append(cases, loadCase(t, filepath.Join(dir, e.Name()), provider))
		}
	}
	return cases
}

func loadCase(t testing.TB, dir, provider string) Case {
	t.Helper()
	var m meta
	if err := json.Unmarshal(readFile(t, filepath.Join(dir, "meta.json")), &m); err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	c := Case{
		Provider: provider, Name: filepath.Base(dir), Model: m.Model, Status: m.Status, URL: m.Endpoint,
		Stream: strings.HasPrefix(m.BodyFile, "stream."), Body: readFile(t, filepath.Join(dir, m.BodyFile)),
	}
	request, err := os.ReadFile(filepath.Join(dir, "request.json"))
	if err == nil {
		c.Request = request
	}
	if c.Model == "" {
		c.Model = rawjson.Text(chat.Member(c.Request, "model"))
	}
	return c
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
