package e2e_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/hybridinference/gateway/shared/eventually"
)

// engine does with hosts what Docker Compose does with containers, as far as
// docker-compose.yml and the scripts beside it ask for: it is there because not
// every machine that runs the tests has Docker. The compose file is read by
// Compose's own library, which checks it against the schema.
type engine struct {
	t       *testing.T
	net     *network
	dir     string // of the compose file
	build   string // what build.sh has made
	images  map[string]image
	docker  string // a folder with the program docker, which asks this engine
	mu      sync.Mutex
	number  int
	running map[string][]*container // by service, the oldest first
}

// image is a target of the Dockerfile.
type image struct {
	env                 []string
	files               map[string]string // in the image, by what build.sh calls it
	entrypoint, command []string
	user                string
	run                 []string
	health              []string
}

// container runs.
type container struct {
	*host
	id, version string
	service     types.ServiceConfig
	user        string
	env         []string
	process     *process
}

func newEngine(t *testing.T) *engine {
	t.Helper()
	checkout := t.TempDir()
	if err := os.Chmod(checkout, 0o755); err != nil {
		t.Fatal(err)
	}
	e := &engine{t: t, net: newNetwork(t, "172.31.77"), dir: filepath.Join(checkout, "deploy", "docker"), running: map[string][]*container{}}
	e.checkout(checkout)
	e.build = filepath.Join(checkout, "out")
	build := exec.Command(filepath.Join(e.dir, "build.sh"), e.build)
	build.Env = append(os.Environ(), "VERSION=v1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build.sh: %v\n%s", err, out)
	}
	e.images = readDockerfile(t, filepath.Join(e.dir, "Dockerfile"))
	server := httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(server.Close)
	e.docker = t.TempDir()
	shim := `#!/usr/bin/env bash
set -euo pipefail
answer=$(mktemp -d); trap 'rm -rf "$answer"' EXIT
in=/dev/null; [[ " $* " != *" exec -T "* ]] || in=-
curl -sS -H "X-Args: $(printf '%s\0' "$@" | base64 -w0)" -H "X-Version: ${GATEWAY_VERSION:-}" --data-binary @"$in" -D "$answer/head" -o "$answer/body" ` + server.URL + `
status=$(sed -n 's/^X-Status: \([0-9]*\).*/\1/p' "$answer/head")
if ((status)); then cat "$answer/body" >&2; else cat "$answer/body"; fi
exit "$status"
`
	if err := os.WriteFile(filepath.Join(e.docker, "docker"), []byte(shim), 0o755); err != nil {
		t.Fatal(err)
	}
	return e
}

// checkout copies what the build context has: what git has, without what
// Dockerfile.dockerignore leaves out.
func (e *engine) checkout(to string) {
	e.t.Helper()
	list := exec.Command("git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		e.t.Fatal(err)
	}
	tar := exec.Command("sh", "-c", `tar -c --ignore-failed-read -T - | tar -x -C "$1"`, "sh", to)
	tar.Dir, tar.Stdin = root, bytes.NewReader(out)
	if out, err := tar.CombinedOutput(); err != nil {
		e.t.Fatalf("%v\n%s", err, out)
	}
}

// readDockerfile reads as much of it as there is in ours.
func readDockerfile(t *testing.T, path string) map[string]image {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]image{}
	var name string
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		i := all[name]
		switch word {
		case "FROM":
			_, name, _ = strings.Cut(rest, " AS ")
			i = image{files: map[string]string{}}
		case "ENV":
			i.env = append(i.env, strings.Fields(rest)...)
		case "USER":
			i.user = rest
		case "RUN":
			i.run = append(i.run, rest)
		case "COPY":
			if from, to, ok := strings.Cut(strings.TrimPrefix(rest, "--from=build "), " "); ok && strings.HasPrefix(from, "/out/") {
				i.files[to] = strings.TrimPrefix(from, "/out/")
			}
		case "ENTRYPOINT":
			unmarshal(t, rest, &i.entrypoint)
		case "CMD":
			unmarshal(t, rest, &i.command)
		case "HEALTHCHECK":
			_, command, _ := strings.Cut(rest, " CMD ")
			unmarshal(t, command, &i.health)
		}
		all[name] = i
	}
	return all
}

