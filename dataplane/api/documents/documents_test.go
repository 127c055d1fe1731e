package documents_test

import (
	"encoding/json"
	"testing"

	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/documents"
)

// The answer's usage has the gateway's cost, whatever the upstream's has.
func TestTheCostIsInTheUsage(t *testing.T) {
	for _, usage := range []string{`{}`, `{ }`, `{"total_tokens":7}`, `{"cost":9,"total_tokens":7}`} {
		tr := documents.Rerank().New()
		if _, err := tr.Decoder(nil).Body([]byte(`{"results":[],"usage":`+usage+`}`), nil); err != nil {
			t.Fatal(err)
		}
		var got struct{ Usage map[string]float64 }
		body := tr.Append(nil, api.Head{ID: "gen-1", Model: "m"}, &api.Total{Cost: "0.5"})
		if err := json.Unmarshal(body, &got); err != nil || got.Usage["cost"] != 0.5 {
			t.Errorf("%s: %s, %v", usage, body, err)
		}
	}
}

// What a client sends is a request or an error, and what an upstream answers
// becomes JSON or an error.
func FuzzDocuments(f *testing.F) {
	f.Add(true, []byte(`{"model":"m","query":"q","documents":["a",{"text":"b"}],"top_n":2}`), []byte(`{"results":[{"index":0,"relevance_score":0.5}],"usage":{"total_tokens":7}}`))
	f.Add(false, []byte(`{"model":"m","prompt":"p","n":1,"size":"1024x1024"}`), []byte(`{"created":1,"data":[{"b64_json":"AA=="}],"usage":{"input_tokens":1,"output_tokens":2}}`))
	f.Fuzz(func(t *testing.T, rerank bool, request, answer []byte) {
		language := documents.Images()
		if rerank {
			language = documents.Rerank()
		}
		tr := language.New()
		_ = tr.Parse(request, nil)
		if _, err := tr.Decoder(nil).Body(answer, nil); err != nil {
			return
		}
		body := tr.Append(nil, api.Head{ID: "gen-1", Model: "m"}, &api.Total{Cost: "0.5"})
		if !json.Valid(body) {
			t.Fatalf("%s becomes %s", answer, body)
		}
	})
}
