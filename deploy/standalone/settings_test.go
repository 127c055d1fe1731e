package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/dataplane/node"
	"github.com/hybridinference/gateway/shared/env"
)

var update = flag.Bool("update", false, "write .env.example anew")

const (
	root  = "../.."
	token = "0123456789abcdef"
)

func parse(vars map[string]string, args ...string) (*Settings, error) {
	s := new(Settings)
	return s, env.Parse(s, args, func(name string) (string, bool) {
		text, ok := vars[name]
		return text, ok
	})
}

// Both planes' settings work here, too.
func TestStandaloneTakesTheSettingsOfBothPlanes(t *testing.T) {
	s, err := parse(map[string]string{
		"SPOOL_LIMIT_BYTES": "2097152", "DRAIN_GRACE_SECONDS": "2", "D1_DUAL_WRITE": "1", "D1_ACCOUNT_ID": "0123456789abcdef0123456789abcdef", "D1_API_TOKEN": "t",
		"D1_DATABASE_ID": "01234567-89ab-cdef-0123-456789abcdef", "TRUSTED_PROXIES": "127.0.0.1", "LOG_RETENTION_DAYS": "7", "STATE_DIR": "x", "METRICS_TEAMS": "true",
	})
	if err != nil {
		t.Fatal(err)
	}
	n, c := s.node(nil), s.control(nil)
	if n.SpoolLimit != 2<<20 || !n.MetricTeams || n.Gateway.Grace.Seconds() != 2 || len(s.Dual.Stores(c.State)) != 2 || len(n.Gateway.TrustProxies) != 1 || len(c.Proxies) != 1 ||
		c.State.SQLitePath != "x/gateway.db" || s.stateDir() != "x" || c.State.Backend != "sqlite" || n.Gateway.Auth || n.Gateway.Addr != "127.0.0.1:8080" || c.Addr != "127.0.0.1:8081" || !c.Open {
		t.Errorf("%+v %+v", n, c)
	}
	if s, err = parse(map[string]string{"ADMIN_TOKEN": token}); err != nil || s.control(nil).Open {
		t.Errorf("open although there is a token: %v", err)
	}
}

func TestStandaloneIsNotOpenToOthers(t *testing.T) {
	f := func(want string, vars map[string]string, args ...string) {
		t.Helper()
		if _, err := parse(vars, args...); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v %v: %v", vars, args, err)
		}
	}
	f("", map[string]string{"HOST": "localhost"})
	f("", map[string]string{"HOST": "::1"})
	f("USER_AUTH_ENABLED is false", map[string]string{"HOST": "0.0.0.0", "ADMIN_TOKEN": token})
	f("ADMIN_TOKEN must be set", map[string]string{"HOST": "0.0.0.0", "USER_AUTH_ENABLED": "1"})
	f("ADMIN_TOKEN is too weak", map[string]string{"HOST": "0.0.0.0", "USER_AUTH_ENABLED": "1", "ADMIN_TOKEN": "a"})
	f("", map[string]string{"HOST": "0.0.0.0", "ADMIN_TOKEN": token}, "--insecure")
}

// program is a process and its settings.
type program struct {
	name     string
	settings any
}

func programs() []program {
	return []program{
		{"dataplane", new(node.Settings)},
		{"dataplane health", new(node.Health)},
		{"controlplane", new(settings.Serve)},
		{"controlplane collect", new(settings.Collect)},
		{"controlplane migrate", new(settings.Migrate)},
		{"controlplane compare", new(settings.Compare)},
		{"controlplane validate", new(settings.Validate)},
		{"controlplane health", new(settings.Health)},
		{"standalone", new(Settings)},
	}
}

// variable is one line of .env.example.
type variable struct {
	env.Setting
	// readers are the programs that read it, defaults their defaults.
	readers  []string
	defaults map[string]string
}

func (v *variable) read(by string, s env.Setting) {
	if !slices.Contains(v.readers, by) {
		v.readers = append(v.readers, by)
	}
	v.defaults[by] = s.Default
}

// variables returns all variables in the order of the programs, by section.
func variables() (sections []string, in map[string][]*variable) {
	in = make(map[string][]*variable)
	known := make(map[string]*variable)
	for _, p := range programs() {
		for _, s := range env.Describe(p.settings) {
			v := known[s.Name]
			if v == nil {
				v = &variable{Setting: s, defaults: make(map[string]string)}
				v.Section = cmp.Or(s.Section, p.name)
				known[s.Name] = v
				if in[v.Section] == nil {
					sections = append(sections, v.Section)
				}
				in[v.Section] = append(in[v.Section], v)
			}
			v.read(p.name, s)
		}
	}
	return sections, in
}

// line is `#NAME=default   # help; other defaults (who reads it, if that is not usual)`.
func (v *variable) line(usual string) string {
	by := v.by()
	notes := []string{v.Help}
	for _, reader := range by[1:] {
		if def := v.defaults[reader]; def != v.defaults[by[0]] {
			notes = append(notes, reader+": "+cmp.Or(def, "none"))
		}
	}
	out := fmt.Sprintf("%-31s # %s", "#"+v.Name+"="+v.defaults[by[0]], strings.Join(notes, "; "))
	if all := strings.Join(by, ", "); all != usual {
		out += " (" + all + ")"
	}
	return out
}

// by leaves out a program's commands if the program itself reads the variable.
func (v *variable) by() []string {
	return slices.DeleteFunc(slices.Clone(v.readers), func(by string) bool {
		program, _, isCommand := strings.Cut(by, " ")
		return isCommand && slices.Contains(v.readers, program)
	})
}

