package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCandidates(t *testing.T) {
	a := newAdmin(t)
	f := func(typed, want string) {
		t.Helper()
		r := runWith(t, a.vars(), append(words(t, typed), "--generate-bash-completion")...)
		if got := strings.Join(strings.Fields(r.stdout), " "); got != want || r.code != 0 || r.stderr != "" {
			t.Errorf("%s\n got %q, exit %d, %q\nwant %q", typed, got, r.code, r.stderr, want)
		}
	}
	f("weights show ''", "demo glm-4.6")
	f("weights show demo ''", "")
	f("weights set glm-4.6 ''", "local-8000= zhipu-api=")
	f("weights set glm-4.6 --wait z", "local-8000= zhipu-api=")
	f("weights set glm-4.6 local-8000=1 z", "local-8000= zhipu-api=")
	f("weights set --reason x demo d", "demo-api=")
	f("weights set none ''", "")
	f("nodes ''", "node-1 node-2 node-3")
	f("releases show ''", "12 11")
	f("keys revoke ''", "KEY_ID k_02")
	f("completion ''", "bash zsh fish")
	f("status -o ''", "table wide json yaml csv")
	f("status --output=", "--output=table --output=wide --output=json --output=yaml --output=csv")
	f("keys create --role p", "free pro internal admin management")
	f("operators create --role ''", "viewer operator admin")
	f("validate --models ''", "") // the shell offers files
	f("nothing ''", "")
	f("status --url http://127.0.0.1:1 --token x nodes ''", "")
}

// TestBashCompletes loads the script into a real bash and asks it as the shell does.
func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	a := newAdmin(t)
	lines := []struct{ typed, want string }{
		{"gatewayctl weights ", "show set reset"},
		{"gatewayctl weights set glm-4.6 l", "local-8000="},
		{"gatewayctl status --output=j", "json"}, // bash replaces what follows the =
		{"gatewayctl -o y", "yaml"},
		{"gatewayctl nodes  node", "node-1 node-2 node-3"},
		{"gatewayctl nothing ", ""},
		{"gatewayctl st", "status stats"},
		{"gatewayctl keys create --ro", "--role"},
		{"gatewayctl releases show 1", "12 11"},
	}
	const script = `source <(gatewayctl completion bash) && complete -p gatewayctl >/dev/null || exit 1
		for COMP_LINE; do COMP_POINT=${#COMP_LINE}; _gatewayctl; echo "${COMPREPLY[@]}"; done`
	var typed []string
	for _, line := range lines {
		typed = append(typed, line.typed)
	}
	got := strings.Split(shell(t, a, bash, script, typed), "\n")
	for i, line := range lines {
		if got[i] != line.want {
			t.Errorf("%q completes to %q, want %q", line.typed, got[i], line.want)
		}
	}
}

// shell runs a script that finds gatewayctl in its PATH.
func shell(t *testing.T, a *admin, shell, script string, args []string) string {
	t.Helper()
	folder := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(folder, "gatewayctl")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), shell, append([]string{"-c", script, shell}, args...)...)
	cmd.Env = []string{"PATH=" + folder + ":" + os.Getenv("PATH"), asProgram + "=1"}
	for name, value := range a.vars() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v: %s", script, err, stderr.String())
	}
	return string(out)
}
