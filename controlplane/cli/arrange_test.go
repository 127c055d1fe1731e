package cli_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/cli"
)

func TestFlagsStandAnywhere(t *testing.T) {
	f := func(typed string, want string) {
		t.Helper()
		got, err := cli.Arrange(words(t, typed))
		if err != nil {
			t.Errorf("%s: %v", typed, err)
			return
		}
		if wanted := append([]string{"gatewayctl"}, words(t, want)...); !slices.Equal(got, wanted) {
			t.Errorf("%s\n got %q\nwant %q", typed, got, wanted)
		}
	}
	// before, between and after commands and arguments
	f("status", "status --")
	f("-o json status", "status --output=json --")
	f("weights -o json set --reason x demo demo-api=1", "weights set --output=json --reason=x -- demo demo-api=1")
	f("weights set demo demo-api=1 --wait --reason x", "weights set --wait=30s --reason=x -- demo demo-api=1")
	f("--reason set weights set demo a=1", "weights set --reason=set -- demo a=1")

	// --wait with and without a value
	f("weights set demo demo-api=1 --wait 5s", "weights set --wait=5s -- demo demo-api=1")
	f("weights set demo demo-api=1 --wait=5", "weights set --wait=5 -- demo demo-api=1")
	f("weights set --wait demo demo-api=1", "weights set --wait=30s -- demo demo-api=1")
	f("--wait weights set demo demo-api=1", "weights set --wait=30s -- demo demo-api=1")
	f("releases rollback --wait 12", "releases rollback --wait=30s -- 12")
	f("releases rollback --wait 1m 12", "releases rollback --wait=1m -- 12")
	f("apply --wait", "apply --wait=30s --")
	f("apply --wait --dry-run", "apply --wait=30s --dry-run=true --")

	// values that look like flags, commands or nothing
	f("weights reset demo --reason -5%", "weights reset --reason=-5% -- demo")
	f("weights reset demo --reason --wait", "weights reset --reason=--wait -- demo")
	f("weights reset demo --reason=", "weights reset --reason= -- demo")
	f("weights reset demo --reason ''", "weights reset --reason= -- demo")
	f("weights reset demo --reason a=b", "weights reset --reason=a=b -- demo")
	f("keys create --name help", "keys create --name=help --")

	// the end of flags
	f("nodes -- -x", "nodes -- -x")
	f("nodes -- --help", "nodes -- --help")
	f("weights set -o yaml -- demo -a=1 --wait", "weights set --output=yaml -- demo -a=1 --wait")
	f("nodes -", "nodes -- -")

	// spellings of a flag
	f("status -ojson", "status --output=json --")
	f("status -o=json", "status --output=json --")
	f("status -output json", "status --output=json --")
	f("status -o table -o json", "status --output=table --output=json --")
	f("weights reset --all=false demo", "weights reset --all=false -- demo")

	// help and version
	f("help", "--help")
	f("help weights set", "weights set --help")
	f("weights --help", "weights --help")
	f("weights set demo -h", "weights set --help")
	f("", "--help")
	f("--version", "version --")
	f("-v -o json", "version --output=json --")
}

func TestWrongLines(t *testing.T) {
	f := func(typed, want string) {
		t.Helper()
		got, err := cli.Arrange(words(t, typed))
		if err == nil {
			t.Errorf("%s became %q", typed, got)
			return
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q does not tell %q", typed, err, want)
		}
	}
	f("stauts", `unknown command "stauts", did you mean "status"?`)
	f("weights sett", `unknown command "weights sett", did you mean "weights set"?`)
	f("frobnicate", `unknown command "frobnicate", there is status, models, `)
	f("help nothing", `unknown command "nothing"`)
	f("weights", "gatewayctl weights needs a command: one of show, set, reset")
	f("-o json", "gatewayctl needs a command: one of status, ")
	f("status --outptu json", "unknown flag --outptu, did you mean --output?")
	f("status --frobnicate=hunter2", "unknown flag --frobnicate (an argument that begins with - stands after --)")
	f("status -x", "unknown flag -x")
	f("status --url", "--url needs a value")
	f("status --wait", "status does not take --wait, see gatewayctl status --help")
	f("weights reset --all=maybe", "--all takes no value")
	f("status now", `status: unexpected argument "now"`)
	f("weights set", "weights set: MODEL is missing")
	f("weights set demo", "weights set: ENDPOINT=WEIGHT is missing")
	f("releases rollback", "releases rollback: RELEASE is missing")
	f("releases diff 1 2 3", `unexpected argument "3"`)
	f("nodes a b", `nodes: unexpected argument "b"`)
	if _, err := cli.Arrange([]string{"status", "--tokne=hunter2"}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a mistyped flag told its value: %v", err)
	}
}

// TestFlagsMeanOneThing holds what arrange relies on: it reads flags before it
// knows the command.
func TestFlagsMeanOneThing(t *testing.T) {
	for name, kinds := range cli.FlagKinds() {
		if len(slices.Compact(kinds)) != 1 {
			t.Errorf("--%s is taken in different ways: %q", name, kinds)
		}
	}
}

func FuzzArrange(f *testing.F) {
	f.Add("weights\x00set\x00demo\x00a=1\x00--wait\x005s")
	f.Add("-ojson\x00--\x00--help")
	f.Add("--reason\x00-\x00help\x00\x00-o")
	f.Fuzz(func(t *testing.T, typed string) {
		got, err := cli.Arrange(strings.Split(typed, "\x00"))
		if err != nil {
			return
		}
		again, err := cli.Arrange(got[1:])
		if err != nil || !slices.Equal(got, again) {
			t.Errorf("%q became %q, that became %q, %v", typed, got, again, err)
		}
	})
}

func TestNearest(t *testing.T) {
	f := func(typed, want string) {
		t.Helper()
		if got := cli.Nearest(typed, []string{"status", "models", "nodes", "keys"}); got != want {
			t.Errorf("%q is near %q, want %q", typed, got, want)
		}
	}
	f("sttaus", "status")
	f("node", "nodes")
	f("model", "models")
	f("xyz", "")
	f("", "")
}

// words splits a line as a shell does, with single quotes.
func words(t *testing.T, text string) []string {
	t.Helper()
	var out []string
	var word strings.Builder
	open, quoted := false, false
	for _, r := range text {
		switch {
		case r == '\'':
			quoted, open = !quoted, true
		case r == ' ' && !quoted:
			if open {
				out = append(out, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if quoted {
		t.Fatalf("a quote is not closed: %s", text)
	}
	if open {
		out = append(out, word.String())
	}
	return out
}
