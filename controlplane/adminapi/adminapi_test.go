package adminapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

// travel encodes a request as the client does and decodes it as the server does.
func travel[In, Out any](t *testing.T, o adminapi.Operation[In, Out], in In) {
	t.Helper()
	sent, err := adminapi.Encode(o.Description, in)
	if err != nil {
		t.Fatal(err)
	}
	var got In
	var failure error
	mux := http.NewServeMux()
	mux.HandleFunc(o.Method+" "+o.Path, func(_ http.ResponseWriter, r *http.Request) { failure = adminapi.Decode(r, o.Description, &got) })
	r := httptest.NewRequestWithContext(t.Context(), o.Method, sent.Path+"?"+sent.Query.Encode(), strings.NewReader(string(sent.Body)))
	r.Header = sent.Header
	mux.ServeHTTP(httptest.NewRecorder(), r)
	if failure != nil || !reflect.DeepEqual(got, in) {
		t.Errorf("%s %s arrived as %+v (%v), want %+v", o.Method, o.Path, got, failure, in)
	}
}

func TestARequestArrivesAsItWasSent(t *testing.T) {
	change := adminapi.Change{Reason: "why", WaitMS: 5, IfRelease: 3, ByAuthor: adminapi.ByAuthor{Author: "alice"}}
	travel(t, adminapi.SetWeights(), adminapi.WeightChange{Change: change, Model: "m", Weights: map[string]float64{"a": 0.5}})
	travel(t, adminapi.ResetWeights(), adminapi.WeightReset{Model: "m"})
	travel(t, adminapi.RollBack(), adminapi.Rollback{ByNumber: adminapi.ByNumber{Number: 7}, Change: change})
	travel(t, adminapi.GetNode(), adminapi.ByID{ID: "a/b .."})
	travel(t, adminapi.GetStats(), adminapi.StatsQuery{Model: "m&n", Hours: 3, By: "node"})
	travel(t, adminapi.ListLogs(), adminapi.LogQuery{Errors: true, Limit: 9, Session: "é", Shadow: "with"})
	travel(t, adminapi.ApplyFiles(), adminapi.Application{Change: adminapi.Change{DryRun: true}, Models: new("")})
	travel(t, adminapi.ChangeKey(), adminapi.KeyPatch{
		ByID: adminapi.ByID{ID: "k"}, KeyUpdate: adminapi.KeyUpdate{Name: new("n"), Models: &[]string{}}, KeyChange: adminapi.KeyChange{WaitMS: new(int64(0))},
	})
	travel(t, adminapi.CreateKey(), adminapi.KeyCreation{KeySpec: adminapi.KeySpec{Name: "n"}, Idempotency: adminapi.Idempotency{IdempotencyKey: "once"}})
	travel(t, adminapi.DropDeadLetters(), adminapi.LetterChange{IDs: []uint64{1 << 60}})
}

func TestRequestsAreChecked(t *testing.T) {
	f := func(method, target, body string, header http.Header, want string) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		r.Header = header
		var err error
		if method == http.MethodGet {
			err = adminapi.Decode(r, adminapi.ListLogs().Description, &adminapi.LogQuery{})
		} else {
			err = adminapi.Decode(r, adminapi.SetWeights().Description, &adminapi.WeightChange{})
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s %s %s: %v, want %s", method, target, body, err, want)
		}
	}
	f("GET", "/?limit=0", "", nil, `parameter limit must be an integer from 1 to 1000, got "0"`)
	f("GET", "/?limit=1&limit=2", "", nil, `parameter "limit" is specified 2 times`)
	f("GET", "/?errors=yes", "", nil, `parameter errors must be true or false, got "yes"`)
	f("PUT", "/?x=1", "", nil, `unknown parameter "x"; known are dry_run`)
	f("PUT", "/", `{"wait_ms":600001}`, nil, "wait_ms must be from 0 to 600000")
	f("PUT", "/", `{"if_release":-1}`, nil, "if_release must be an integer from 0, got number -1")
	f("PUT", "/", `{"reason":"\u0007"}`, nil, "reason must not contain control characters")
	f("PUT", "/", `{}`, http.Header{"X-Gateway-Author": {strings.Repeat("x", 201)}}, "header X-Gateway-Author must have at most 200 bytes")
}

// members lists the members that a type has in JSON, found by writing a value
// in which nothing is empty.
func members(t *testing.T, v reflect.Value) map[string]any {
	t.Helper()
	populate(v, 0)
	text, err := json.Marshal(v.Interface())
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		return nil // a list, or no object at all
	}
	return out
}

// populate gives every field a value other than its zero.
func populate(v reflect.Value, depth int) {
	if depth > 8 {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		populate(v.Elem(), depth+1)
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint64:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes([]byte("1"))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		populate(v.Index(0), depth+1)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
			return
		}
		for _, f := range v.Fields() {
			populate(f, depth+1)
		}
	default:
	}
}

// The document's components have exactly the members that encoding/json writes.
func TestTheDocumentHasEveryField(t *testing.T) {
	text, err := adminapi.Document([]adminapi.Typed{
		adminapi.SetWeights().Typed(), adminapi.RotateKey().Typed(), adminapi.GetStatus().Typed(), adminapi.GetLedger().Typed(), adminapi.ApplyFiles().Typed(),
		adminapi.GetRelease().Typed(), adminapi.GetStats().Typed(), adminapi.ImportKeys().Typed(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any
				Required   []string
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for name, zero := range map[string]any{
		"WeightChange": &adminapi.WeightChange{}, "KeyRotation": &adminapi.KeyRotation{}, "RotatedKey": &adminapi.RotatedKey{}, "Status": &adminapi.Status{},
		"Ledger": &adminapi.Ledger{}, "Balance": &adminapi.Balance{}, "Application": &adminapi.Application{}, "ApplyResult": &adminapi.ApplyResult{},
		"Stats": &adminapi.Stats{}, "StatsRow": &adminapi.StatsRow{}, "ImportedKey": &adminapi.ImportedKey{}, "NodeResult": &adminapi.NodeResult{},
	} {
		want := members(t, reflect.ValueOf(zero).Elem())
		schema, known := doc.Components.Schemas[name]
		if !known {
			t.Errorf("the document has no %s", name)
		}
		for member := range want {
			if _, ok := schema.Properties[member]; !ok {
				t.Errorf("%s: %s is not in the document", name, member)
			}
		}
		if len(schema.Properties) != len(want) {
			t.Errorf("%s: the document has %d members, JSON %d", name, len(schema.Properties), len(want))
		}
	}
	if _, clash := doc.Components.Schemas["WireSnapshot"]; !clash {
		t.Error("types of other packages are not told apart")
	}
}

func TestListsAreNeverNull(t *testing.T) {
	out := []adminapi.Endpoint{{}}
	adminapi.FillLists(&out)
	ledger := adminapi.Ledger{}
	adminapi.FillLists(&ledger)
	if out[0].Nodes == nil || ledger.Gaps == nil || ledger.Sinks == nil {
		t.Errorf("%+v, %+v", out, ledger)
	}
	var none []adminapi.Key
	if adminapi.FillLists(&none); none == nil {
		t.Error("no list at all")
	}
}
