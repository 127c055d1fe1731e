package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// runnable are the blocks of a page whose commands are run as they are written.
var runnable = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")

// TestDocsCommands runs every command of the docs, page by page, as a reader
// would: beside one standalone on its usual ports, here in a network of its own.
func TestDocsCommands(t *testing.T) {
	dir := t.TempDir()
	for _, folder := range []string{"config", "examples"} {
		if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join(root, folder))); err != nil {
			t.Fatal(err)
		}
	}
	script := `set -euo pipefail
ip link set lo up
` + filepath.Join(bin, "standalone") + ` >standalone.log 2>&1 &
trap 'kill -INT %1; wait %1 || true; tail -n 5 standalone.log' EXIT
for _ in $(seq 300); do curl -sf localhost:8080/health/ready >ready.txt && break; sleep 0.1; done
`
	commands := 0
	for _, page := range []string{"docs/quick-start.md", "docs/clients.md", "docs/providers.md", "docs/routing.md", "docs/operating.md", "docs/limits.md", "docs/observability.md", "examples/README.md"} {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		blocks := runnable.FindAllStringSubmatch(string(text), -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no commands", page)
		}
		script += "echo '## " + page + "'\nset -x\n"
		for _, b := range blocks {
			commands += strings.Count(b[1], "\n")
			script += b[1]
		}
		script += "{ set +x; } 2>>x.txt\n"
	}
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+dir, "USER=reader", "GOCACHE="+strings.TrimSpace(string(cache)))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("after the last of these commands: %v\n%s", err, out)
	}
	if commands < 50 {
		t.Errorf("only %d commands", commands)
	}
}
