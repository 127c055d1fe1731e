package e2e_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/compose-spec/compose-go/v2/types"
)

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
