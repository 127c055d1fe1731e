package adaptertest

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/codec"
)

// checkBody decodes a unary answer, unchanged, behind the white space
// that servers send to keep a connection alive, and cut.
func checkBody(t *testing.T, a codec.Adapter, c Case, want Want) {
	full := Body(a, c.Body)
	checkFault(t, full.Err, want, 200)
	checkAnswer(t, full.Answer, want)
	checkRules(t, full)
	if full.Err == nil && !full.Done {
		t.Error("a unary answer does not end with Done")
	}
	if got := Body(a, slices.Concat([]byte("\n\n   \r\n"), c.Body, []byte("\n"))); !slices.Equal(got.Events, full.Events) {
		t.Errorf("behind white space: %s\nwant: %s", strings.Join(got.Events, "\n"), strings.Join(full.Events, "\n"))
	}
	body := bytes.TrimSpace(c.Body)
	for n := range body {
		if tr := Body(a, body[:n]); tr.Err == nil {
			t.Fatalf("the first %d of %d bytes pass for a unary answer", n, len(body))
		}
	}
}
