// Package engine_test runs the guide's Compose chapter with Docker and Compose
// themselves: engine.sh starts them.
package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// operator has a checkout and types the guide's commands.
type operator struct {
	t        *testing.T
	checkout string
	version  string // what git describe would say of the checkout
}

func TestCompose(t *testing.T) {
	if out, err := exec.Command("docker", "compose", "version").CombinedOutput(); err != nil {
		t.Fatalf("run it by deploy/engine/engine.sh (make test-compose): %v %s", err, out)
	}
	o := newOperator(t)
	began := time.Now()
	o.make("up")
	t.Cleanup(func() { o.make("down") })
	t.Logf("result: compose on an engine: up: %d s, with the images", int(time.Since(began).Seconds()))
	o.asDescribed()

	tr := startTraffic(t, "http://127.0.0.1:"+o.setting("GATEWAY_HTTP"), o.key("first"), 4)
	step := func(what string, do func()) {
		t.Helper()
		began := time.Now()
		do()
		tr.none(what, began)
	}
	step("up again", func() { o.changes(false, "up") })
	step("scale n=3", func() { o.make("scale", "n=3"); o.nodes(3) })
	step("restart s=backend", func() { o.changes(true, "restart", "s=backend"); o.nodes(3) })
	step("up after a provider's key was edited", o.editsKey)
	step("up with a broken configuration", o.breaksConfiguration)
	step("restart of the daemon, the collector, NATS and PostgreSQL", o.restartsOthers)
	step("backup and restore", o.restores)
	step("upgrade", o.upgrades)
	step("upgrade to what does not start", o.failsToUpgrade)
	step("scale n=1", func() { o.make("scale", "n=1"); o.nodes(1) })
	step("renew", func() { o.renews() })
	step("logs", o.logs)
	tr.end()
	o.balanced()
}

// newOperator copies what git has, with what this engine is too old for taken out.
func newOperator(t *testing.T) *operator {
	t.Helper()
	o := &operator{t: t, checkout: t.TempDir(), version: "v1"}
	o.shell(`git -c safe.directory='*' -C "$1" ls-files -z --cached --others --exclude-standard | tar -C "$1" --ignore-failed-read --null -T - -c | tar -x`, repository(t))
	// start_interval came with Docker 25, it only makes the first seconds quicker.
	o.shell(`docker version --format '{{.Server.Version}}' | grep -q '^2[0-4]\.' || exit 0
		sed -i '/start_interval:/d' deploy/docker/docker-compose.yml && sed -i 's/ --start-interval=1s//' deploy/docker/Dockerfile`)
	// Where root may not raise its own limit of files (a container), neither may Docker.
	o.shell(`most=$(ulimit -Hn); [[ $most == unlimited ]] || ((most >= 1048576)) || sed -i -E "s/(nofile: )(1048576|65536)/\\1$most/" deploy/docker/docker-compose.yml`)
	for _, name := range []string{"GATEWAY_HTTP", "GATEWAY_HTTPS", "GATEWAY_ADMIN_PORT"} {
		o.shell(`sed -i "s/^$1=.*/$1=$2/" deploy/docker/.env.example`, name, freePort(t))
	}
	o.shell(`echo GATEWAY_SUBNET=172.31.79.0/24 >>deploy/docker/.env.example`)
	return o
}

// asDescribed: the containers are what the guide says of them.
func (o *operator) asDescribed() {
	o.t.Helper()
	for _, service := range []string{"dataplane", "controlplane", "collector", "nats"} {
		said := o.shell(`docker inspect --format '{{.HostConfig.ReadonlyRootfs}} {{.Config.User}} {{.HostConfig.CapDrop}} {{.State.Health.Status}}' $(docker compose --project-directory deploy/docker ps -q "$1")`, service)
		if said != "true 65532:65532 [ALL] healthy" {
			o.t.Errorf("%s: %s", service, said)
		}
	}
	if said := o.shell(`docker inspect --format '{{.State.Health.Status}}' hybridinference-postgres`); said != "healthy" {
		o.t.Errorf("PostgreSQL: %s", said)
	}
	if said := o.shell(`docker compose --project-directory deploy/docker exec -T nginx curl -fsS http://backend:8080/health/ready`); said == "" {
		o.t.Error("the service `backend` does not answer")
	}
	if secrets := o.shell(`docker inspect --format '{{.Config.Env}}' $(docker compose --project-directory deploy/docker ps -q dataplane)`); strings.Contains(secrets, "DB_PASSWORD") || strings.Contains(secrets, "ADMIN_TOKEN") {
		o.t.Error("a node has secrets of others")
	}
}

