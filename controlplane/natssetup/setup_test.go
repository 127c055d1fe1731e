package natssetup_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/natssetup"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

func setup(t *testing.T, o natssetup.Options) []string {
	t.Helper()
	written, err := natssetup.Write(o)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// serve runs a server with the configuration that was written, on a free port.
func serve(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "localhost.conf")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	free := strings.NewReplacer(`"0.0.0.0:4222"`, `"127.0.0.1:-1"`, `"127.0.0.1:8222"`, `"127.0.0.1:-1"`).Replace(string(text))
	if err := os.WriteFile(path, []byte(free), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o.NoLog, o.NoSigs = true, true
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server is not ready")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return strings.Replace(s.ClientURL(), "nats://", "tls://", 1)
}

// client is a connection and what the server refused it.
type client struct {
	t *testing.T
	*nats.Conn
	refused chan error
}

func connect(t *testing.T, url, dir, creds, role, name string) *client {
	t.Helper()
	nc, err := bus.Connect(bus.Options{
		URL: url, Creds: filepath.Join(dir, creds+".creds"), CA: filepath.Join(dir, "ca.pem"), Role: role, Name: name, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if !nc.IsConnected() {
		t.Fatalf("%s cannot connect: %v", creds, nc.LastError())
	}
	c := &client{t, nc, make(chan error, 16)}
	nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.refused <- err })
	return c
}

// denied reports whether the server refused what was just done.
func (c *client) denied() bool {
	c.t.Helper()
	if err := c.FlushTimeout(5 * time.Second); err != nil {
		c.t.Fatal(err)
	}
	select {
	case err := <-c.refused:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			c.t.Errorf("refused with %v", err)
		}
		return true
	case <-time.After(20 * time.Millisecond):
		return false
	}
}

// may checks what can be published and heard, and what cannot.
func (c *client) may(publish, hear, notPublish, notHear []string) {
	c.t.Helper()
	who := c.Opts.Name
	for i, list := range [][]string{publish, notPublish} {
		for _, subject := range list {
			if err := c.PublishRequest(subject, c.NewInbox(), nil); err != nil {
				c.t.Fatal(err)
			}
			if got := c.denied(); got != (i == 1) {
				c.t.Errorf("%s publishes %s: denied %v", who, subject, got)
			}
		}
	}
	for i, list := range [][]string{hear, notHear} {
		for _, subject := range list {
			sub, err := c.SubscribeSync(subject)
			if err != nil {
				c.t.Fatal(err)
			}
			if got := c.denied(); got != (i == 1) {
				c.t.Errorf("%s hears %s: denied %v", who, subject, got)
			}
			_ = sub.Unsubscribe() // of one that was refused fails
		}
	}
}

