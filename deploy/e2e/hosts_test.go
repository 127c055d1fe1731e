package e2e_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hybridinference/gateway/shared/eventually"
)

// network is several hosts on one machine: each has a network namespace, with an
// address on a bridge that nothing else is on, and a root file system of its own,
// which is the machine's until something is written. It needs root.
type network struct {
	t      *testing.T
	prefix string // of the namespaces' names
	subnet string // without the last number
	bridge string // namespace of the bridge
	dir    string
	hosts  []*host
	names  map[string][]string // addresses by name, for /etc/hosts
}

// host is one of them.
type host struct {
	*network
	name, ip, ns, root string
	index              int
	scratch            bool // nothing is there but what was brought
	processes          []*process
}

// newNetwork makes a network; subnet is a /24 such as "10.77.0".
func newNetwork(t *testing.T, subnet string) *network {
	t.Helper()
	dir := t.TempDir()
	n := &network{t: t, prefix: "gw" + strconv.Itoa(os.Getpid()) + strings.ReplaceAll(subnet, ".", "-"), subnet: subnet, dir: dir, names: map[string][]string{}}
	n.bridge = n.prefix + "-bridge"
	n.ip("netns", "add", n.bridge)
	t.Cleanup(n.remove)
	n.in(n.bridge, "ip", "link", "add", "bridge", "type", "bridge")
	n.in(n.bridge, "ip", "link", "set", "bridge", "up")
	// overlays cannot be stacked on what is an overlay itself, as in a container
	// the size is what NATS reckons with
	n.run("mount", "-t", "tmpfs", "-o", "size=16g", "tmpfs", dir)
	return n
}

func (n *network) run(args ...string) string {
	n.t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (n *network) ip(args ...string) { n.t.Helper(); n.run(append([]string{"ip"}, args...)...) }

func (n *network) in(ns string, args ...string) {
	n.t.Helper()
	n.ip(append([]string{"netns", "exec", ns}, args...)...)
}

// remove ends whatever still runs there.
func (n *network) remove() {
	quiet := func(args ...string) { _, _ = exec.Command(args[0], args[1:]...).CombinedOutput() }
	for _, h := range n.hosts {
		h.killAll()
		quiet("umount", "-R", "-l", h.root)
		quiet("umount", "-R", "-l", h.root) // what is mounted on itself
		quiet("ip", "netns", "del", h.ns)
	}
	quiet("ip", "netns", "del", n.bridge)
	quiet("umount", "-l", n.dir)
}

// plug adds a host without files of its own. Others find it by the names.
func (n *network) plug(name string, names ...string) *host {
	n.t.Helper()
	index := len(n.hosts) + 1
	h := &host{network: n, name: name, ns: n.prefix + "-" + name, ip: n.subnet + "." + strconv.Itoa(index), root: filepath.Join(n.dir, name, "root"), index: index}
	n.hosts = append(n.hosts, h)
	if err := os.MkdirAll(filepath.Join(n.dir, name), 0o755); err != nil {
		n.t.Fatal(err)
	}
	n.ip("netns", "add", h.ns)
	cable := "h" + strconv.Itoa(index)
	n.ip("link", "add", cable, "netns", n.bridge, "type", "veth", "peer", "name", "eth0", "netns", h.ns)
	n.in(n.bridge, "ip", "link", "set", cable, "master", "bridge", "up")
	n.in(h.ns, "ip", "addr", "add", h.ip+"/24", "dev", "eth0")
	n.in(h.ns, "ip", "link", "set", "eth0", "up")
	n.in(h.ns, "ip", "link", "set", "lo", "up")
	for _, each := range append(names, name) {
		n.names[each] = append(n.names[each], h.ip)
	}
	return h
}

// host adds a host that has all that the machine has.
func (n *network) host(name string, names ...string) *host {
	n.t.Helper()
	h := n.plug(name, names...)
	upper, work := filepath.Join(n.dir, name, "upper"), filepath.Join(n.dir, name, "work")
	for _, dir := range []string{upper, work, h.root} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			n.t.Fatal(err)
		}
	}
	n.run("mount", "-t", "overlay", "overlay", "-o", "lowerdir=/,upperdir="+upper+",workdir="+work, h.root)
	h.ready()
	return h
}