func (o *operator) editsKey() {
	o.t.Helper()
	o.shell(`echo DEEPSEEK_API_KEY=sk-edited >deploy/docker/upstreams.env`)
	o.changes(true, "up")
	o.nodes(3)
	for _, id := range o.list() {
		if env := o.shell(`docker inspect --format '{{.Config.Env}}' "$1"`, id); !strings.Contains(env, "DEEPSEEK_API_KEY=sk-edited") {
			o.t.Errorf("%s has not got the key", id)
		}
	}
}

func (o *operator) breaksConfiguration() {
	o.t.Helper()
	o.shell(`cp deploy/docker/config/models.yaml good.yaml && echo 'models: {' >deploy/docker/config/models.yaml`)
	before := o.list()
	if out, err := o.try("make", "up"); err == nil || !strings.Contains(out, "models.yaml:2") || !strings.Contains(out, "nothing was changed") {
		o.t.Errorf("a broken configuration: %v\n%s", err, out)
	}
	o.shell(`cp good.yaml deploy/docker/config/models.yaml`)
	o.make("up")
	if after := o.list(); !slices.Equal(before, after) {
		o.t.Errorf("the nodes %v became %v", before, after)
	}
}

// restartsOthers: the data plane does without them.
func (o *operator) restartsOthers() {
	o.t.Helper()
	for _, service := range []string{"controlplane", "collector", "nats", "postgres"} {
		o.make("restart", "s="+service)
	}
	o.healthy()
}

func (o *operator) restores() {
	o.t.Helper()
	files := strings.Fields(o.make("backup"))
	i := slices.IndexFunc(files, func(f string) bool { return strings.HasSuffix(f, ".dump") })
	if i < 0 {
		o.t.Fatalf("backup: %q", files)
	}
	younger := o.key("younger than the backup")
	o.answers(younger, "200")
	o.make("restore", "f="+files[i])
	o.healthy()
	o.answers(younger, "401") // the backup does not know it
	o.answers(o.key("after the restore"), "200")
}

func (o *operator) upgrades() {
	o.t.Helper()
	o.version = "v2"
	o.make("upgrade")
	o.runs("v2")
	o.nodes(3)
}

func (o *operator) failsToUpgrade() {
	o.t.Helper()
	o.shell(`printf 'FROM gateway-dataplane:v2\nENV MAX_IN_FLIGHT=many\n' | docker build --quiet --tag gateway-dataplane:broken - && docker tag gateway-controlplane:v2 gateway-controlplane:broken`)
	out, err := o.try("deploy/docker/upgrade.sh", "broken")
	if err == nil || !strings.Contains(out, "MAX_IN_FLIGHT") || !strings.Contains(out, "the version is v2, as before") {
		o.t.Errorf("an upgrade to what does not start: %v\n%s", err, out)
	}
	o.runs("v2")
	o.nodes(3)
}

// renews NATS' certificate although it does not end soon.
func (o *operator) renews() {
	o.t.Helper()
	const serial = `openssl x509 -noout -serial -in deploy/docker/nats/nats.pem`
	before := o.shell(serial)
	if out := o.make("renew"); strings.Contains(out, "renewed") || o.shell(serial) != before {
		o.t.Errorf("renewed what lasts for years: %s", out)
	}
	if out, err := o.try("deploy/docker/renew.sh", "--before", "100000h"); err != nil || o.shell(serial) == before {
		o.t.Errorf("not renewed: %v %s", err, out)
	}
	o.healthy()
	o.shell(`docker compose --project-directory deploy/docker exec -T controlplane gatewayctl keys create --name 'after renewal' --wait`)
}

// logs has what each service says, and ps says that all of them are well.
func (o *operator) logs() {
	o.t.Helper()
	if said := o.shell(`timeout 10 make logs s=backend || true`); !strings.Contains(said, `"msg":"listening"`) {
		o.t.Errorf("logs s=backend: %.500s", said)
	}
	if errs := o.shell(`docker compose --project-directory deploy/docker logs nats 2>&1 | grep -c 'TLS handshake error' || true`); errs != "0" {
		o.t.Errorf("NATS' log has %s TLS errors", errs)
	}
	if said := o.make("ps"); strings.Count(said, "(healthy)") != 6 {
		o.t.Errorf("ps:\n%s", said)
	}
}

// balanced waits until every answer is in the database.
func (o *operator) balanced() {
	o.t.Helper()
	o.eventually("the ledger is balanced", func() error {
		ledger, err := o.try("docker", "compose", "--project-directory", "deploy/docker", "exec", "-T", "controlplane", "gatewayctl", "ledger", "-o", "json")
		if err != nil { // a node that has just stopped may not have said its last word
			return fmt.Errorf("%w: %s", err, ledger)
		}
		for _, want := range []string{`"pending": 0`, `"lost": 0`, `"waiting_frames": 0`, `"frames_in_hand": 0`} {
			if !strings.Contains(ledger, want) {
				return fmt.Errorf("no %s in %s", want, ledger)
			}
		}
		return nil
	})
}

