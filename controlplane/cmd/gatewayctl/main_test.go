package main_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// program builds gatewayctl.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gatewayctl")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-ldflags", "-X main.version=v9.8.7 -X github.com/hybridinference/gateway/shared/buildinfo.commit=0a1b2c3 -X github.com/hybridinference/gateway/shared/buildinfo.date=2030-01-02T03:04:05Z", "-o", path, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// call runs the program in a folder, with nothing in the environment but vars.
func call(ctx context.Context, t *testing.T, cmd *exec.Cmd) (out string, code int) {
	t.Helper()
	text, err := cmd.CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || ctx.Err() != nil) {
		t.Fatalf("%v: %v: %s", cmd.Args, err, text)
	} else if ok {
		code = failed.ExitCode()
	}
	return string(text), code
}

func TestProgram(t *testing.T) {
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the client leaves
			asked <- struct{}{}
			<-r.Context().Done()
			return
		}
		if r.Header.Get("Authorization") != "Bearer from-file" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, `[]`)
	}))
	t.Cleanup(server.Close)
	gatewayctl, folder := program(t), t.TempDir()
	dotenv := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, ".env"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := func(vars []string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), gatewayctl, args...)
		cmd.Dir, cmd.Env = folder, append([]string{"USER=alice"}, vars...)
		return cmd
	}
	f := func(cmd *exec.Cmd, code int, want string) {
		t.Helper()
		if out, got := call(t.Context(), t, cmd); got != code || !strings.Contains(out, want) {
			t.Errorf("%v: exit %d, want %d; %q does not hold %q", cmd.Args[1:], got, code, out, want)
		}
	}

	f(command(nil, "version"), 0, "gatewayctl version v9.8.7 (commit 0a1b2c3, 2030-01-02T03:04:05Z, go1.")
	f(command(nil, "--version"), 0, "gatewayctl version v9.8.7 (commit 0a1b2c3, ")
	f(command(nil, "status", "--nothing"), 2, "unknown flag --nothing")
	f(command(nil, "status", "--url", "http://127.0.0.1:1"), 4, "is unreachable")

	dotenv("ADMIN_TOKEN=from-file\nGATEWAY_ADMIN_URL=" + server.URL + "\n")
	f(command(nil, "models", "-o", "json"), 0, "[]\n")
	f(command([]string{"ADMIN_TOKEN=from-environment"}, "models"), 1, "gatewayctl: "+server.URL+" rejected the token in ADMIN_TOKEN")

	interrupted, said := command(nil, "weights", "set", "demo", "demo-api=1", "--wait"), new(bytes.Buffer)
	interrupted.Stderr = said
	if err := interrupted.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	_ = interrupted.Process.Signal(syscall.SIGINT) // a process that is gone fails the test below
	err := interrupted.Wait()
	if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 1 || !strings.Contains(said.String(), "gatewayctl: interrupted") {
		t.Errorf("%v, said %q", err, said)
	}

	dotenv("ADMIN_TOKEN=from-file\nhunter2\n")
	f(command(nil, "models"), 2, "gatewayctl: .env:2: must have the form NAME=value\n")
}