// bare adds a host that has what is in a folder, and nothing else.
func (n *network) bare(name, files string, names ...string) *host {
	n.t.Helper()
	h := n.plug(name, names...)
	h.scratch = true
	if err := os.MkdirAll(filepath.Dir(h.root), 0o755); err != nil {
		n.t.Fatal(err)
	}
	n.run("cp", "-a", files, h.root)
	h.ready()
	return h
}

// resolve writes every host's /etc/hosts.
func (n *network) resolve() {
	n.t.Helper()
	text := "127.0.0.1 localhost\n"
	for name, addresses := range n.names {
		for _, address := range addresses {
			text += address + " " + name + "\n"
		}
	}
	for _, h := range n.hosts {
		if err := os.WriteFile(h.hostsFile(), []byte(text), 0o644); err != nil {
			n.t.Fatal(err)
		}
	}
}

// hostsFile is what the host has at /etc/hosts.
func (h *host) hostsFile() string { return filepath.Join(h.dir, h.name, "hosts") }

// ready mounts what every host has.
func (h *host) ready() {
	h.t.Helper()
	h.resolve()
	if err := errors.Join(os.MkdirAll(h.path("etc"), 0o755), os.MkdirAll(h.path("dev"), 0o755), os.MkdirAll(h.path("proc"), 0o755)); err != nil {
		h.t.Fatal(err)
	}
	if _, err := os.Stat(h.path("etc/hosts")); err != nil {
		h.write("etc/hosts", "", 0o644)
	}
	h.run("mount", "--bind", h.hostsFile(), h.path("etc/hosts"))
	h.run("mount", "--rbind", "/dev", h.path("dev"))
	h.run("mount", "--bind", "/proc", h.path("proc"))
}

// path is where the machine has a host's file.
func (h *host) path(name string) string { return filepath.Join(h.root, name) }

func (h *host) write(name, text string, mode os.FileMode) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.path(name)), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.path(name), []byte(text), mode); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chmod(h.path(name), mode); err != nil {
		h.t.Fatal(err)
	}
}

// bring copies a file or a folder of the machine to the host.
func (h *host) bring(from, to string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.path(to)), 0o755); err != nil {
		h.t.Fatal(err)
	}
	h.run("cp", "-a", from, h.path(to))
}

func (h *host) args(user string, args []string) []string {
	line := []string{"netns", "exec", h.ns, "/usr/sbin/chroot", h.root}
	if h.scratch {
		return append([]string{"netns", "exec", h.ns, "/usr/sbin/chroot", "--userspec=" + cmp.Or(user, "0:0"), "--groups=", h.root}, args...)
	}
	if user != "" {
		group := user
		if u, g, ok := strings.Cut(user, ":"); ok {
			user, group = u, g
		}
		line = append(line, "/usr/bin/setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all")
	}
	return append(line, args...)
}

// start launches a program on the host, as a user without any rights ("" is root).
func (h *host) start(user string, env []string, args ...string) *process {
	h.t.Helper()
	p := launch(h.t, "/usr/sbin/ip", env, h.args(user, args)...)
	p.name = h.name + ": " + filepath.Base(args[0])
	h.t.Cleanup(h.killAll) // children too, which would keep the output open
	h.processes = append(h.processes, p)
	return p
}

// do runs a program to its end, as root.
func (h *host) do(env []string, args ...string) (string, error) {
	cmd := exec.Command("ip", h.args("", args)...)
	cmd.Env = append([]string{"PATH=/usr/local/bin:" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE"), "HOME=/root"}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (h *host) must(env []string, args ...string) string {
	h.t.Helper()
	out, err := h.do(env, args...)
	if err != nil {
		h.t.Fatalf("%s: %s: %v\n%s", h.name, strings.Join(args, " "), err, out)
	}
	return out
}

// cut pulls the host's cable, or plugs it in again.
func (h *host) cut(off bool) {
	h.t.Helper()
	state := "up"
	if off {
		state = "down"
	}
	h.in(h.bridge, "ip", "link", "set", "h"+strconv.Itoa(h.index), state)
}

// crash kills everything on the host at once.
func (h *host) crash() {
	h.t.Helper()
	h.killAll()
	for _, p := range h.processes {
		p.kill()
	}
	h.processes = nil
}

func (h *host) killAll() {
	pids, _ := exec.Command("ip", "netns", "pids", h.ns).Output() // none, if it is gone
	for pid := range strings.FieldsSeq(string(pids)) {
		_ = exec.Command("kill", "-9", pid).Run() // it may have ended
	}
}

// show makes a folder of the machine seen on the host.
func (h *host) show(from, to string) {
	h.t.Helper()
	if err := os.MkdirAll(h.path(to), 0o755); err != nil {
		h.t.Fatal(err)
	}
	h.run("mount", "--bind", from, h.path(to))
}

// inside runs fn in the host's network namespace: a socket belongs to that of
// the thread which makes it.
func (h *host) inside(fn func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer func() { _ = here.Close() }()
	there, err := os.Open("/run/netns/" + h.ns)
	if err != nil {
		return err
	}
	defer func() { _ = there.Close() }()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", h.ns, err)
	}
	defer func() {
		if err := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(err) // the thread would go on there
		}
	}()
	return fn()
}