// usual is who reads most variables of a section.
func usual(section []*variable) (by string) {
	count := make(map[string]int)
	for _, v := range section {
		all := strings.Join(v.by(), ", ")
		if count[all]++; count[all] > count[by] {
			by = all
		}
	}
	return by
}

const heading = `# Every variable that the gateway's processes read, with its default, commented
# out. Copy this file to .env in the directory that a process is started in and
# take the # off where you change something. A variable of the environment wins
# over .env, a flag over both: PORT is --port. Parentheses say which programs read
# it; ` + "`PROGRAM --help`" + ` lists what one of them reads. A variable whose name ends in
# KEY, TOKEN, SECRET, PASSWORD, CREDENTIALS or URL may be a file: NAME_FILE is
# the file's path then. Durations are seconds, or 250ms, 5m, 2h.
`

const operators = `
# --- gatewayctl
#GATEWAY_ADMIN_URL=http://127.0.0.1:8081
#GATEWAY_ADMIN_CA=              # PEM file of an authority to trust besides the system's
`

const configured = `
# --- what config/models.yaml refers to: read by the nodes (keys) and by the
# control plane (addresses). An endpoint whose variable is not set is out of service.
`

// example makes .env.example of the settings and of what the configuration refers to.
func example(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(heading)
	sections, in := variables()
	for _, section := range sections {
		by := usual(in[section])
		b.WriteString("\n# --- " + section + " (" + by + ")\n")
		for _, v := range in[section] {
			b.WriteString(v.line(by) + "\n")
		}
	}
	b.WriteString(operators + configured)
	seen := map[string]bool{}
	for _, file := range []string{"models.yaml", "routing.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, "config", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\$\{([A-Z][A-Z0-9_]*)`).FindAllStringSubmatch(string(text), -1) {
			if !seen[m[1]] {
				seen[m[1]] = true
				b.WriteString("#" + m[1] + "=\n")
			}
		}
	}
	return b.String()
}

func TestEnvExampleIsMadeFromTheSettings(t *testing.T) {
	path := filepath.Join(root, ".env.example")
	want := example(t)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf(".env.example is not what the settings say; write it anew with: go test ./deploy/standalone -update")
	}
}

// The configuration knows which variables are the gateway's own, which it may not use.
func TestTheConfigurationKnowsTheSettings(t *testing.T) {
	names := []string{"GATEWAY_ADMIN_CA", "GATEWAY_ADMIN_URL"}
	for _, p := range programs() {
		for _, s := range env.Describe(p.settings) {
			names = append(append(names, s.Name), s.Aliases...)
		}
	}
	slices.Sort(names)
	want := strings.Join(slices.Compact(names), "\n") + "\n"
	path := filepath.Join(root, "controlplane", "config", "settings.txt")
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is not what the settings say (%v); write it anew with: go test ./deploy/standalone -update", path, err)
	}
}

// What several programs read means the same in all of them.
func TestOneVariableHasOneMeaning(t *testing.T) {
	type meaning struct{ takes, help, by string }
	first := map[string]meaning{}
	for _, p := range programs() {
		for _, s := range env.Describe(p.settings) {
			if s.Help == "" || strings.HasSuffix(s.Help, ".") {
				t.Errorf("%s: help is %q", s.Name, s.Help)
			}
			m, seen := first[s.Name]
			if !seen {
				first[s.Name] = meaning{s.Takes, s.Help, p.name}
			} else if m.takes != s.Takes {
				t.Errorf("%s is %s for %s and %s for %s", s.Name, m.takes, m.by, s.Takes, p.name)
			}
		}
	}
}

// The prose and the examples of deployments name only variables that something reads.
func TestTheDocumentationNamesOnlyVariablesThatExist(t *testing.T) {
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#([A-Z][A-Z0-9_]*)=`).FindAllStringSubmatch(example(t), -1) {
		known[m[1]] = true
	}
	for _, p := range programs() {
		for _, s := range env.Describe(p.settings) {
			for _, alias := range s.Aliases {
				known[alias] = true
			}
		}
	}
	// what Docker Compose and its Makefile take, the tests and benchmarks, clients, and AWS' library
	others := regexp.MustCompile(`^(ANTHROPIC|AWS|OPENAI|GATEWAY|COMPOSE|PG|PGADMIN|POSTGRES|GRAFANA|DOCKER|GO)_|_MEMORY$|^SYNC_FREQUENCY$`)
	inProse, inExample := regexp.MustCompile("`([A-Z][A-Z0-9]*_[A-Z0-9_]+)[=`]"), regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]*)=`)
	files := map[string]*regexp.Regexp{
		"README.md": inProse, "deploy/README.md": inProse, "controlplane/README.md": inProse, "dataplane/README.md": inProse, "config/README.md": inProse, "deploy/nginx/README.md": inProse, "deploy/observability/README.md": inProse,
		"deploy/systemd/dataplane.env.example": inExample, "deploy/systemd/controlplane.env.example": inExample, "deploy/systemd/collector.env.example": inExample,
		"deploy/docker/.env.example": inExample,
	}
	for file, pattern := range files {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
			name := strings.TrimSuffix(m[1], "_FILE")
			if !known[name] && !others.MatchString(name) {
				t.Errorf("%s names %s, which nothing reads", file, m[1])
			}
		}
	}
}
