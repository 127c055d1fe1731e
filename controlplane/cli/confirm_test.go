package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/cli"
)

func TestApplyAsksBeforeModelsAreRemovedOrDoubled(t *testing.T) {
	f := func(before, after, removed, input string, terminal bool, args []string, code int, said string, requests int) {
		t.Helper()
		a := newAdmin(t)
		a.say("POST apply", answer{200, `{"release":12,"changed":true,"nodes":[],"changes":[],"warnings":[],"models_before":` + before +
			`,"models_after":` + after + `,"removed_models":[` + removed + `]}`})
		var stdout, stderr bytes.Buffer
		got := cli.Run(t.Context(), cli.Options{
			Args: append([]string{"apply"}, args...), Stdin: strings.NewReader(input), StdinTerminal: terminal, Stdout: &stdout, Stderr: &stderr, Env: lookup(a.vars()),
		})
		seen := a.requests()
		if got != code || !strings.Contains(stderr.String(), said) || len(seen) != requests {
			t.Errorf("%s -> %s, %q to %q: exit %d %q, requests %q", before, after, input, args, got, stderr.String(), seen)
		}
		if requests == 2 && said != "" && !strings.Contains(seen[1], `"if_release":12`) {
			t.Errorf("another release than the confirmed one may be changed: %s", seen[1])
		}
	}
	f("3", "3", ``, "", false, nil, cli.ExitOK, "", 2)
	f("3", "2", `"glm"`, "", false, nil, cli.ExitFailed, "removes 1 of 3 models: glm; nothing was changed, repeat the command with --yes", 1)
	f("3", "2", `"glm"`, "", false, []string{"--yes"}, cli.ExitOK, "", 1)
	f("3", "2", `"glm"`, "y\n", true, nil, cli.ExitOK, "This removes 1 of 3 models: glm. Apply it? [y/N]", 2)
	f("3", "2", `"glm"`, "\n", true, nil, cli.ExitFailed, "not confirmed; nothing was changed", 1)
	f("3", "2", `"glm"`, "", true, nil, cli.ExitFailed, "not confirmed", 1)
	f("3", "6", ``, "", false, nil, cli.ExitOK, "", 2)
	f("3", "7", ``, "", false, nil, cli.ExitFailed, "more than doubles the models, from 3 to 7", 1)
	f("0", "7", ``, "", false, nil, cli.ExitOK, "", 2)
}
