package testcount_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/testcount"
)

// run makes a module of the files and lets the real go command test it.
func run(t *testing.T, skipFails bool, files map[string]string) (string, bool) {
	t.Helper()
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "")
	folder := t.TempDir()
	files["go.mod"] = "module tested\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return count(t, testcount.Options{
		Command:   []string{"go", "test", "-C", folder, "-json", "./..."},
		Limit:     time.Minute,
		SkipFails: skipFails,
	})
}

func count(t *testing.T, opts testcount.Options) (string, bool) {
	t.Helper()
	var out bytes.Buffer
	opts.Out = &out
	ok := testcount.Run(t.Context(), opts)
	return out.String(), ok
}

// expect checks the verdict, the last line, and that the report has the given texts.
func expect(t *testing.T, out string, ok, wantOK bool, last string, has ...string) {
	t.Helper()
	if ok != wantOK {
		t.Errorf("ok = %v, want %v", ok, wantOK)
	}
	if !strings.HasSuffix(out, "\n"+last+"\n") && out != last+"\n" {
		t.Errorf("the last line is not %q", last)
	}
	for _, text := range has {
		if !strings.Contains(out, text) {
			t.Errorf("the report lacks %q", text)
		}
	}
	if t.Failed() {
		t.Logf("report:\n%s", out)
	}
}

const header = "package p_test\n\nimport (\n\t\"fmt\"\n\t\"testing\"\n)\n\nvar _ = fmt.Sprint\n\n"

func TestPassingTestsAreCountedAndSilent(t *testing.T) {
	out, ok := run(t, true, map[string]string{"p/p_test.go": header + `
func TestParent(t *testing.T) {
	t.Log("chatter")
	t.Run("child", func(t *testing.T) {})
}`})
	expect(t, out, ok, true, "2 passed, 0 failed", "ok   tested/p  2 passed, 0 failed")
	if strings.Contains(out, "chatter") {
		t.Errorf("the output of a passing test is shown:\n%s", out)
	}
}

func TestFixtureTalliesAreShown(t *testing.T) {
	out, ok := run(t, true, map[string]string{"p/p_test.go": header + `
func TestPrinted(t *testing.T) { fmt.Println("fixtures: printed 1/1 cases passed") }
func TestLogged(t *testing.T) { t.Log("result: logged 2/2 cases passed") }
func TestWritten(t *testing.T) { fmt.Fprintln(t.Output(), "fixtures: written 3/3 cases passed") }`})
	expect(t, out, ok, true, "3 passed, 0 failed",
		"fixtures: printed 1/1 cases passed\n", "result: logged 2/2 cases passed\n", "fixtures: written 3/3 cases passed\n")
}

func TestFailureShowsItsOutput(t *testing.T) {
	out, ok := run(t, true, map[string]string{
		"p/p_test.go": header + `
func TestGood(t *testing.T) {}
func TestBad(t *testing.T) {
	fmt.Println("printed before")
	t.Error("what was wrong")
}`,
		"q/q_test.go": header + `func TestOther(t *testing.T) {}`,
	})
	expect(t, out, ok, false, "2 passed, 1 failed",
		"tested/p TestBad\n", "printed before", "what was wrong", "FAIL tested/p  1 passed, 1 failed", "ok   tested/q")
}

func TestBrokenBuildIsOneFailure(t *testing.T) {
	out, ok := run(t, true, map[string]string{
		"p/p.go":      "package p\n\nvar x int = undefined\n",
		"p/p_test.go": header + `func TestNever(t *testing.T) {}`,
		"q/q_test.go": header + `func TestOther(t *testing.T) {}`,
	})
	expect(t, out, ok, false, "1 passed, 1 failed", "undefined: undefined", "FAIL tested/p")
}

func TestVetFindingIsOneFailure(t *testing.T) {
	out, ok := run(t, true, map[string]string{"p/p_test.go": header + `func TestX(t *testing.T) { fmt.Printf("%d", "x") }`})
	expect(t, out, ok, false, "0 passed, 1 failed", "wrong type")
}

func TestPanicCountsTheTestsItTookAlong(t *testing.T) {
	out, ok := run(t, true, map[string]string{"p/p_test.go": header + `
func TestGood(t *testing.T) {}
func TestPanics(t *testing.T) {
	go func() { panic("boom") }()
	select {}
}`})
	expect(t, out, ok, false, "1 passed, 1 failed", "TestPanics did not end", "panic: boom")
}

func TestExitOutsideOfATestIsOneFailure(t *testing.T) {
	out, ok := run(t, true, map[string]string{"p/p_test.go": "package p_test\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n" + `
func TestMain(m *testing.M) {
	m.Run()
	os.Exit(3)
}
func TestGood(t *testing.T) {}`})
	expect(t, out, ok, false, "1 passed, 1 failed", "FAIL tested/p")
}

const skipping = header + `
func TestGood(t *testing.T) {}
func TestSkips(t *testing.T) { t.Skip("no server here") }`

func TestSkipFailsWhereNothingMaySkip(t *testing.T) {
	out, ok := run(t, true, map[string]string{"p/p_test.go": skipping})
	expect(t, out, ok, false, "1 passed, 1 failed", "no server here", "FAIL tested/p", "1 skipped")
}

func TestSkipIsShownElsewhere(t *testing.T) {
	out, ok := run(t, false, map[string]string{"p/p_test.go": skipping})
	expect(t, out, ok, true, "1 passed, 0 failed", "no server here", "1 skipped")
}

func TestNoTestsIsAFailure(t *testing.T) {
	out, ok := run(t, true, map[string]string{"p/p.go": "package p\n"})
	expect(t, out, ok, false, "0 passed, 0 failed", "no test ran")
}

func TestFailingCommandIsAFailure(t *testing.T) {
	out, ok := count(t, testcount.Options{Command: []string{"sh", "-c", "echo to whom it may concern >&2; exit 4"}, Limit: time.Minute})
	expect(t, out, ok, false, "0 passed, 1 failed", "to whom it may concern", "exit status 4")
}

func TestMissingCommandIsAFailure(t *testing.T) {
	out, ok := count(t, testcount.Options{Command: []string{filepath.Join(t.TempDir(), "absent")}, Limit: time.Minute})
	expect(t, out, ok, false, "0 passed, 1 failed", "no such file")
}

func TestLimitStopsTheCommand(t *testing.T) {
	begin := time.Now()
	out, ok := count(t, testcount.Options{Command: []string{"sleep", "300"}, Limit: 50 * time.Millisecond})
	expect(t, out, ok, false, "0 passed, 1 failed", "stopped: it took more than 50ms")
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("it took %s to stop", took)
	}
}
