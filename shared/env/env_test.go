package env_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/env"
)

func reader(vars map[string]string, args ...string) *env.Reader {
	return env.New(args, func(name string) (string, bool) {
		text, ok := vars[name]
		return text, ok
	})
}

func TestFlagsWinOverVariablesOverDefaults(t *testing.T) {
	r := reader(map[string]string{"PORT": "9000", "LOG_LEVEL": "DEBUG", "EMPTY": "", "DB_DUAL_WRITE": "yes", "WAIT": "1.5"},
		"--port=7000", "--insecure", "--db-host", "db.example")
	if got := r.Int("PORT", 8080, env.Port(), "port"); got != 7000 {
		t.Errorf("PORT %d", got)
	}
	if got := r.Enum("LOG_LEVEL", "info", "level", "debug", "info"); got != "debug" {
		t.Errorf("LOG_LEVEL %q", got)
	}
	if got := r.String("EMPTY", "default", "x"); got != "default" {
		t.Errorf("EMPTY %q", got)
	}
	if !r.Bool("D1_DUAL_WRITE|DB_DUAL_WRITE", false, "both") {
		t.Error("the second name of a setting was not read")
	}
	if !r.Bool("INSECURE", false, "x") {
		t.Error("a flag without a value is not true")
	}
	if got := r.String("DB_HOST", "localhost", "x"); got != "db.example" {
		t.Errorf("DB_HOST %q", got)
	}
	if got := r.Duration("WAIT", 0, env.Bounds[time.Duration]{}, "x"); got != 1500*time.Millisecond {
		t.Errorf("WAIT %v", got)
	}
	if got := r.Float("ALPHA", 0.1, env.Bounds[float64]{Max: 1}, "x"); got != 0.1 {
		t.Errorf("ALPHA %v", got)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

func TestEveryMistakeIsToldAtOnce(t *testing.T) {
	r := reader(map[string]string{"PORT": "70000", "AUTH": "maybe", "BACKEND": "oracle", "WAIT": "soon", "ALPHA": "NaN", "N": "1.5"}, "stray", "--unknown", "x")
	r.Int("PORT", 8080, env.Port(), "port")
	r.Bool("AUTH", true, "x")
	r.Enum("BACKEND", "sqlite", "x", "postgres", "sqlite")
	r.Duration("WAIT", time.Second, env.Bounds[time.Duration]{Min: time.Second, Max: time.Hour}, "x")
	r.Float("ALPHA", 0.1, env.Bounds[float64]{Max: 1}, "x")
	r.Int("N", 1, env.Bounds[int]{}, "x")
	err := r.Err()
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		`unexpected argument "stray"`,
		`PORT must be a whole number from 0 to 65535, got "70000"`,
		`AUTH must be true or false (also 1, 0, yes, no, on, off), got "maybe"`,
		`BACKEND must be one of postgres, sqlite, got "oracle"`,
		`WAIT must be seconds or a duration such as 250ms or 2h from 1s to 1h0m0s, got "soon"`,
		`ALPHA must be a number from 0 to 1, got "NaN"`,
		`N must be a whole number, got "1.5"`,
		`--unknown is not known`,
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

func TestSecretsAreNotShown(t *testing.T) {
	r := reader(map[string]string{"ADMIN_TOKEN": "hunter2"})
	s := r.Secret("ADMIN_TOKEN", "token of the admin API")
	if s.Reveal() != "hunter2" || strings.Contains(s.String(), "hunter2") {
		t.Errorf("secret %v", s)
	}
}

func TestSecretsOfExamplesAreRefused(t *testing.T) {
	r := reader(map[string]string{"ADMIN_TOKEN": "change-me", "DB_PASSWORD": "Change-Me-too"})
	r.Secret("ADMIN_TOKEN", "x")
	r.Secret("DB_PASSWORD", "x")
	if err := r.Err(); err == nil || strings.Count(err.Error(), "has the value of the example") != 2 || strings.Contains(err.Error(), "too") {
		t.Errorf("%v", err)
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("X_API_KEY2_FILE", write("key", "sk-1\n"))
	t.Setenv("X_TOKEN", "set")
	t.Setenv("X_TOKEN_FILE", filepath.Join(dir, "none"))
	t.Setenv("X_LOG_FILE", filepath.Join(dir, "none"))
	for _, name := range []string{"X_API_KEY2", "X_PASSWORD"} { // to be put back at the end
		t.Setenv(name, "")
	}
	if err := env.LoadFile(filepath.Join(dir, "no.env")); err != nil {
		t.Fatal(err)
	}
	if key, token := os.Getenv("X_API_KEY2"), os.Getenv("X_TOKEN"); key != "sk-1" || token != "set" {
		t.Errorf("key %q, token %q", key, token)
	}
	t.Setenv("X_PASSWORD_FILE", filepath.Join(dir, "none"))
	if err := env.LoadFile(filepath.Join(dir, "no.env")); err == nil || !strings.HasPrefix(err.Error(), "X_PASSWORD_FILE: ") {
		t.Errorf("a missing file gave %v", err)
	}
}

func TestUsageListsWhatWasAsked(t *testing.T) {
	r := reader(nil, "-h")
	r.Int("CONTROL_PORT", 8081, env.Port(), "where the admin API listens")
	var out strings.Builder
	if err := r.WriteUsage(&out); err != nil {
		t.Fatal(err)
	}
	if want := "  CONTROL_PORT, --control-port N\n        where the admin API listens (default 8081)\n"; out.String() != want || !r.Help() {
		t.Errorf("usage %q", out.String())
	}
}

func TestDotenvDoesNotOverride(t *testing.T) {
	t.Setenv("GATEWAY_ENV_TEST_A", "set")
	t.Setenv("GATEWAY_ENV_TEST_B", "")
	if err := os.Unsetenv("GATEWAY_ENV_TEST_B"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(path, []byte("GATEWAY_ENV_TEST_A=file\nGATEWAY_ENV_TEST_B='from file'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := env.LoadFile(path); err != nil {
		t.Fatal(err)
	}
	if a, b := os.Getenv("GATEWAY_ENV_TEST_A"), os.Getenv("GATEWAY_ENV_TEST_B"); a != "set" || b != "from file" {
		t.Errorf("A %q, B %q", a, b)
	}
	if err := env.LoadFile(path + ".none"); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("A=1\nhunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := env.LoadFile(path); err == nil || !strings.HasPrefix(err.Error(), path+":2: ") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a broken file gave %v", err)
	}
}
