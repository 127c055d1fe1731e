package cli_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/hybridinference/gateway/controlplane/cli"
	"github.com/hybridinference/gateway/controlplane/natssetup"
)

// FuzzYAML reads the YAML of any JSON back and compares.
func FuzzYAML(f *testing.F) {
	f.Add(`{"a":["yes","1","","null","~","2030-01-02","- x","a: b","#","\u0085\u2028\ufeff"],"y":null,"n":1.5,"":{},"on":[],"1e3":true}`)
	f.Add(`[[["\n\t \\ \" '"]],{"<<":{"a":1}},"日本 \ud83d\ude00"]`)
	f.Fuzz(func(t *testing.T, text string) {
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			return
		}
		var out bytes.Buffer
		if err := cli.WriteYAML(&out, value); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var back any
		if err := yaml.Unmarshal(out.Bytes(), &back); err != nil {
			t.Fatalf("%q became %q: %v", text, out.String(), err)
		}
		if got, want := normal(t, back), normal(t, value); !reflect.DeepEqual(got, want) {
			t.Errorf("%q became\n%s\nwhich is %#v, not %#v", text, out.String(), got, want)
		}
	})
}

// normal writes a value as JSON and reads it, so that numbers have one type.
func normal(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryCommandTakesOutput asks each command for help and for JSON.
func TestEveryCommandTakesOutput(t *testing.T) {
	a := newAdmin(t)
	natsDir := t.TempDir()
	if _, err := natssetup.Write(natssetup.Options{Dir: natsDir, Hosts: []string{"localhost"}}); err != nil {
		t.Fatal(err)
	}
	arguments := map[string]string{
		"operators create": "--name ada --role operator", "operators rotate": "grafana", "operators revoke": "grafana", "sessions revoke": "ada",
		"limits set": "--rpm 5", "teams create": "--name search", "teams show": "search", "teams update": "search --owner ada", "teams delete": "search",
		"weights set": "demo demo-api=1", "weights reset": "demo", "policy set": "demo latency", "policy reset": "demo", "rollout start": "demo --to demo-api", "rollout pause": "demo", "rollout resume": "demo", "rollout abort": "demo", "rollout finish": "demo", "releases show": "1", "releases diff": "2", "prices diff": "2", "prices reprice": "--since 7d", "releases rollback": "1",
		"keys create": "--name x", "keys show": "KEY_ID", "keys revoke": "KEY_ID", "keys disable": "KEY_ID", "keys enable": "KEY_ID", "keys update": "KEY_ID --role pro", "keys rotate": "KEY_ID", "keys import": "-",
		"nodes show": "node-1", "endpoints disable": "demo:demo-api", "endpoints enable": "demo:demo-api", "explain": "demo", "shadow report": "demo", "deadletters replay": "--all", "deadletters drop": "7", "erase": "--user alice --yes", "reconcile": "testdata/bill.csv --provider DeepSeek", "logs export": "", "logs content": "gen-1893553445-a", "logs show": "gen-1893553445-a", "nats setup": "--dir " + t.TempDir(), "nats renew": "--dir " + natsDir, "completion": "bash",
		"import litellm": "testdata/config.yaml", "import openrouter-catalog": "testdata/models.json", "import prices": "testdata/models.json --models testdata/whole.yaml --dry-run", "import python-env": "testdata/old.env", "validate": "--models testdata/whole.yaml",
	}
	for _, command := range cli.Runnable() {
		typed := slices.Concat(strings.Fields(command), strings.Fields(arguments[command]))
		if r := runWith(t, a.vars(), append(typed, "--help")...); r.code != 0 || !strings.Contains(r.stdout, "--output FORMAT, -o FORMAT") {
			t.Errorf("%s --help: exit %d, %s", command, r.code, r.stdout)
		}
		r := runWith(t, a.vars(), append(typed, "-o", "json")...)
		if r.code != 0 || !json.Valid([]byte(r.stdout)) {
			t.Errorf("%s -o json: exit %d, %q, %q", command, r.code, r.stdout, r.stderr)
		}
	}
}

func TestPrintable(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := cli.Printable(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	f("plain ä 日本", "plain ä 日本")
	f("a\x1b[2Jb\nc\x00\x7f", `a\u001b[2Jb\u000ac\u0000\u007f`)
	f("right\u202eleft", `right\u202eleft`)
	f("broken\xff", "broken\xff")
}

// What clients have written never runs as a formula in a spreadsheet.
func TestCSVIsSafe(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "plain", "=cmd()": "'=cmd()", "+1+1": "'+1+1", "@SUM(A1)": "'@SUM(A1)", "-2+3": "'-2+3", "-1.5": "-1.5", "+5": "+5",
		"\t=1": `'\u0009=1`, "a\r\nb": `a\u000d\u000ab`, "a=b": "a=b",
	} {
		if got := cli.CSVCell(text); got != want {
			t.Errorf("%q is written as %q, want %q", text, got, want)
		}
	}
	a := newAdmin(t)
	r := runWith(t, a.vars(), strings.Fields("usage --by key,day --since 2030-05-01 --until 2030-06-01 --zone Asia/Kolkata -o csv")...)
	want := "key,key_name,day,request_count,error_count,prompt_tokens,completion_tokens,reasoning_tokens,cache_read_tokens,cache_write_tokens,total_tokens,cost_usd\n" +
		"k_1,,2030-05-01,2,0,0,0,0,0,0,0,0.1\n'=cmd(),,2030-05-01,1,0,0,0,0,0,0,0,-0.000000000001\n"
	if r.code != 0 || r.stdout != want {
		t.Errorf("exit %d, %q, %q; want %q", r.code, r.stdout, r.stderr, want)
	}
	if r := runWith(t, a.vars(), strings.Fields("stats --by endpoint --sort p95 -o csv")...); r.code != 0 || !strings.HasPrefix(strings.SplitAfterN(r.stdout, "\n", 2)[1], "demo:b,3,") {
		t.Errorf("exit %d, %q, %q; want the slower endpoint first", r.code, r.stdout, r.stderr)
	}
	if r := runWith(t, a.vars(), "status", "-o", "csv"); r.code != 2 {
		t.Errorf("a single thing as CSV: exit %d, %q", r.code, r.stderr)
	}
}
