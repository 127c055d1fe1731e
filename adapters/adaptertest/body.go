package adaptertest

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/codec"
)

// checkBody decodes a non-streamed answer, as it is, behind the white space
// that servers send to keep a connection alive, and cut.
func checkBody(t *testing.T, a codec.Adapter, c Case, want Want) {
	whole := Body(a, c.Body)
	checkFault(t, whole.Err, want, 200)
	checkAnswer(t, whole.Answer, want)
	checkRules(t, whole)
	if whole.Err == nil && !whole.Done {
		t.Error("a whole answer does not end with Done")
	}
	if got := Body(a, slices.Concat([]byte("\n\n   \r\n"), c.Body, []byte("\n"))); !slices.Equal(got.Events, whole.Events) {
		t.Errorf("behind white space: %s\nwant: %s", strings.Join(got.Events, "\n"), strings.Join(whole.Events, "\n"))
	}
	body := bytes.TrimSpace(c.Body)
	for n := range body {
		if tr := Body(a, body[:n]); tr.Err == nil {
			t.Fatalf("the first %d of %d bytes pass for a whole answer", n, len(body))
		}
	}
}
