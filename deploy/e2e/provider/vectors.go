package provider

import (
	"fmt"
	"net/http"
	"strings"
)

// vectors answers embeddings with arrays of numbers, also where base64 is
// asked for, as many servers do.
type vectors struct{}

// Vector is the embedding of every input. Its values are exact in 32 bits.
const Vector = "0.5,-1.25,3,0.0078125"

func (vectors) answer(w http.ResponseWriter, r *request, c *complaints) {
	c.want("path", r.URL.Path, "/v1/embeddings")
	c.want("authorization", r.Header.Get("Authorization"), "Bearer "+Key(r.kind))
	c.want("model", text(r.body, "model"), Model(r.kind))
	inputs := list(r.body, "input")
	if _, ok := r.body["input"].(string); ok {
		inputs = []any{r.body["input"]}
	}
	if len(inputs) == 0 {
		c.sayf("input is missing")
	}
	var data []string
	for i := range inputs {
		data = append(data, fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":[%s]}`, i, Vector))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"object":"list","model":"upstream","data":[%s],"usage":{"prompt_tokens":6,"total_tokens":6}}`, strings.Join(data, ","))
}
