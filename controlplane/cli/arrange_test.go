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
		got := cli.Arrange(words(t, typed))
		if wanted := append([]string{"gatewayctl"}, words(t, want)...); !slices.Equal(got, wanted) {
			t.Errorf("%s\n got %q\nwant %q", typed, got, wanted)
		}
	}
	// before, between and after commands and arguments
	f("status", "status --")
	f("-o json status", "status --o=json --")
	f("weights -o json set --reason x demo demo-api=1", "weights set --o=json --reason=x -- demo demo-api=1")
	f("weights set demo demo-api=1 --wait --reason x", "weights set --wait --reason=x -- demo demo-api=1")
	f("--reason set weights set demo a=1", "weights set --reason=set -- demo a=1")

	// --wait with and without a value
	f("weights set demo demo-api=1 --wait 5s", "weights set --wait=5s -- demo demo-api=1")
	f("weights set demo demo-api=1 --wait=5", "weights set --wait=5 -- demo demo-api=1")
	f("weights set --wait demo demo-api=1", "weights set --wait -- demo demo-api=1")
	f("--wait weights set demo demo-api=1", "weights set --wait -- demo demo-api=1")
	f("releases rollback --wait 12", "releases rollback --wait -- 12")
	f("releases rollback --wait 1m 12", "releases rollback --wait=1m -- 12")
	f("apply --wait", "apply --wait --")
	f("apply --wait --dry-run", "apply --wait --dry-run --")

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
	f("weights set -o yaml -- demo -a=1 --wait", "weights set --o=yaml -- demo -a=1 --wait")
	f("nodes -", "nodes -- -")

	// spellings of a flag
	f("status -ojson", "status --o=json --")
	f("status -o=json", "status --o=json --")
	f("status -output json", "status --output=json --")
	f("status -o table -o json", "status --o=table --o=json --")
	f("weights reset --all=false demo", "weights reset --all=false -- demo")
	f("endpoint list", "endpoints list --")

	// help and version
	f("help", "--help --")
	f("help weights set", "weights set --help")
	f("weights --help", "weights --help --")
	f("weights set demo -h", "weights set --help")
	f("", "--")
	f("--version", "--version --")

	// what the library is to complain about
	f("weights sett --wait demo", "weights --wait -- sett demo")
	f("status --url", "status --url")
	f("status --frobnicate x", "status --frobnicate -- x")
}

func TestWrongLines(t *testing.T) {
	a := newAdmin(t)
	f := func(typed, want string) {
		t.Helper()
		r := runWith(t, a.vars(), words(t, typed)...)
		if r.code != cli.ExitUsage || r.stdout != "" || r.stderr != "gatewayctl: "+want+"\n" {
			t.Errorf("%s: exit %d, %q, want %q", typed, r.code, r.stderr, want)
		}
	}
	f("stauts", `unknown command "stauts". Did you mean "status"? See gatewayctl --help`)
	f("weights sett", `unknown command "weights sett". Did you mean "set"? See gatewayctl weights --help`)
	f("frobnicate", `unknown command "frobnicate". See gatewayctl --help`)
	f("help frobnicate", "No help topic for 'frobnicate'")
	f("weights", "a command is missing, see gatewayctl weights --help")
	f("-o json", "a command is missing, see gatewayctl --help")
	f("status --outptu json", `unknown flag --outptu. Did you mean "--output"? See gatewayctl status --help`)
	f("status --frobnicate=hunter2", "unknown flag --frobnicate. See gatewayctl status --help")
	f("status -x", "unknown flag -x. See gatewayctl status --help")
	f("status --tokne=hunter2", `unknown flag --tokne. Did you mean "--token"? See gatewayctl status --help`)
	f("status --url", "status: flag needs an argument: -url")
	f("status --wait", "unknown flag --wait. See gatewayctl status --help")
	f("weights reset --all=maybe", `weights reset: invalid value "maybe" for -all: parse error`)
	f("weights set demo a=1 --wait=soon", `weights set: invalid value "soon" for -wait: must be seconds or a duration such as 500ms or 2m, at most 10m0s`)
	f("status now", `status: unexpected argument "now", see gatewayctl status --help`)
	f("weights set", "weights set: MODEL is missing, see gatewayctl weights set --help")
	f("weights set demo", "weights set: ENDPOINT=WEIGHT is missing, see gatewayctl weights set --help")
	f("releases diff 1 2 3", `releases diff: unexpected argument "3", see gatewayctl releases diff --help`)
	f("nodes a b", `nodes: unexpected argument "b", see gatewayctl nodes --help`)
	f("usage --by colour", `usage: invalid value "colour" for flag -by: must be some of model, provider, endpoint, node, key, user, team, hour, day, week, month, separated by commas`)
	f("usage --since yesterday", `usage: invalid value "yesterday" for flag -since: must be a time such as 2030-01-31T00:00:00Z, a date, a duration back such as 90m or 7d, or all`)
	f("usage --zone Mars", `usage: invalid value "Mars" for flag -zone: must be an IANA time zone such as Asia/Kolkata`)
	f("logs search --until soon", `logs search: invalid value "soon" for flag -until: must be a time such as 2030-01-31T00:00:00Z, a date, a duration back such as 90m or 7d`)
	f("logs show", "logs show: ID is missing, see gatewayctl logs show --help")
	f("keys create --name x --role king", `keys create: invalid value "king" for flag -role: must be one of free, pro, internal, admin, management`)
	f("audit --limit 0", `audit: invalid value "0" for flag -limit: must be an integer from 1 to 1000`)
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
		got := cli.Arrange(strings.Split(typed, "\x00"))
		if again := cli.Arrange(got[1:]); !slices.Equal(got, again) {
			t.Errorf("%q became %q, that became %q", typed, got, again)
		}
	})
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
