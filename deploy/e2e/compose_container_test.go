package e2e_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/compose-spec/compose-go/v2/types"
)

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
