package rawjson_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/rawjson"
)

func TestRanges(t *testing.T) {
	f := func(in, elements, members string) {
		t.Helper()
		var got []string
		for e := range rawjson.Elements([]byte(in)) {
			got = append(got, string(e))
		}
		if text := strings.Join(got, " "); text != elements {
			t.Errorf("elements of %s: %s, want %s", in, text, elements)
		}
		got = nil
		for k, v := range rawjson.Members([]byte(in)) {
			got = append(got, string(k)+"="+string(v))
		}
		if text := strings.Join(got, " "); text != members {
			t.Errorf("members of %s: %s, want %s", in, text, members)
		}
	}
	f(`[1, "a,b" ,{"c":[2]}]`, `1 "a,b" {"c":[2]}`, "")
	f(`{"a": 1, "b" : [2,3] }`, "", "a=1 b=[2,3]")
	f(`[]`, "", "")
	f(`{}`, "", "")
	f(`null`, "", "")
	f(``, "", "")
}

// Who has seen enough stops in the middle.
func TestRangesEndEarly(t *testing.T) {
	for e := range rawjson.Elements([]byte(`[1,2,3]`)) {
		if string(e) == "2" {
			break
		}
		if string(e) == "3" {
			t.Error("went on")
		}
	}
	for k := range rawjson.Members([]byte(`{"a":1,"b":2}`)) {
		if string(k) == "b" {
			t.Error("went on")
		}
		break
	}
}
