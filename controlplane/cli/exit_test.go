package cli_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/cli"
)

func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"status"}, {"weights", "set", "demo", "demo-api=1"}, {"keys", "create", "--name", "x"}} {
		r := runWith(t, map[string]string{"GATEWAY_ADMIN_URL": url}, append(args, "--timeout", "1s")...)
		want := "gatewayctl: the control plane at " + url + " is unreachable: connection refused (set GATEWAY_ADMIN_URL or --url)\n"
		if r.code != cli.ExitUnreachable || r.stderr != want || r.stdout != "" {
			t.Errorf("%s: exit %d, %q, %q", args, r.code, r.stderr, r.stdout)
		}
	}
}

func TestTimeout(t *testing.T) {
	a := newAdmin(t)
	late := make(chan struct{})
	t.Cleanup(func() { close(late) })
	a.on("GET status", func() { <-late })
	r := runWith(t, a.vars(), "status", "--timeout", "50ms")
	if r.code != cli.ExitUnreachable || !strings.Contains(r.stderr, "no response within 50ms") {
		t.Errorf("exit %d, %q", r.code, r.stderr)
	}
}

func TestInterrupt(t *testing.T) {
	a := newAdmin(t)
	ctx, cancel := context.WithCancel(t.Context())
	late := make(chan struct{})
	t.Cleanup(func() { close(late) })
	a.on("PUT weights", func() { cancel(); <-late })
	var stderr bytes.Buffer
	code := cli.Run(ctx, cli.Options{
		Args: []string{"weights", "set", "demo", "demo-api=1", "--wait"}, Env: lookup(a.vars()), Stdout: &stderr, Stderr: &stderr,
	})
	if want := "gatewayctl: interrupted; the change may have been applied\n"; code != cli.ExitFailed || stderr.String() != want {
		t.Errorf("exit %d, %q", code, stderr.String())
	}
}

// TestErrorsAreOneLine sends what a hostile or broken server could.
func TestErrorsAreOneLine(t *testing.T) {
	a := newAdmin(t)
	f := func(said answer, code int, want string) {
		t.Helper()
		a.say("GET status", said)
		r := runWith(t, a.vars(), "status")
		if r.code != code || strings.ReplaceAll(r.stderr, a.url, "URL") != "gatewayctl: "+want+"\n" {
			t.Errorf("exit %d, %q", r.code, r.stderr)
		}
	}
	f(refusal(409, "first\nsecond\x1b[2J"), cli.ExitFailed, `first; second\u001b[2J`)
	f(answer{404, "<html>"}, cli.ExitFailed, "URL answers 404 Not Found and is not the admin API")
	f(answer{200, "<html>"}, cli.ExitFailed, "URL answered /admin/status with something other than the JSON of the admin API: invalid character '<' looking for beginning of value")
	f(answer{502, "<html>"}, cli.ExitUnreachable, "the control plane at URL is unreachable: a proxy in front of it answers 502 Bad Gateway (set GATEWAY_ADMIN_URL or --url)")
	f(refusal(503, "the database does not answer; nothing was changed"), cli.ExitFailed, "the database does not answer; nothing was changed")
}

func TestLostOutputIsAnError(t *testing.T) {
	a := newAdmin(t)
	var stderr bytes.Buffer
	code := cli.Run(t.Context(), cli.Options{Args: []string{"status"}, Env: lookup(a.vars()), Stdout: full{}, Stderr: &stderr})
	if code != cli.ExitFailed || !strings.Contains(stderr.String(), "write the output: no space") {
		t.Errorf("exit %d, %q", code, stderr.String())
	}
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestStatusExitsWithItsProblems(t *testing.T) {
	a := newAdmin(t)
	a.say("GET status", answer{200, `{"release":3,"published_release":2,"nats":"connected","problems":[{"code":"nats_store","message":"NATS does not store releases"}]}`})
	r := runWith(t, a.vars(), "status")
	if r.code != cli.ExitProblems || r.stderr != "" || !strings.HasSuffix(r.stdout, "\n\nnats_store: NATS does not store releases\n") {
		t.Errorf("exit %d, %q, %q", r.code, r.stdout, r.stderr)
	}
	if r := runWith(t, a.vars(), "status", "-o", "json"); r.code != cli.ExitProblems || !strings.Contains(r.stdout, `"code": "nats_store"`) {
		t.Errorf("exit %d, %q", r.code, r.stdout)
	}
	r = runWith(t, a.vars(), "weights", "set", "demo", "demo-api=0.8", "--wait")
	if r.code != cli.ExitIncomplete || !strings.Contains(r.stderr, "warning: NATS does not store releases\ngatewayctl: release 3 was not published: NATS has release 2") {
		t.Errorf("exit %d, %q", r.code, r.stderr)
	}
}

// A newcomer's gateway lacks most keys: a change of another model says so in one line.
func TestChangeSumsUpMissingKeys(t *testing.T) {
	a := newAdmin(t)
	missing := func(model string) string {
		return `{"code":"missing_secret","message":"model ` + model + ` cannot be served: A_KEY is set on no node"}`
	}
	for problems, want := range map[string]string{
		missing("a"):                      "warning: model a cannot be served: A_KEY is set on no node\n",
		missing("a") + "," + missing("b"): "warning: 2 models cannot be served, because no node has their API keys; see gatewayctl status\n",
	} {
		a.say("GET status", answer{200, `{"release":3,"published_release":3,"nats":"connected","problems":[` + problems + `]}`})
		r := runWith(t, a.vars(), "weights", "set", "demo", "demo-api=0.8", "--wait")
		if r.code != 0 || !strings.HasSuffix(r.stderr, want) || strings.Count(r.stderr, "warning:") != 1 {
			t.Errorf("exit %d, %q, want %q", r.code, r.stderr, want)
		}
	}
}
