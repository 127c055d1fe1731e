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
