package server

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"

	"gopkg.in/yaml.v3"
)

// openapiText describes the whole API. Tests hold every request and answer to it.
//
//go:embed openapi.yaml
var openapiText []byte

// document returns the OpenAPI document as JSON.
func document() (json.RawMessage, error) {
	var doc map[string]any
	if err := yaml.Unmarshal(openapiText, &doc); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return json.Marshal(doc)
}

func (s *Server) openapi(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	return s.document, nil
}
