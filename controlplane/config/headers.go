package config

import (
	"net/http"
	"regexp"
	"strings"
)

var (
	headerName  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")
	headerValue = regexp.MustCompile(`^[\t\x20-\x7e]*$`)
)

// headers reads a mapping of header names to values; secrets get those whose
// value is the variable of a secret.
func (v value) headers(into, secrets *map[string]string) {
	entries, ok := v.entries()
	if !ok {
		return
	}
	out := make(map[string]string, len(entries))
	lines := make(map[string]int)
	for _, e := range entries {
		name := http.CanonicalHeaderKey(e.name)
		if line, twice := lines[name]; twice {
			e.key.problemf("duplicate header, first defined on line %d", line)
			continue
		}
		lines[name] = e.key.line
		if !e.key.checkHeaderName(e.name) {
			continue
		}
		var text string
		if name, ok := e.value.namedSecret(); ok {
			note(secrets, e.name, name)
		} else if e.value.name(&text, headerValue, "printable ASCII on one line") {
			out[e.name] = text
		}
	}
	*into = out
}

func (v value) checkHeaderName(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie":
		v.problemf("is set by the gateway: use api_key")
	case "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "accept", "accept-encoding", "te", "trailer", "upgrade", "expect":
		v.problemf("is set by the gateway")
	default:
		if headerName.MatchString(name) {
			return true
		}
		v.problemf("is not a valid header name")
	}
	return false
}
