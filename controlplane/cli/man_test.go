package cli_test

import (
	"strings"
	"testing"
)

// The manual page has every command with its examples, and the flags of all
// commands once.
func TestManualPage(t *testing.T) {
	page := runWith(t, nil, "man")
	if page.code != 0 || !strings.HasPrefix(page.stdout, ".nh\n.TH gatewayctl 1") {
		t.Fatalf("exit %d: %.200s", page.code, page.stdout)
	}
	for _, want := range []string{"gatewayctl keys create --name build-farm", "gatewayctl weights set MODEL ENDPOINT=WEIGHT", "\\fB--rpm\\fP", ".SH status"} {
		if !strings.Contains(page.stdout, want) {
			t.Errorf("it does not have %q", want)
		}
	}
	if n := strings.Count(page.stdout, "\\fB--timeout\\fP"); n != 1 {
		t.Errorf("--timeout is there %d times, want once", n)
	}
}
