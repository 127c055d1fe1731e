package adaptertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
)

// Encode builds the provider's request from a client's.
func Encode(t testing.TB, a codec.Adapter, client []byte) *codec.Call {
	t.Helper()
	var r chat.Request
	if err := r.Parse(client); err != nil {
		t.Fatalf("client request: %v", err)
	}
	var call codec.Call
	if err := a.Encode(&r, &call); err != nil {
		t.Fatalf("Encode: %v", err)
	}
	return &call
}

// checkRequest compares the request that the adapter builds with the recorded one.
func checkRequest(t *testing.T, a codec.Adapter, c Case, want Want) {
	t.Helper()
	client := []byte(want.Client)
	if want.Client == "=" {
		client = c.Request
	}
	if c.Request == nil {
		t.Fatal("Client is given, but the case has no request")
	}
	call := Encode(t, a, client)
	diffs, err := Compare(c.Request, call.Body)
	if err != nil {
		t.Fatalf("%v\n%s", err, call.Body)
	}
	met := map[string]bool{}
	for _, d := range diffs {
		if d.Path == "stream" && d.Want == false && d.Got == (missing{}) {
			continue // the default, spelled out
		}
		if at := slices.IndexFunc(want.Differs, d.below); at >= 0 {
			met[want.Differs[at]] = true
			continue
		}
		t.Errorf("request: %s", d)
	}
	for _, path := range want.Differs {
		if !met[path] {
			t.Errorf("request: %s does not differ, though it is listed", path)
		}
	}
	dropped := call.Dropped.Names()
	if !slices.Equal(dropped, want.Dropped) {
		t.Errorf("dropped %q, want %q", dropped, want.Dropped)
	}
}

// Diff is one difference between two JSON documents.
type Diff struct {
	// Path is like "messages[0].content", "" for the document itself.
	Path      string
	Want, Got any
}

func (d Diff) String() string {
	return fmt.Sprintf("%s: got %s, want %s", d.Path, text(d.Got), text(d.Want))
}

type missing struct{}

func text(v any) string {
	if _, ok := v.(missing); ok {
		return "nothing"
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// below reports whether a listed path covers the difference.
func (d Diff) below(path string) bool {
	rest, ok := strings.CutPrefix(d.Path, path)
	if !ok {
		rest, ok = strings.CutPrefix(anyIndex(d.Path), path)
	}
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// anyIndex turns tools[3] into tools[].
func anyIndex(path string) string {
	return regexp.MustCompile(`\[\d+\]`).ReplaceAllString(path, "[]")
}

// Compare returns in which members two JSON documents differ. The order of
// members and the way in which numbers are written do not count.
func Compare(want, got []byte) ([]Diff, error) {
	var w, g any
	if err := json.Unmarshal(bytes.TrimSpace(want), &w); err != nil {
		return nil, fmt.Errorf("the recorded request: %w", err)
	}
	if err := json.Unmarshal(got, &g); err != nil {
		return nil, fmt.Errorf("the built request: %w", err)
	}
	return compare(nil, "", w, g), nil
}

func compare(out []Diff, path string, want, got any) []Diff {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return compareObjects(out, path, w, g)
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			for i := range w {
				out = compare(out, fmt.Sprintf("%s[%d]", path, i), w[i], g[i])
			}
			return out
		}
	}
	if !reflect.DeepEqual(want, got) {
		out = append(out, Diff{strings.TrimPrefix(path, "."), want, got})
	}
	return out
}

func compareObjects(out []Diff, path string, want, got map[string]any) []Diff {
	keys := slices.Sorted(maps.Keys(want))
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[k]; !ok {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		w, inWant := want[k]
		g, inGot := got[k]
		if !inWant {
			w = missing{}
		}
		if !inGot {
			g = missing{}
		}
		out = compare(out, path+"."+k, w, g)
	}
	return out
}