// TestEachRoleMayDoItsWorkAndNoMore tries everything on a real server.
func TestEachRoleMayDoItsWorkAndNoMore(t *testing.T) {
	dir := t.TempDir()
	setup(t, natssetup.Options{Dir: dir, Hosts: []string{"localhost"}, Nodes: []string{"node-1", "node-2"}, Shared: true, StoreDir: t.TempDir()})
	url := serve(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	control := connect(t, url, dir, "controlplane", bus.RoleControlPlane, "a")
	doc, err := bus.Seal(wire.ReleaseKey, 1, 1, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Publish(ctx, control.Conn, wire.ReleaseKey, doc, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.EnsureUsage(ctx, control.Conn, bus.Limits{}); err != nil {
		t.Fatal(err)
	}
	control.may([]string{wire.BeatSubject, wire.AskExplain, wire.AskExplain + ".node-1"}, []string{wire.NodeStatusPrefix + "*"},
		[]string{wire.NodeStatusPrefix + "node-1", wire.CommitPrefix + "node-1"}, []string{wire.UsagePrefix + ">", ">", "_INBOX_dataplane.>"})

	collector := connect(t, url, dir, "collector", bus.RoleCollector, "c1")
	js, err := bus.EnsureUsage(ctx, collector.Conn, bus.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	sink, err := bus.EnsureSink(ctx, js, "postgres")
	if err != nil {
		t.Fatal(err)
	}
	collector.may([]string{wire.CommitPrefix + "node-1", wire.DeadLetterPrefix + "postgres", "$JS.API.STREAM.PURGE.USAGE"}, nil,
		[]string{
			wire.BeatSubject, "$KV.cfg.release", "$KV.cfg.keys", wire.UsagePrefix + "node-1", wire.NodeStatusPrefix + "node-1", "$JS.API.STREAM.DELETE.USAGE",
			"$JS.API.STREAM.PURGE.KV_cfg", "$JS.API.STREAM.UPDATE.KV_cfg", "$JS.API.DIRECT.GET.KV_cfg.$KV.cfg.keys", "$JS.API.CONSUMER.DELETE.USAGE.sink-postgres",
		}, []string{wire.NodeStatusPrefix + "*", ">", wire.UsagePrefix + ">"})

	for creds, name := range map[string]string{"node-1": "node-1", "dataplane": "node-3"} {
		node := connect(t, url, dir, creds, bus.RoleDataPlane, name)
		if got, err := bus.Fetch(ctx, node.Conn, wire.ReleaseKey); err != nil || !slices.Equal(got, doc) {
			t.Errorf("%s fetches %d bytes, %v", creds, len(got), err)
		}
		frame, err := bus.EncodeFrame(bus.Frame{Node: name, Epoch: name, First: 1, Last: 1, Lines: []byte("{}\n")})
		if err != nil {
			t.Fatal(err)
		}
		if err := bus.PublishFrame(ctx, node.Conn, frame); err != nil {
			t.Errorf("%s hands in usage: %v", creds, err)
		}
		m, err := sink.Next()
		if err != nil || m.Ack() != nil {
			t.Fatalf("the collector gets %v", err)
		}
		denied := []string{
			wire.BeatSubject, "$KV.cfg.release", "$KV.cfg.keys", wire.CommitPrefix + name, wire.DeadLetterPrefix + "postgres",
			"$JS.API.STREAM.PURGE.USAGE", "$JS.API.STREAM.DELETE.KV_cfg", "$JS.API.STREAM.CREATE.mine", "$JS.API.STREAM.MSG.GET.USAGE", "$JS.API.STREAM.MSG.DELETE.USAGE",
			"$JS.API.CONSUMER.CREATE.USAGE.mine", "$JS.API.CONSUMER.DURABLE.CREATE.USAGE.mine", "$JS.API.CONSUMER.MSG.NEXT.USAGE.sink-postgres", "$JS.API.DIRECT.GET.USAGE", "$SYS.REQ.SERVER.PING",
		}
		deaf := []string{wire.UsagePrefix + ">", wire.UsagePrefix + "*", wire.NodeStatusPrefix + "*", ">", "_INBOX_controlplane.>", "_INBOX_collector.>", "$JS.ACK.>", "$KV.cfg.>"}
		if creds == "node-1" {
			denied = append(denied, wire.UsagePrefix+"node-2", wire.NodeStatusPrefix+"node-2")
			deaf = append(deaf, wire.CommitPrefix+"node-2", "_INBOX_dataplane.node-2.>", "_INBOX_dataplane.>")
		}
		node.may([]string{wire.NodeStatusPrefix + name, wire.AskGeneration, wire.AskSpent}, []string{wire.BeatSubject, wire.CommitPrefix + name, wire.AskGeneration, wire.AskExplain + "." + name}, denied, deaf)
		// a question that names another subject for its answer gives no leave to
		// publish there: not even to a node that asks itself
		trap, err := node.SubscribeSync(wire.AskSpent)
		if err != nil || node.PublishRequest(wire.AskSpent, "$KV.cfg.release", nil) != nil {
			t.Fatal(err)
		}
		if m, err := trap.NextMsg(5 * time.Second); err != nil || m.Respond([]byte("forged")) != nil || !node.denied() {
			t.Errorf("%s writes a release by answering a question: %v", creds, err)
		}
		if err := trap.Unsubscribe(); err != nil {
			t.Fatal(err)
		}
		// an answer to someone's question is allowed
		asked, err := node.SubscribeSync(wire.AskExplain + "." + name)
		if err != nil || node.denied() {
			t.Fatal(err)
		}
		answers := make(chan error, 1)
		go func() {
			_, err := control.RequestWithContext(ctx, wire.AskExplain+"."+name, nil)
			answers <- err
		}()
		if m, err := asked.NextMsg(5 * time.Second); err != nil || m.Respond([]byte("x")) != nil {
			t.Fatal(err)
		}
		if err := <-answers; err != nil || node.denied() {
			t.Errorf("%s answers the control plane: %v", creds, err)
		}
	}
}

func TestStrangersStayOut(t *testing.T) {
	dir := t.TempDir()
	setup(t, natssetup.Options{Dir: dir, Hosts: []string{"localhost"}, StoreDir: t.TempDir()})
	url := serve(t, dir)
	ca := nats.RootCAs(filepath.Join(dir, "ca.pem"))
	other := t.TempDir()
	setup(t, natssetup.Options{Dir: other, Hosts: []string{"localhost"}})
	for name, o := range map[string][]nats.Option{
		"without credentials":             {ca},
		"with another operator's":         {ca, nats.UserCredentials(filepath.Join(other, "controlplane.creds"))},
		"believing another authority":     {nats.RootCAs(filepath.Join(other, "ca.pem")), nats.UserCredentials(filepath.Join(dir, "controlplane.creds"))},
		"believing the system's, as such": {nats.UserCredentials(filepath.Join(dir, "controlplane.creds"))},
	} {
		if nc, err := nats.Connect(url, o...); err == nil {
			nc.Close()
			t.Errorf("%s one gets in", name)
		}
	}
}

func TestWhatIsThereIsKept(t *testing.T) {
	dir := t.TempDir()
	first := setup(t, natssetup.Options{Dir: dir, Hosts: []string{"10.0.0.1", "10.0.0.2", "fd00::3"}, InstallDir: "/etc/gateway/nats", StoreDir: "/data"})
	again := setup(t, natssetup.Options{Dir: dir, Hosts: []string{"10.0.0.1", "10.0.0.2", "fd00::3"}, InstallDir: "/etc/gateway/nats", StoreDir: "/data", Nodes: []string{"node-9"}})
	base := func(paths []string) (names []string) {
		for _, p := range paths {
			names = append(names, filepath.Base(p))
		}
		return names
	}
	if got := base(again); !slices.Equal(got, []string{"node-9.creds", "10.0.0.1.conf", "10.0.0.2.conf", "fd00__3.conf"}) {
		t.Errorf("the second time %q were written, the first %q", got, base(first))
	}
	text, err := os.ReadFile(filepath.Join(dir, "fd00__3.conf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"tls://[fd00::3]:6222"`, `cert_file: "/etc/gateway/nats/fd00__3.pem"`, `store_dir: "/data"`, "sync_interval: always", "verify: true"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	for _, path := range append(first, again...) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		secret := regexp.MustCompile(`(\.(nk|creds|key)|/release_signing_key)$`).MatchString(path)
		if mode := info.Mode().Perm(); secret && mode != 0o600 {
			t.Errorf("%s has the mode %o", path, mode)
		}
	}
	for want, o := range map[string]natssetup.Options{
		"must be 1, 3 or 5 servers":       {Dir: dir, Hosts: []string{"a", "b"}},
		"--nodes":                         {Dir: dir, Hosts: []string{"a"}, Nodes: []string{"collector"}},
		"must be host names or addresses": {Dir: dir, Hosts: []string{"../x"}},
		"--dir is required":               {Hosts: []string{"a"}},
	} {
		if _, err := natssetup.Write(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Releases are signed with the key for the control plane and checked with the
// one for the nodes; credentials that nodes share are made on request only.
func TestKeysOfReleasesAndSharedCredentials(t *testing.T) {
	dir := t.TempDir()
	setup(t, natssetup.Options{Dir: dir, Hosts: []string{"localhost"}, Nodes: []string{"node-1"}})
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	signer, err := bus.NewSigner(secret.New(read("release_signing_key")))
	if err != nil {
		t.Fatal(err)
	}
	if signer.Public() != read("release_signing_key.pub") {
		t.Error("the keys are no pair")
	}
	if _, err := os.Stat(filepath.Join(dir, "dataplane.creds")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("shared credentials: %v", err)
	}
	key := read("release_signing_key")
	setup(t, natssetup.Options{Dir: dir, Hosts: []string{"localhost"}, Shared: true})
	if _, err := os.Stat(filepath.Join(dir, "dataplane.creds")); err != nil || read("release_signing_key") != key {
		t.Errorf("the second time: %v", err)
	}
}

// A renewed certificate serves clients that know the authority of before.
func TestCertificatesAreRenewedBeforeTheyEnd(t *testing.T) {
	dir := t.TempDir()
	setup(t, natssetup.Options{Dir: dir, Hosts: []string{"localhost"}, StoreDir: t.TempDir()})
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := natssetup.Renew(dir, 90*24*time.Hour)
	if err != nil || len(list) != 1 || list[0].Renewed || filepath.Base(list[0].File) != "localhost.pem" {
		t.Fatalf("five years before the end: %+v %v", list, err)
	}
	before := list[0].Ends
	if list, err = natssetup.Renew(dir, 6*365*24*time.Hour); err != nil || !list[0].Renewed || list[0].Ends.Before(before) {
		t.Fatalf("%+v %v", list, err)
	}
	if now, err := os.ReadFile(filepath.Join(dir, "ca.pem")); err != nil || !slices.Equal(now, ca) {
		t.Errorf("the authority changed: %v", err)
	}
	connect(t, serve(t, dir), dir, "controlplane", bus.RoleControlPlane, "a")
	if err := os.Remove(filepath.Join(dir, "keys", "ca.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := natssetup.Renew(dir, 0); err == nil || !strings.Contains(err.Error(), "ca.key") {
		t.Errorf("without the authority's key: %v", err)
	}
}
