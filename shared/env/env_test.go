package env_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/secret"
)

type database struct {
	Host     string        `env:"DB_HOST" default:"localhost" help:"host"`
	Password secret.String `env:"DB_PASSWORD" help:"password"`
	Both     bool          `env:"D1_DUAL_WRITE|DB_DUAL_WRITE" default:"false" help:"both"`
}

func (d *database) Check(problem func(format string, args ...any)) {
	if d.Both && d.Host == "localhost" {
		problem("D1_DUAL_WRITE needs a DB_HOST")
	}
}

type settings struct {
	Port     int           `env:"PORT" default:"8080" min:"0" max:"65535" help:"port of the API"`
	Bytes    int64         `env:"BYTES" default:"1024" min:"1" help:"bytes"`
	Level    string        `env:"LOG_LEVEL" default:"info" oneof:"debug,info" help:"level"`
	Empty    string        `env:"EMPTY" default:"default" help:"x"`
	Insecure bool          `env:"INSECURE" default:"false" help:"x"`
	Wait     time.Duration `env:"WAIT" default:"90" min:"1" max:"1h" help:"x"`
	Alpha    float64       `env:"ALPHA" default:"0.1" max:"1" help:"x"`
	Origins  []string      `env:"ORIGINS" help:"x"`
	Token    secret.String `env:"ADMIN_TOKEN" strong:"true" help:"token"`
	CA       env.File      `env:"CA" help:"x"`
	Database database      `section:"database" defaults:"DB_HOST=db.default"`
	Proxies  env.Proxies
}

func parse(vars map[string]string, args ...string) (*settings, error) {
	s := new(settings)
	return s, env.Parse(s, args, func(name string) (string, bool) {
		text, ok := vars[name]
		return text, ok
	})
}

func TestFlagsWinOverVariablesOverDefaults(t *testing.T) {
	s, err := parse(map[string]string{
		"PORT": "9000", "LOG_LEVEL": "DEBUG", "EMPTY": " ", "DB_DUAL_WRITE": "yes", "WAIT": "1.5", "ORIGINS": " a, ,b", "BYTES": "5000000000", "TRUSTED_PROXIES": "10.0.0.0/8,127.0.0.1",
	}, "--port=7000", "--insecure", "--db-host", "db.example")
	if err != nil {
		t.Fatal(err)
	}
	if s.Port != 7000 || s.Level != "debug" || s.Empty != "default" || !s.Insecure || s.Database.Host != "db.example" || !s.Database.Both ||
		s.Wait != 1500*time.Millisecond || s.Alpha != 0.1 || !slices.Equal(s.Origins, []string{"a", "b"}) || s.Bytes != 5_000_000_000 {
		t.Errorf("%+v", s)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}
	if !slices.Equal(s.Proxies.List(), want) {
		t.Errorf("proxies %v", s.Proxies.List())
	}
	if s, err = parse(nil); err != nil || s.Database.Host != "db.default" || s.Wait != 90*time.Second || len(s.Proxies.List()) != 0 {
		t.Errorf("%+v %v", s, err)
	}
	if s, err = parse(nil, "--trust-proxy-headers"); err != nil || len(s.Proxies.List()) != 2 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	_, err := parse(map[string]string{
		"PORT": "70000", "INSECURE": "maybe", "LOG_LEVEL": "loud", "WAIT": "soon", "ALPHA": "NaN", "BYTES": "1.5", "CA": "/nowhere/ca.pem",
		"D1_DUAL_WRITE": "1", "DB_HOST": "localhost", "TRUSTED_PROXIES": "10.0.0.0/8,lan",
	}, "stray", "--unknown", "x", "--empty", "1", "--empty", "2", "--origins")
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		`unexpected argument "stray"`,
		`unknown flag --unknown`,
		`--empty is specified more than once`,
		`--origins needs a value`,
		`PORT must be an integer from 0 to 65535, got "70000"`,
		`BYTES must be an integer of at least 1, got "1.5"`,
		`LOG_LEVEL must be one of debug, info, got "loud"`,
		`INSECURE must be true or false (also 1, 0, yes, no, on, off), got "maybe"`,
		`WAIT must be seconds or a duration such as 250ms or 2h from 1s to 1h0m0s, got "soon"`,
		`ALPHA must be a number of at most 1, got "NaN"`,
		`CA must name a file that can be read: open /nowhere/ca.pem`,
		`TRUSTED_PROXIES must list addresses or networks such as 10.0.0.0/8, got "lan"`,
		`D1_DUAL_WRITE needs a DB_HOST`,
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%v", len(lines), len(want), err)
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], want[i]) {
			t.Errorf("line %d is %q, want %q", i, lines[i], want[i])
		}
	}
}

func TestSecretsOfExamplesAndWeakOnesAreRefused(t *testing.T) {
	f := func(vars map[string]string, want string) {
		t.Helper()
		_, err := parse(vars)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v: %v", vars, err)
		}
		for _, value := range vars {
			if err != nil && strings.Contains(err.Error(), value) {
				t.Errorf("%v shows %s", err, value)
			}
		}
	}
	f(map[string]string{"ADMIN_TOKEN": "change-me"}, "ADMIN_TOKEN has the value from the example; generate one with: openssl rand -hex 32")
	f(map[string]string{"DB_PASSWORD": "Change-Me-too"}, "DB_PASSWORD has the value from the example")
	f(map[string]string{"ADMIN_TOKEN": "hunter2"}, "ADMIN_TOKEN is too weak: it must have at least 16 characters, 6 of them different")
	f(map[string]string{"ADMIN_TOKEN": strings.Repeat("xy", 20)}, "ADMIN_TOKEN is too weak")
	f(map[string]string{"ADMIN_TOKEN": "0123456789abcdef"}, "")
	f(map[string]string{"DB_PASSWORD": "hunter2"}, "")
	if s, err := parse(map[string]string{"DB_PASSWORD": "hunter2"}); err != nil || s.Database.Password.Reveal() != "hunter2" {
		t.Errorf("%v %v", s.Database.Password, err)
	}
}

