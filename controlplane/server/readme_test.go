package server_test

import (
	"os"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// TestReadmeListsTheAPI holds the table to what the API itself lists.
func TestReadmeListsTheAPI(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(text)
	var index struct{ Paths map[string][]string }
	p.call("GET", "/", "", 200, &index)
	count := 0
	for path, methods := range index.Paths {
		for _, method := range methods {
			count++
			if !strings.Contains(readme, "| `"+method+" "+path+"` |") {
				t.Errorf("%s %s is not in the table", method, path)
			}
		}
	}
	if rows := strings.Count(readme, "\n| `GET ") + strings.Count(readme, "\n| `P") + strings.Count(readme, "\n| `DELETE "); rows != count {
		t.Errorf("the table has %d rows, the API %d methods", rows, count)
	}
}
