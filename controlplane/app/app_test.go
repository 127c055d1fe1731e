package app_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/logs/logtest"
	"github.com/hybridinference/gateway/shared/secret"
)

func options(t *testing.T, log *logtest.Buffer) app.Options {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "models.yaml"), "models: [{id: demo, provider: demo}]")
	write(t, filepath.Join(dir, "routing.yaml"), "")
	return app.Options{
		Addr: "127.0.0.1:0", NATS: bus.Options{InProcess: bustest.Start(t)}, Token: secret.New("t"), Log: slog.New(slog.NewTextHandler(log, nil)),
		State: database.Config{Backend: database.BackendSQLite, SQLitePath: filepath.Join(dir, "gateway.db")},
		Files: publish.Files{Models: filepath.Join(dir, "models.yaml"), Routing: filepath.Join(dir, "routing.yaml"), Env: func(string) (string, bool) { return "", false }},
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run starts a daemon and waits for its first release.
func run(t *testing.T, o app.Options) (a *app.App, stop func() error) {
	t.Helper()
	a, err := app.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	select {
	case <-a.Ready():
	case <-time.After(10 * time.Second):
		t.Fatal("no release after 10 s")
	}
	return a, sync.OnceValue(func() error { cancel(); return <-done })
}

func TestReloadTakesAllOrNothing(t *testing.T) {
	log := new(logtest.Buffer)
	o := options(t, log)
	a, stop := run(t, o)
	a.Reload(t.Context(), "SIGHUP")
	if a.Release().Number != 1 || !strings.Contains(log.String(), "configuration unchanged") {
		t.Errorf("release %d, log %s", a.Release().Number, log)
	}
	write(t, o.Files.Models, "models: [{id: demo, provider: demo}, {id: demo, provider: nobody}]")
	a.Reload(t.Context(), "SIGHUP")
	if text := log.String(); a.Release().Number != 1 || strings.Count(text, "problem=") != 2 || !strings.Contains(text, "models.yaml:1: models[1].provider") {
		t.Errorf("release %d, log %s", a.Release().Number, text)
	}
	write(t, o.Files.Models, "models: [{id: demo, provider: demo}, {id: demo2, provider: demo}]")
	a.Reload(t.Context(), "SIGHUP")
	if r := a.Release(); r.Number != 2 || r.Reason != "SIGHUP" || len(r.Snapshot.Models) != 2 {
		t.Errorf("release %+v", r)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestATakenPortIsTold(t *testing.T) {
	o := options(t, new(logtest.Buffer))
	a, stop := run(t, o)
	o.Addr = a.Addr()
	if _, err := app.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a taken port: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestNothingToServeEndsTheDaemon(t *testing.T) {
	o := options(t, new(logtest.Buffer))
	write(t, o.Files.Models, "models: 5")
	a, err := app.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var broken config.Problems
	if err := a.Run(t.Context()); !errors.As(err, &broken) {
		t.Errorf("a broken configuration and no release: %v", err)
	}
}

// Configuration that was pushed outlives a reload of files that are untouched,
// as it outlives a restart; an edited file replaces it.
func TestReloadKeepsWhatWasPushed(t *testing.T) {
	o := options(t, new(logtest.Buffer))
	a, stop := run(t, o)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.Addr()+"/admin/apply", strings.NewReader(`{"models_yaml":"models: [{id: demo, provider: demo}, {id: pushed, provider: demo}]"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer t")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	serves := func(ids ...string) {
		t.Helper()
		var got []string
		for _, m := range a.Release().Snapshot.Models {
			got = append(got, m.ID)
		}
		if !slices.Equal(got, ids) {
			t.Errorf("in service: %v, want %v", got, ids)
		}
	}
	serves("demo", "pushed")
	a.Reload(t.Context(), "SIGHUP")
	serves("demo", "pushed")
	write(t, o.Files.Models, "models: [{id: demo, provider: demo}, {id: edited, provider: demo}]")
	a.Reload(t.Context(), "SIGHUP")
	serves("demo", "edited")
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A JetStream that is too small for the bucket is no silent failure.
func TestASmallNATSStoreIsAProblem(t *testing.T) {
	small, err := natsserver.NewServer(&natsserver.Options{DontListen: true, JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 20, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	small.Start()
	t.Cleanup(func() { small.Shutdown(); small.WaitForShutdown() })
	var log logtest.Buffer
	o := options(t, &log)
	o.NATS.InProcess = small
	a, err := app.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	deadline := time.After(15 * time.Second)
	for {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/admin/status", nil)
		r.Header.Set("Authorization", "Bearer t")
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if text := w.Body.String(); strings.Contains(text, "NATS does not store releases") && strings.Contains(text, "10047") {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("after 15 s: %s", w.Body)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestAStoreWithoutACollectorIsAProblem(t *testing.T) {
	var u app.UsageWatch
	start := time.Unix(1000, 0)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	f := func(seconds int, want string) {
		t.Helper()
		got := u.Problems(at(seconds))
		if want == "" && len(got) != 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0].Message, want)) {
			t.Errorf("after %d s: %+v, want %q", seconds, got, want)
		}
	}
	u.Saw(nil, nil, 5, at(0))
	f(20, "")
	f(31, "no collector has ever run: 5 frames")
	u.Saw([]bus.Sink{{Name: "pg", Pulling: true}}, nil, 5, at(40))
	f(60, "")
	u.Saw([]bus.Sink{{Name: "pg", Delivered: 5}}, nil, 5, at(60)) // busy: it took frames
	f(89, "")
	u.Saw([]bus.Sink{{Name: "pg", Delivered: 5, Waiting: 7}}, nil, 12, at(91))
	f(91, "no collector has fetched usage events for pg in the last 31s; 7 frames pending")
	u.Saw([]bus.Sink{{Name: "pg", Delivered: 9}}, nil, 12, at(100))
	f(100, "")
}

func TestAStreamThatIsNearlyFullIsAProblem(t *testing.T) {
	var u app.UsageWatch
	now := time.Unix(1000, 0)
	sinks := []bus.Sink{{Name: "pg", Pulling: true}}
	f := func(used uint64, want string) {
		t.Helper()
		u.Saw(sinks, []bus.Fill{{Stream: "usage", Used: used, Limit: 1000}, {Stream: "dead", Used: 10}}, 1, now)
		got := u.Problems(now)
		if want == "" && len(got) != 0 || want != "" && (len(got) != 1 || got[0].Code != "usage_stream" || !strings.Contains(got[0].Message, want)) {
			t.Errorf("%d of 1000 bytes: %+v, want %q", used, got, want)
		}
	}
	f(799, "")
	f(800, "stream usage in NATS is 80 % full: 800 of 1000 bytes")
	f(1000, "100 % full")
	f(5, "")
}

// Two daemons with keys of their own replace each other's releases: both say so,
// and it is over when one of them has stopped.
func TestDaemonsThatSignWithDifferentKeys(t *testing.T) {
	nats := bustest.Start(t)
	status := func(a *app.App) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/admin/status", nil)
		r.Header.Set("Authorization", "Bearer t")
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		return w.Body.String()
	}
	var log logtest.Buffer
	shared := options(t, &log).State
	var keys []string
	start := func() (*app.App, func() error) {
		private, public := bus.NewSigningKey()
		signer, err := bus.NewSigner(private)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, public)
		o := options(t, &log)
		o.NATS.InProcess, o.State, o.Signer = nats, shared, signer
		return run(t, o)
	}
	first, stopFirst := start()
	if text := status(first); strings.Contains(text, "signing") {
		t.Errorf("one daemon: %s", text)
	}
	second, stopSecond := start()
	for i, a := range []*app.App{first, second} {
		eventually.True(t, "the other's key is reported", func() bool {
			text := status(a)
			return strings.Contains(text, `"code":"signing"`) && strings.Contains(text, "documents signed with the key "+keys[1-i])
		})
	}
	if err := errors.Join(stopFirst(), stopSecond()); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "releases in NATS are signed with different keys") {
		t.Error("the log does not say so")
	}
}
