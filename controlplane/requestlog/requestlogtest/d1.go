package requestlogtest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hybridinference/gateway/controlplane/d1"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/secret"
)

// engine is D1's own engine behind a REST front, one for the whole process; it
// ends with it, when its standard input does.
//
//nolint:gochecknoglobals // starting it takes seconds
var engine struct {
	once sync.Once
	url  string
	err  error
	mu   sync.Mutex
	used int
	// in is kept, else the garbage collector would close it, and end the engine.
	in io.Closer
}

// findUp looks for the file in the working directory, which is the tested
// package's, and above it: with -trimpath the source says nothing of its place.
func findUp(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not in or above the tested package", name)
		}
		dir = filepath.Dir(dir)
	}
}

func startEngine() (url string, err error) {
	script, err := findUp(filepath.Join("scripts", "d1", "server.mjs"))
	if err != nil {
		return "", err
	}
	cmd := exec.Command("node", script, "--until-eof")
	if engine.in, err = cmd.StdinPipe(); err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("D1's engine does not start (scripts/node.sh installs it): %w: %s", err, complaints.String())
	}
	_, url, _ = strings.Cut(strings.TrimSpace(line), "listening on ")
	return url, nil
}

// D1 makes a database in Cloudflare's engine. With -short, which is for machines
// without node modules, the test is skipped.
func D1(t testing.TB) *Database {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: D1's engine is not started")
	}
	engine.once.Do(func() { engine.url, engine.err = startEngine() })
	if engine.err != nil {
		t.Fatal(engine.err)
	}
	engine.mu.Lock()
	engine.used++
	id := fmt.Sprintf("test-%d", engine.used)
	engine.mu.Unlock()
	conf := d1.Config{AccountID: "account", DatabaseID: id, Token: secret.New("d1-token"), Base: engine.url + "/client/v4", Rate: 10_000}
	client, err := d1.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	return &Database{
		Config: database.Config{Backend: database.BackendD1, D1: conf},
		query: func(t testing.TB, query string) [][]any {
			t.Helper()
			results, err := client.Repeat(t.Context(), d1.Statement{SQL: query})
			if err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			var table [][]any
			for _, row := range results[0].Rows {
				table = append(table, row)
			}
			return table
		},
	}
}

// SpoilD1 has the engine's front spoil the next count requests. See scripts/d1.
func SpoilD1(t testing.TB, kind string, count int) {
	t.Helper()
	body := fmt.Sprintf(`{"kind":%q,"count":%d,"retry_after":1}`, kind, count)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, engine.url+"/faults", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %v", resp.Status, err)
	}
}