// project reads the compose file as Compose does, with .env.
func (e *engine) project(version string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(e.dir, "docker-compose.yml")}, cli.WithWorkingDirectory(e.dir),
		cli.WithEnv([]string{"GATEWAY_VERSION=" + version}), cli.WithEnvFiles(), cli.WithDotEnv, cli.WithDefaultProfiles(), cli.WithConsistency(true))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

// script runs one of the scripts beside the compose file, as an operator does.
func (e *engine) script(version, name string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(e.dir, name), args...)
	cmd.Dir = filepath.Join(e.dir, "..", "..")
	cmd.Env = []string{
		"PATH=" + e.docker + ":" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE"), "HOME=" + e.t.TempDir(),
		"GATEWAYCTL=" + filepath.Join(bin, "gatewayctl"), "GATEWAYCTL_DIR=nats", "CHECKOUT=" + version, "GATEWAY_SETTLE_SECONDS=0.5",
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (e *engine) must(version, name string, args ...string) string {
	e.t.Helper()
	out, err := e.script(version, name, args...)
	if err != nil {
		e.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return out
}

// create makes a container of a service and starts it.
func (e *engine) create(service types.ServiceConfig) error {
	e.number++
	id := service.Name + "-" + strconv.Itoa(e.number)
	c := &container{id: id, service: service, version: service.Image}
	name, _, _ := strings.Cut(service.Image, ":")
	img, ours := e.images[strings.TrimPrefix(name, "gateway-")]
	var args []string
	if ours && len(img.files) > 0 {
		c.host = e.net.bare(id, filepath.Join(e.build, "root"), service.Name)
		for to, from := range img.files {
			if to != "/" {
				c.bring(filepath.Join(e.build, from), to)
			}
		}
		c.bring("/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt")
	} else {
		c.host = e.net.host(id, service.Name)
	}
	if ours {
		for _, line := range img.run {
			c.must(nil, "sh", "-c", line)
		}
		c.user = cmp.Or(service.User, img.user)
		c.env = append(c.env, img.env...)
		args = append(append(args, img.entrypoint...), img.command...)
		if len(service.Command) > 0 {
			args = append(slices.Clone(img.entrypoint), service.Command...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(service.Environment)) {
		if value := service.Environment[name]; value != nil {
			c.env = append(c.env, name+"="+*value)
		}
	}
	for _, v := range service.Volumes {
		if err := e.mount(c, v); err != nil {
			return err
		}
	}
	if service.Name == "dataplane" && strings.HasSuffix(service.Image, ":broken") {
		c.env = append(c.env, "MAX_IN_FLIGHT=many")
	}
	if service.ReadOnly && c.scratch {
		c.run("mount", "--rbind", c.root, c.root)
		c.run("mount", "-t", "tmpfs", "tmpfs", c.path("tmp"))
		c.run("mount", "-o", "remount,ro,bind", c.root)
	}
	switch service.Name {
	case "postgres":
		value := func(name string) string { return *service.Environment[name] }
		c.process = c.postgres("/var/lib/postgresql/data", value("POSTGRES_USER"), value("POSTGRES_PASSWORD"), value("POSTGRES_DB"), service.Command[1:]...)
	case "nginx":
		e.startEdge(c)
	default:
		if strings.HasPrefix(service.Name, "nats") {
			c.bring(filepath.Join(bin, "nats-server"), "/usr/local/bin/nats-server")
			c.write("/usr/local/bin/nc", "#!/bin/bash\nexec 3<>/dev/tcp/$2/$3\n", 0o755) // the image's is busybox's
			args[0] = "/usr/local/bin/nats-server"
		}
		c.process = c.start(c.user, c.env, args...)
	}
	if service.Name != "nginx" { // which has just started, and knows
		e.renamed()
	}
	e.running[service.Name] = append(e.running[service.Name], c)
	return nil
}

// startEdge starts the machine's nginx as nginx' image does. Machines may have
// one that is older than 1.27.3 and does not resolve names again: renamed does it.
func (e *engine) startEdge(c *container) {
	c.must(nil, "sh", "-c", "grep -q ^nginx: /etc/passwd || useradd --system nginx")
	c.must(nil, "rm", "-rf", "/etc/nginx/conf.d")
	c.write("/docker-entrypoint.d/20-envsubst-on-templates.sh", `#!/bin/sh
mkdir -p /etc/nginx/conf.d
exec perl -pe 's/\$\{(GATEWAY_\w+)\}/$ENV{$1}/g; s/ resolve / /' "$NGINX_ENVSUBST_TEMPLATE_DIR/gateway.conf.template" >/etc/nginx/conf.d/gateway.conf
`, 0o755)
	c.process = c.start("", c.env, "/bin/sh", "-c", `/docker-entrypoint.d/20-envsubst-on-templates.sh && exec "$@"`, "sh", "/usr/sbin/nginx", "-c", c.service.Command[2], "-g", c.service.Command[4])
}

// renamed has nginx look the names up again, when a container came or went.
func (e *engine) renamed() {
	for _, c := range e.running["nginx"] {
		c.process.signal(syscall.SIGHUP)
	}
}

// mount brings a volume or a file of the machine.
func (e *engine) mount(c *container, v types.ServiceVolumeConfig) error {
	from := v.Source
	if v.Type == types.VolumeTypeVolume {
		from = filepath.Join(e.net.dir, "volumes", v.Source)
		if err := os.MkdirAll(from, 0o777); err != nil {
			return err
		}
		if err := os.Chmod(from, 0o777); err != nil {
			return err
		}
	}
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("%s: %w", c.id, err)
	}
	if info.IsDir() {
		err = os.MkdirAll(c.path(v.Target), 0o755)
	} else if _, missing := os.Stat(c.path(v.Target)); missing != nil {
		err = errors.Join(os.MkdirAll(filepath.Dir(c.path(v.Target)), 0o755), os.WriteFile(c.path(v.Target), nil, 0o644))
	}
	if err != nil {
		return err
	}
	c.run("mount", "--bind", from, c.path(v.Target))
	return nil
}

// healthy runs the container's health check.
func (e *engine) healthy(c *container) error {
	test := e.images[strings.TrimPrefix(strings.Split(c.service.Image, ":")[0], "gateway-")].health
	if h := c.service.HealthCheck; h != nil {
		test = h.Test
		if test[0] == "CMD-SHELL" {
			test = []string{"CMD", "sh", "-c", test[1]}
		}
		test = test[1:]
	}
	if len(test) == 0 {
		return fmt.Errorf("%s has no health check", c.id)
	}
	out, err := c.exec(nil, test...)
	if err != nil {
		return fmt.Errorf("%s: %w: %s\n%s", c.id, err, out, tail(c.process.out.String()))
	}
	return nil
}

// exec runs a program in the container, with its variables.
func (c *container) exec(stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.Command("ip", c.args(c.user, args)...)
	cmd.Env = append([]string{"PATH=/usr/local/bin:" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE")}, c.env...)
	cmd.Stdin = stdin
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		out = append(out, errs.Bytes()...)
	}
	return out, err
}

func (e *engine) remove(c *container) {
	e.running[c.service.Name] = slices.DeleteFunc(e.running[c.service.Name], func(other *container) bool { return other == c })
	e.net.names[c.service.Name] = slices.DeleteFunc(e.net.names[c.service.Name], func(ip string) bool { return ip == c.ip })
	e.net.resolve()
	e.renamed()
}

// hash is of what a container is made of, as Compose reckons it.
func hash(service types.ServiceConfig) string {
	service.Build, service.PullPolicy, service.Scale, service.DependsOn, service.Profiles = nil, "", nil, nil, nil
	if service.Deploy != nil {
		deploy := *service.Deploy
		deploy.Replicas = nil
		service.Deploy = &deploy
	}
	text, err := json.Marshal(service)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// dryRun says what `up` would do with a service's containers.
func (e *engine) dryRun(service types.ServiceConfig) (out []byte) {
	for _, c := range e.running[service.Name] {
		what := "Running"
		if c.differs(service) {
			what = "Recreate"
		}
		out = fmt.Appendf(out, " DRY-RUN MODE -  Container %s  %s \n", c.id, what)
	}
	return out
}

// differs reports whether a container is not what a service says now.
func (c *container) differs(service types.ServiceConfig) bool {
	return c.version != service.Image || hash(c.service) != hash(service)
}

// state is a container's and its health, as lib.sh asks for them.
func (e *engine) state(c *container) string {
	switch {
	case c.process.ended():
		return "exited unhealthy"
	case e.healthy(c) != nil:
		return "running starting"
	}
	return "running healthy"
}

// stop asks a container to end, and waits as long as it may take.
func (e *engine) stop(c *container) error {
	grace := 10 * time.Second
	if g := c.service.StopGracePeriod; g != nil {
		grace = time.Duration(*g)
	}
	return c.process.stop(grace)
}

// up is `compose up`: what a service needs comes first, and is healthy.
func (e *engine) up(project *types.Project, only []string, deps, recreate, wait bool, scale map[string]int) error {
	started := map[string]bool{}
	var start func(name string) error
	start = func(name string) error {
		service, ok := project.Services[name]
		if started[name] || !ok {
			return nil
		}
		started[name] = true
		for _, need := range slices.Sorted(maps.Keys(service.DependsOn)) {
			if !deps {
				break
			}
			if err := start(need); err != nil {
				return err
			}
		}
		want := service.GetScale()
		if n, ok := scale[name]; ok {
			want = n
		}
		for i, c := range slices.Clone(e.running[name]) {
			if i >= want || recreate && c.differs(service) {
				if err := e.stop(c); err != nil {
					return fmt.Errorf("stop %s: %w", c.id, err)
				}
				e.remove(c)
			}
		}
		for len(e.running[name]) < want {
			if err := e.create(service); err != nil {
				return err
			}
		}
		for _, c := range e.running[name] {
			if !wait {
				break
			}
			eventually.Nil(e.t, 60*time.Second, c.id+" is healthy", func() error { return e.healthy(c) })
		}
		return nil
	}
	if len(only) == 0 {
		only = slices.Sorted(maps.Keys(project.Services))
	}
	for _, name := range only {
		if err := start(name); err != nil {
			return err
		}
	}
	return nil
}

// serve answers the program docker.
func (e *engine) serve(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	text, _ := base64.StdEncoding.DecodeString(r.Header.Get("X-Args"))
	args := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	out, err := e.command(args, r.Header.Get("X-Version"), r.Body)
	status := "0"
	if err != nil {
		status = "1"
		out = append(out, []byte("\ndocker "+strings.Join(args, " ")+": "+err.Error()+"\n")...)
	}
	w.Header().Set("X-Status", status)
	_, _ = w.Write(out)
}

func (e *engine) command(args []string, version string, stdin io.Reader) ([]byte, error) {
	switch args[0] {
	case "stop", "rm":
		return nil, e.each(args)
	case "image":
		return []byte(args[len(args)-1] + "\n"), nil
	case "inspect", "logs":
		c := e.find(args[len(args)-1])
		switch {
		case c == nil:
			return nil, errors.New("no such container")
		case args[0] == "logs":
			return []byte(tail(c.process.out.String())), nil
		case strings.Contains(args[2], "Config.Image"):
			return []byte(c.version + "\n"), nil
		}
		return []byte(e.state(c) + "\n"), nil
	case "compose":
		args = args[1:]
	default:
		return nil, errors.New("not known here")
	}
	project, err := e.project(version)
	if err != nil {
		return nil, err
	}
	dry := args[0] == "--dry-run"
	if dry {
		args = args[3:] // --progress plain, too
	}
	verb, flags, rest := args[0], map[string]bool{}, args[1:]
	scale := map[string]int{}
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
		switch rest[0] {
		case "--scale":
			name, n, _ := strings.Cut(rest[1], "=")
			if scale[name], err = strconv.Atoi(n); err != nil {
				return nil, err
			}
			rest = rest[1:]
		case "--status", "--signal":
			rest = rest[1:]
		}
		flags[rest[0]] = true
		rest = rest[1:]
	}
	if dry {
		return e.dryRun(project.Services[rest[0]]), nil
	}
	switch verb {
	case "ps":
		return e.list(flags["--services"], rest), nil
	case "up":
		return nil, e.up(project, rest, !flags["--no-deps"], !flags["--no-recreate"], flags["--wait"], scale)
	case "config":
		return []byte(strings.Join(slices.Sorted(maps.Keys(project.Services)), "\n") + "\n"), nil
	case "kill":
		e.running[rest[0]][0].process.signal(syscall.SIGHUP)
		return nil, nil
	case "exec":
		if len(e.running[rest[0]]) == 0 {
			return nil, errors.New("does not run")
		}
		c := e.running[rest[0]][0]
		return c.exec(stdin, rest[1:]...)
	case "stop", "start":
		for _, name := range rest {
			for _, c := range slices.Clone(e.running[name]) {
				if verb == "stop" {
					if err := e.stop(c); err != nil {
						return nil, err
					}
					continue
				}
				args := e.images["controlplane"].entrypoint
				c.process = c.start(c.user, c.env, append(slices.Clone(args), c.service.Command...)...)
			}
		}
		return nil, nil
	case "run":
		if rest[1] == "validate" {
			return e.validate(project.Services[rest[0]])
		}
		// in the place of one that is there: what matters is the program and its variables
		c := e.running[rest[0]][0]
		return c.exec(nil, append(slices.Clone(e.images["controlplane"].entrypoint), rest[1:]...)...)
	}
	return nil, errors.New("not known here")
}

// validate runs `controlplane validate` with the files of the compose file.
func (e *engine) validate(service types.ServiceConfig) ([]byte, error) {
	cmd := exec.Command(filepath.Join(e.build, "controlplane"), "validate")
	cmd.Dir = e.t.TempDir()
	here := strings.NewReplacer("/etc/gateway/config", filepath.Join(e.dir, "config"), "/etc/gateway/nats", filepath.Join(e.dir, "nats"))
	for name, value := range service.Environment {
		if value != nil {
			cmd.Env = append(cmd.Env, name+"="+here.Replace(*value))
		}
	}
	return cmd.CombinedOutput()
}

// find returns the container with an id, nil if there is none.
func (e *engine) find(id string) *container {
	for _, list := range e.running {
		for _, c := range list {
			if c.id == id {
				return c
			}
		}
	}
	return nil
}

func (e *engine) list(services bool, of []string) []byte {
	var out []byte
	for _, name := range slices.Sorted(maps.Keys(e.running)) {
		if len(e.running[name]) == 0 || len(of) > 0 && !slices.Contains(of, name) {
			continue
		}
		if services {
			out = fmt.Appendln(out, name)
			continue
		}
		for _, c := range e.running[name] {
			out = fmt.Appendln(out, c.id)
		}
	}
	return out
}

// each stops containers, all at once, or forgets them.
func (e *engine) each(args []string) error {
	var which []*container
	for _, id := range args[1:] {
		if c := e.find(id); c != nil {
			which = append(which, c)
		}
	}
	errs := make([]error, len(which))
	var running sync.WaitGroup
	for i, c := range which {
		if args[0] == "rm" {
			c.process.kill()
			e.remove(c)
			continue
		}
		running.Go(func() { errs[i] = e.stop(c) })
	}
	running.Wait()
	return errors.Join(errs...)
}

func fetchWith(ctx context.Context, client *http.Client, url string, headers ...string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}
