package documents

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/shared/rawjson"
)

const (
	maxDocuments = 10_000
	maxImages    = 10
)

// Rerank returns POST rerank.
func Rerank() *api.Language {
	k := &kind{name: "rerank", path: "rerank", required: []string{"query", "documents"}, prompt: "documents", results: "results", check: checkRerank}
	return k.language()
}

func checkRerank(name string, val []byte) error {
	switch name {
	case "query":
		if val[0] != '"' && val[0] != rawjson.Object {
			return invalid("query: must be a string")
		}
	case "documents":
		n := 0
		if val[0] != rawjson.Array {
			return invalid("documents: must be a non-empty array")
		}
		for item := range rawjson.Elements(val) {
			if n++; item[0] != '"' && item[0] != rawjson.Object {
				return invalid("documents[%d]: must be a string or an object", n-1)
			}
		}
		if n == 0 || n > maxDocuments {
			return invalid("documents: must have from 1 to %d elements, got %d", maxDocuments, n)
		}
	case "top_n":
		if n, ok := chat.Integer(val); !ok || n < 1 {
			return invalid("top_n: must be an integer of at least 1")
		}
	case "return_documents":
		if val[0] != 't' && val[0] != 'f' {
			return invalid("return_documents: must be true or false")
		}
	}
	return nil
}

// Images returns POST images/generations.
func Images() *api.Language {
	k := &kind{name: "images", path: "images/generations", required: []string{"prompt"}, prompt: "prompt", results: "data", images: true, check: checkImages}
	return k.language()
}

func checkImages(name string, val []byte) error {
	switch name {
	case "prompt", "size", "quality", "response_format", "output_format", "style", "background", "moderation", "user":
		if val[0] != '"' {
			return invalid("%s: must be a string", name)
		}
	case "n":
		if n, ok := chat.Integer(val); !ok || n < 1 || n > maxImages {
			return invalid("n: must be an integer from 1 to %d", maxImages)
		}
	}
	return nil
}