func (o *operator) key(name string) string {
	o.t.Helper()
	var made struct{ Key string }
	out := o.shell(`docker compose --project-directory deploy/docker exec -T controlplane gatewayctl keys create --name "$1" --wait -o json`, name)
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Key == "" {
		o.t.Fatalf("%v: %s", err, out)
	}
	return made.Key
}

// answers waits until every node gives a key that status.
func (o *operator) answers(key, status string) {
	o.t.Helper()
	for _, id := range o.list() {
		o.eventually("a node answers "+status, func() error {
			address := o.shell(`docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"`, id)
			if got := o.shell(`curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $1" "http://$2:8080/v1/key"`, key, address); got != status {
				return fmt.Errorf("%s answers %s", id, got)
			}
			return nil
		})
	}
}

// healthy waits until all that Compose runs is.
func (o *operator) healthy() {
	o.t.Helper()
	o.eventually("everything is healthy", func() error {
		if bad := o.shell(`docker ps --filter label=com.docker.compose.project=gateway --format '{{.Names}} {{.Status}}' | grep -v '(healthy)' || true`); bad != "" {
			return fmt.Errorf("%s", bad)
		}
		return nil
	})
}

// changes runs make and fails the test unless all of the nodes were replaced, or none.
func (o *operator) changes(all bool, args ...string) {
	o.t.Helper()
	before := o.list()
	o.make(args...)
	after := o.list()
	kept := slices.DeleteFunc(slices.Clone(after), func(id string) bool { return !slices.Contains(before, id) })
	if all && len(kept) > 0 || !all && len(kept) != len(before) {
		o.t.Errorf("make %v: the nodes %v became %v", args, before, after)
	}
}

func (o *operator) list() []string {
	o.t.Helper()
	ids := strings.Fields(o.shell(`docker compose --project-directory deploy/docker ps --quiet dataplane`))
	slices.Sort(ids)
	return ids
}

func (o *operator) nodes(want int) {
	o.t.Helper()
	if got := len(o.list()); got != want {
		o.t.Errorf("%d nodes, want %d", got, want)
	}
}

// runs checks which version our containers are of.
func (o *operator) runs(version string) {
	o.t.Helper()
	images := strings.Fields(o.shell(`docker ps --filter label=com.docker.compose.project=gateway --format '{{.Image}}' | grep -E '^gateway-(data|control)plane'`))
	for _, image := range images {
		if !strings.HasSuffix(image, ":"+version) {
			o.t.Errorf("%s runs, want %s", image, version)
		}
	}
	if got := o.setting("GATEWAY_VERSION"); got != version {
		o.t.Errorf(".env says %s, want %s", got, version)
	}
}

func (o *operator) setting(name string) string {
	o.t.Helper()
	return o.shell(`sed -n "s/^$1=//p" deploy/docker/.env | tail -n 1`, name)
}

func (o *operator) make(args ...string) string {
	o.t.Helper()
	out, err := o.try("make", args...)
	if err != nil {
		logs, _ := o.try("docker", "compose", "--project-directory", "deploy/docker", "logs", "--no-color", "--tail", "20")
		checks, _ := o.try("bash", "-c", `docker inspect --format '{{.Name}} {{json .State}}' $(docker ps --all --quiet)`)
		o.t.Fatalf("make %v: %v\n%s\n%s\n%s", args, err, out, logs, checks)
	}
	return out
}

// try runs a program at the top of the checkout.
func (o *operator) try(program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = o.checkout
	cmd.Env = append(os.Environ(), "CHECKOUT="+o.version, "GATEWAY_START_TIMEOUT=60")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// shell runs a line of bash at the top of the checkout and returns what it printed.
func (o *operator) shell(line string, args ...string) string {
	o.t.Helper()
	cmd := exec.Command("bash", append([]string{"-euo", "pipefail", "-c", line, "bash"}, args...)...)
	var errs bytes.Buffer
	cmd.Dir, cmd.Stderr = o.checkout, &errs
	out, err := cmd.Output()
	if err != nil {
		o.t.Fatalf("%s %v: %v\n%s%s", line, args, err, out, errs.Bytes())
	}
	return strings.TrimSpace(string(out))
}

func (o *operator) eventually(what string, check func() error) {
	o.t.Helper()
	var err error
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	o.t.Fatalf("%s: not after two minutes: %v", what, err)
}

func repository(t *testing.T) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(here, "..", "..")
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
