package e2e_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
)

// TestTimeoutsAgree: what is nearer to the client waits longer, so that it is
// the node that answers; and a node that drains is not killed.
func TestTimeoutsAgree(t *testing.T) {
	number := func(file, pattern string) int {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindSubmatch(text)
		if found == nil {
			t.Fatalf("%s has no %s", file, pattern)
		}
		n, err := strconv.Atoi(string(found[1]))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	chain := []int{
		number("deploy/README.md", `idle timeout of (\d+) minutes`) * 60,
		number("deploy/nginx/gateway.conf.template", `proxy_read_timeout (\d+)s`),
		number(".env.example", `REQUEST_DEADLINE_SECONDS=(\d+)`) + 1,
		number(".env.example", `UPSTREAM_COMPLETION_TIMEOUT_S=(\d+)`) + 1,
		number(".env.example", `STREAM_FIRST_BYTE_TIMEOUT_SECONDS=(\d+)`) + 1,
	}
	if !slices.IsSortedFunc(chain, func(a, b int) int { return b - a }) {
		t.Errorf("balancer, nginx, request, upstream, first byte: %d seconds", chain)
	}
	drain := number(".env.example", `DRAIN_TIMEOUT_SECONDS=(\d+)`)
	for file, pattern := range map[string]string{
		"deploy/docker/docker-compose.yml":         `(?s)\n  dataplane:.*?stop_grace_period: (\d+)s`,
		"deploy/systemd/gateway-dataplane.service": `TimeoutStopSec=(\d+)`,
	} {
		if n := number(file, pattern); n <= drain {
			t.Errorf("%s: a node may take %d s to drain, and is killed after %d s", file, drain, n)
		}
	}
}

// TestCompose brings up what docker-compose.yml says, with init.sh's secrets, as
// the users that it says and read-only where it says so; then scales, takes up
// edited files, backs up, restores and upgrades with the scripts, under traffic.
func TestCompose(t *testing.T) {
	t.Parallel() // it waits most of the time
	e := newEngine(t)
	e.refusesExamples()
	e.must("v1", "init.sh")
	e.profiles()
	e.must("v1", "up.sh")
	e.must("v1", "scale.sh", "2")
	edge, daemon := e.running["nginx"][0], e.running["controlplane"][0]
	var made struct{ Key string }
	out, err := daemon.exec(nil, "/gatewayctl", "keys", "create", "--name", "first", "--wait", "-o", "json")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	unmarshal(t, string(out), &made)
	s := &severalHosts{t: t, edge: edge.host, key: made.Key}
	if _, err := s.ask(edge.client(), true); err != nil {
		t.Fatal(err)
	}
	out, err = daemon.exec(nil, "/gatewayctl", "nodes", "-o", "json")
	if err != nil || !containsAll(string(out), `"node-1"`, `"node-2"`) {
		t.Errorf("replicas: %v %s", err, out)
	}

	tr := s.flow(4)
	tr.goesOn(10)
	tr.calm("up", 0)
	e.takesUpWhatWasEdited(tr)
	daemon = e.running["controlplane"][0] // it has the edited file, too

	files := strings.Fields(e.must("v1", "backup.sh"))
	if len(files) != 2 {
		t.Fatalf("backup: %q", files)
	}
	makeKey := func(name string) string {
		t.Helper()
		out, err := daemon.exec(nil, "/gatewayctl", "keys", "create", "--name", name, "--wait", "-o", "json")
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var made struct{ Key string }
		unmarshal(t, string(out), &made)
		return made.Key
	}
	everywhere := func(key string, want int) {
		t.Helper()
		eventually.Nil(t, 20*time.Second, "every node answers "+strconv.Itoa(want), func() error {
			for _, c := range e.running["dataplane"] {
				status, body, err := fetchWith(t.Context(), c.client(), "http://127.0.0.1:8080/v1/key", "Authorization", "Bearer "+key)
				if err != nil || status != want {
					return errors.Join(err, fmt.Errorf("%s: %d %s", c.id, status, body))
				}
			}
			return nil
		})
	}
	younger := makeKey("younger than the backup")
	everywhere(younger, 200)
	e.must("v1", "restore.sh", files[0]) // as it was printed, from the top of the checkout
	eventually.Nil(t, 20*time.Second, "the daemon is back", func() error { return e.healthy(daemon) })
	everywhere(younger, 401) // the backup does not know it
	everywhere(made.Key, 200)
	last := makeKey("after the restore")
	everywhere(last, 200)
	tr.calm("backed up and restored", 0)
	if out, err := e.script("v1", "restore.sh", filepath.Join(e.dir, ".env.example")); err == nil {
		t.Errorf("restored from what is no dump: %s", out)
	}
	everywhere(last, 200)

	e.goesBack(tr)
	e.must("v2", "upgrade.sh", "v2")
	daemon = e.running["controlplane"][0]
	tr.calm("upgraded", 0)
	for _, c := range append(slices.Clone(e.running["dataplane"]), daemon) {
		if !strings.HasSuffix(c.version, ":v2") {
			t.Errorf("%s is of %s", c.id, c.version)
		}
	}
	if n := len(e.running["dataplane"]); n != 2 {
		t.Errorf("%d nodes after the upgrade", n)
	}
	close(tr.stop)
	tr.running.Wait()
	s.database, s.control = e.running["postgres"][0].host, daemon.host
	eventually.Nil(t, 60*time.Second, "the ledger is balanced", func() error {
		out, err := daemon.exec(nil, "/gatewayctl", "ledger", "-o", "json")
		if err == nil && !containsAll(string(out), `"pending": 0`, `"lost": 0`, `"waiting_frames": 0`, `"frames_in_hand": 0`) {
			err = errors.New("not yet")
		}
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	t.Logf("result: compose: %d answers", len(tr.ids.ids))
}

// takesUpWhatWasEdited: `make up` replaces the nodes when a provider's key was
// edited, keeps their number, and without an edit changes nothing. A broken
// configuration changes nothing either.
func (e *engine) takesUpWhatWasEdited(tr *flow) {
	e.t.Helper()
	ids := func() (list []string) {
		for _, c := range e.running["dataplane"] {
			list = append(list, c.id)
		}
		return list
	}
	before := ids()
	e.must("v3", "up.sh") // whatever the checkout's version
	if after := ids(); !slices.Equal(before, after) {
		e.t.Errorf("nothing was edited, and the nodes %v became %v", before, after)
	}
	upstreams := filepath.Join(e.dir, "upstreams.env")
	if err := os.WriteFile(upstreams, []byte("DEEPSEEK_API_KEY=sk-edited\n"), 0o600); err != nil {
		e.t.Fatal(err)
	}
	e.must("v3", "up.sh")
	after := ids()
	if len(after) != 2 || slices.ContainsFunc(after, func(id string) bool { return slices.Contains(before, id) }) {
		e.t.Errorf("a key was edited, and the nodes %v became %v", before, after)
	}
	for _, c := range e.running["dataplane"] {
		if !slices.Contains(c.env, "DEEPSEEK_API_KEY=sk-edited") {
			e.t.Errorf("%s has not got the key", c.id)
		}
	}
	models := filepath.Join(e.dir, "config", "models.yaml")
	good, err := os.ReadFile(models)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, text := range []string{"models: {", string(good)} {
		if err := os.WriteFile(models, []byte(text), 0o600); err != nil {
			e.t.Fatal(err)
		}
		out, err := e.script("v3", "up.sh")
		if broken := text != string(good); (err != nil) != broken || broken && !containsAll(out, "models.yaml:2", "nothing was changed") {
			e.t.Errorf("configuration %.10q: %v\n%s", text, err, out)
		}
	}
	if !slices.Equal(after, ids()) {
		e.t.Errorf("the nodes %v became %v", after, ids())
	}
	tr.calm("files were edited", 0)
}

// goesBack: an upgrade to a version whose nodes do not start changes nothing.
func (e *engine) goesBack(tr *flow) {
	e.t.Helper()
	out, err := e.script("broken", "upgrade.sh", "broken")
	if err == nil || !containsAll(out, "MAX_IN_FLIGHT", "going back to v1", "the version is v1, as before") {
		e.t.Errorf("an upgrade to what does not start: %v\n%s", err, out)
	}
	for _, c := range append(slices.Clone(e.running["dataplane"]), e.running["controlplane"][0]) {
		if !strings.HasSuffix(c.version, ":v1") {
			e.t.Errorf("%s is of %s", c.id, c.version)
		}
	}
	if n := len(e.running["dataplane"]); n != 2 {
		e.t.Errorf("%d nodes", n)
	}
	tr.calm("an upgrade went back", 0)
}

// refusesExamples: a .env with the example's secrets starts nothing.
func (e *engine) refusesExamples() {
	e.t.Helper()
	text, err := os.ReadFile(filepath.Join(e.dir, ".env.example"))
	if err != nil {
		e.t.Fatal(err)
	}
	path := filepath.Join(e.dir, ".env")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		e.t.Fatal(err)
	}
	if out, err := e.script("v1", "init.sh"); err == nil || !containsAll(out, ": ADMIN_TOKEN has the value from the example", ": DB_PASSWORD has") {
		e.t.Errorf("init.sh took the example's secrets: %v %s", err, out)
	}
	if err := os.Remove(path); err != nil {
		e.t.Fatal(err)
	}
	if _, err := e.project("v1"); err == nil || !strings.Contains(err.Error(), "init.sh") {
		e.t.Errorf("without .env: %v", err)
	}
}

// profiles: which services there are, by the environment alone.
func (e *engine) profiles() {
	e.t.Helper()
	path := filepath.Join(e.dir, ".env")
	text, err := os.ReadFile(path)
	if err != nil {
		e.t.Fatal(err)
	}
	for settings, want := range map[string]string{
		"": "collector controlplane dataplane nats nginx postgres",
		"COMPOSE_PROFILES=nats\nDB_BACKEND=d1\nD1_ACCOUNT_ID=a\nD1_DATABASE_ID=b\nD1_API_TOKEN=c\n":                       "collector controlplane dataplane nats nginx",
		"COMPOSE_PROFILES=postgres,nats-cluster,pgadmin\nNATS_URL=tls://nats-1:4222,tls://nats-2:4222\nNATS_REPLICAS=3\n": "collector controlplane dataplane nats-1 nats-2 nats-3 nginx pgadmin postgres",
	} {
		if err := os.WriteFile(path, append(slices.Clone(text), settings...), 0o600); err != nil {
			e.t.Fatal(err)
		}
		project, err := e.project("v1")
		if err != nil {
			e.t.Fatal(err)
		}
		if got := strings.Join(slices.Sorted(maps.Keys(project.Services)), " "); got != want {
			e.t.Errorf("%s: %s, want %s", settings, got, want)
		}
		if strings.Contains(settings, "d1") {
			if env := project.Services["collector"].Environment; *env["DB_BACKEND"] != "d1" || *env["D1_API_TOKEN"] != "c" {
				e.t.Errorf("the collector's environment: %v", env)
			}
		}
		if env := project.Services["dataplane"].Environment; env["DB_PASSWORD"] != nil || env["ADMIN_TOKEN"] != nil {
			e.t.Error("the data plane has secrets that are not its own")
		}
		for name, service := range project.Services {
			if service.Logging == nil || service.MemLimit == 0 || service.Restart != "unless-stopped" {
				e.t.Errorf("%s: no rotation of logs, no limit of memory, or no restart", name)
			}
		}
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		e.t.Fatal(err)
	}
}
