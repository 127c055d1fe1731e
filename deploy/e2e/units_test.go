package e2e_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unit is what deploy/systemd's units use of systemd, as far as one can do it
// without systemd: the program, its user, its environment, its directory and
// its credentials.
type unit struct {
	name, user  string
	exec        []string
	files       []string // of the environment
	env         []string
	credentials map[string]string // the host's file by name
	state       string
}

func readUnit(t *testing.T, path string) unit {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	u := unit{name: strings.TrimSuffix(filepath.Base(path), ".service"), credentials: map[string]string{}}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), "=")
		value = strings.NewReplacer("%d", "/run/credentials/"+u.name, "%S", "/var/lib").Replace(value)
		switch key {
		case "ExecStart":
			u.exec = strings.Fields(value)
		case "User":
			u.user = value
		case "EnvironmentFile":
			u.files = append(u.files, value)
		case "Environment":
			u.env = append(u.env, value)
		case "StateDirectory":
			u.state = value
		case "LoadCredential":
			name, from, _ := strings.Cut(value, ":")
			u.credentials[name] = from
		}
	}
	if len(u.exec) == 0 || u.user == "" {
		t.Fatalf("%s: %+v: no program or no user", path, u)
	}
	return u
}

// systemctl starts a unit of the host.
func (h *host) systemctl(name string) *process {
	h.t.Helper()
	u := readUnit(h.t, h.path("/etc/systemd/system/"+name+".service"))
	env := u.env
	for _, path := range u.files {
		text, err := os.ReadFile(h.path(path))
		if err != nil {
			h.t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				env = append(env, line)
			}
		}
	}
	for name, from := range u.credentials {
		to := "/run/credentials/" + u.name + "/" + name
		h.must(nil, "install", "-D", "-m", "400", "-o", u.user, from, to)
	}
	if u.state != "" {
		h.must(nil, "install", "-d", "-m", "755", "-o", u.user, "-g", u.user, "/var/lib/"+u.state)
	}
	return h.start(u.user, env, u.exec...)
}