func TestUsageAndDescriptionComeFromTheStruct(t *testing.T) {
	if _, err := parse(map[string]string{"PORT": "many"}, "--nonsense", "-h"); !errors.Is(err, env.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
	var out strings.Builder
	if err := env.WriteUsage(&out, new(settings)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  PORT, --port N\n        port of the API (default 8080)\n", "  D1_DUAL_WRITE, DB_DUAL_WRITE, --d1-dual-write true|false\n", "  LOG_LEVEL, --log-level debug|info\n",
		"  DB_HOST, --db-host TEXT\n        host (default db.default)\n", "  CA, --ca FILE\n        x\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("usage lacks %q:\n%s", want, out.String())
		}
	}
	all := env.Describe(new(settings))
	i := slices.IndexFunc(all, func(s env.Setting) bool { return s.Name == "D1_DUAL_WRITE" })
	if i < 0 || all[i].Section != "database" || !slices.Equal(all[i].Aliases, []string{"DB_DUAL_WRITE"}) {
		t.Errorf("%+v", all)
	}
}

func TestMistakesInAStructPanic(t *testing.T) {
	f := func(what string, settings any) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s: no panic", what)
			}
		}()
		_ = env.Parse(settings, nil, func(string) (string, bool) { return "", false })
	}
	f("one name twice", &struct {
		A string `env:"A"`
		B int    `env:"B|A"`
	}{})
	f("a default that does not fit", &struct {
		A int `env:"A" default:"5" max:"4"`
	}{})
	f("an unknown type", &struct {
		A map[string]int `env:"A"`
	}{})
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string, environ ...string) *env.Environment {
	t.Helper()
	e, err := env.Open(path, environ)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSecretsComeFromFiles(t *testing.T) {
	dir := t.TempDir()
	key := write(t, filepath.Join(dir, "key"), "sk-1\n")
	dotenv := write(t, filepath.Join(dir, ".env"), "Y_SECRET_FILE="+key+"\n")
	none := filepath.Join(dir, "none")
	e := open(t, dotenv, "X_API_KEY2_FILE="+key, "X_API_KEY2=", "X_TOKEN=set", "X_TOKEN_FILE="+none, "X_LOG_FILE="+none)
	for name, want := range map[string]string{"X_API_KEY2": "sk-1", "X_TOKEN": "set", "Y_SECRET": "sk-1"} {
		if got, _ := e.Lookup(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, err := env.Open(dotenv, []string{"X_PASSWORD_FILE=" + none}); err == nil || !strings.HasPrefix(err.Error(), "X_PASSWORD_FILE: ") {
		t.Errorf("a missing file gave %v", err)
	}
	if e.Stale() {
		t.Error("nothing has changed")
	}
	write(t, key, "sk-22\n")
	if !e.Stale() {
		t.Error("the change of a secret file is not seen")
	}
	if changed, err := e.Reload(); err != nil || !slices.Equal(changed, []string{"X_API_KEY2", "Y_SECRET"}) || e.Stale() {
		t.Errorf("changed %v: %v", changed, err)
	}
	if got, _ := e.Lookup("Y_SECRET"); got != "sk-22" {
		t.Errorf("after the change: %q", got)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Reload(); err == nil {
		t.Error("a secret file that is gone was accepted")
	}
	if got, _ := e.Lookup("Y_SECRET"); got != "sk-22" || e.Stale() {
		t.Errorf("after a failed reload: %q", got)
	}
}

func TestDotenvDoesNotOverride(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), ".env"), "A=file\nB='from file'\n")
	e := open(t, path, "A=set")
	a, _ := e.Lookup("A")
	b, _ := e.Lookup("B")
	if a != "set" || b != "from file" {
		t.Errorf("A %q, B %q", a, b)
	}
	write(t, path, "C=3\n")
	if changed, err := e.Reload(); err != nil || !slices.Equal(changed, []string{"B", "C"}) {
		t.Errorf("changed %v: %v", changed, err)
	}
	open(t, path+".none")
	write(t, path, "A=1\nhunter2\n")
	if _, err := env.Open(path, nil); err == nil || !strings.HasPrefix(err.Error(), path+":2: ") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a broken file gave %v", err)
	}
}

func TestExportIsForLibraries(t *testing.T) {
	const name = "GATEWAY_ENV_TEST"
	t.Setenv(name, "") // put back at the end
	path := write(t, filepath.Join(t.TempDir(), ".env"), name+"=x\n")
	if err := open(t, path).Export(); err != nil || os.Getenv(name) != "x" {
		t.Errorf("%q: %v", os.Getenv(name), err)
	}
	t.Setenv(name, "own")
	if err := open(t, path, name+"=own").Export(); err != nil || os.Getenv(name) != "own" {
		t.Errorf("%q: %v", os.Getenv(name), err)
	}
}