// dial connects from the host.
func (h *host) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = h.inside(func() (err error) {
		d := net.Dialer{Timeout: 5 * time.Second, FallbackDelay: -1}
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// client is an HTTP client on the host.
func (h *host) client() *http.Client {
	tr := &http.Transport{DialContext: h.dial, MaxIdleConnsPerHost: 64}
	h.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 60 * time.Second}
}

// postgres makes and starts a cluster in data, with the server's settings in
// args, that a user with a password may use from everywhere.
func (h *host) postgres(data, user, password, database string, args ...string) *process {
	h.t.Helper()
	server := strings.TrimSpace(h.run("sh", "-c", "ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1"))
	if _, err := os.Stat(h.path(data + "/PG_VERSION")); err != nil {
		h.must(nil, "install", "-d", "-o", "postgres", "-g", "postgres", "-m", "700", data)
		h.must(nil, "install", "-d", "-o", "postgres", "-g", "postgres", "/var/run/postgresql")
		h.write("/tmp/password", password+"\n", 0o644)
		h.must(nil, "runuser", "-u", "postgres", "--", server+"/initdb", "-D", data, "-U", user, "--pwfile=/tmp/password", "--auth=scram-sha-256", "--no-sync", "--data-checksums")
		h.write(data+"/pg_hba.conf", "local all all trust\nhost all all all scram-sha-256\n", 0o644)
	}
	line := append([]string{"-D", data, "-clisten_addresses=*", "-cunix_socket_directories=/var/run/postgresql", "-cfsync=off"}, args...)
	p := h.start("postgres", []string{"LC_ALL=C"}, append([]string{server + "/postgres"}, line...)...)
	env := []string{"PGPASSWORD=" + password}
	eventually.Nil(h.t, 30*time.Second, "PostgreSQL on "+h.name, func() error {
		out, err := h.do(env, "psql", "-h", "127.0.0.1", "-U", user, "-d", "postgres", "-Atc", "SELECT 1 FROM pg_database WHERE datname = '"+database+"'")
		if err == nil && strings.TrimSpace(out) == "" {
			out, err = h.do(env, "psql", "-h", "127.0.0.1", "-U", user, "-d", "postgres", "-c", "CREATE DATABASE "+database)
		}
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	return p
}

// nginx starts the real nginx with the project's configuration, as the image
// does: the template's variables are replaced, and gateway.d is beside nginx.conf.
func (h *host) nginx(vars map[string]string) *process {
	h.t.Helper()
	template, err := os.ReadFile(filepath.Join(repository(), "deploy", "nginx", "gateway.conf.template"))
	if err != nil {
		h.t.Fatal(err)
	}
	text := string(template)
	for name, value := range vars {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	h.must(nil, "install", "-d", "/etc/nginx/conf.d", "/etc/nginx/gateway.d", "/var/log/nginx", "/var/lib/nginx")
	h.write("/etc/nginx/conf.d/default.conf", text, 0o644)
	h.write("/etc/nginx/nginx.conf", "daemon off; user root; error_log stderr warn; pid /run/gateway-nginx.pid;\nevents {}\nhttp { access_log off; include /etc/nginx/conf.d/default.conf; }\n", 0o644)
	return h.start("", nil, "/usr/sbin/nginx", "-e", "stderr", "-c", "/etc/nginx/nginx.conf")
}

func repository() string { return root } // a host has a root, too

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}
