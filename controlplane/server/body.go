package server

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hybridinference/gateway/controlplane/publish"
)

const (
	maxBody = 1 << 20
	// maxFiles is for bodies that hold configuration files.
	maxFiles  = 32 << 20
	maxReason = 1000
	maxAuthor = 200
	maxWait   = 10 * time.Minute
)

// read decodes the body into the struct that into points at. No body is an
// empty object.
func read(r *http.Request, limit int64, into any) error {
	text, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return badRequest("the body was cut off: %s", err)
	}
	if int64(len(text)) > limit {
		return problemf(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", limit)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return badJSON(err, into)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return badRequest("the body goes on after its JSON object")
	}
	return nil
}

func badJSON(err error, into any) error {
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return badRequest("the body has an unknown field %s; known are %s", field, strings.Join(fields(into), ", "))
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := wrong.Field
		if where == "" {
			where = "the body"
		}
		return badRequest("%s must be %s, got %s", where, named(wrong.Type), wrong.Value)
	}
	return badRequest("the body is not JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// fields lists the names of a request's fields, embedded ones included.
func fields(into any) []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(into).Elem()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func named(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list of " + named(t.Elem())
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Uint64:
		return "a whole number from 0"
	default:
		return "a number"
	}
}

// common are the fields of every change.
type common struct {
	Reason string `json:"reason"`
	// WaitMS is how long to wait for all live nodes.
	WaitMS int64 `json:"wait_ms"`
	// IfRelease refuses the change when another release is current.
	IfRelease uint64 `json:"if_release"`
}

// change checks them and adds who asks.
func (c *common) change(r *http.Request) (publish.Change, error) {
	author := cmp.Or(strings.TrimSpace(r.Header.Get("X-Gateway-Author")), "admin")
	if err := plain("header X-Gateway-Author", author, maxAuthor); err != nil {
		return publish.Change{}, err
	}
	if err := plain("reason", c.Reason, maxReason); err != nil {
		return publish.Change{}, err
	}
	if c.WaitMS < 0 || c.WaitMS > maxWait.Milliseconds() {
		return publish.Change{}, badRequest("wait_ms must be from 0 to %d", maxWait.Milliseconds())
	}
	return publish.Change{Author: author, Reason: c.Reason, IfRelease: c.IfRelease}, nil
}

func plain(what, text string, limit int) error {
	switch {
	case len(text) > limit:
		return badRequest("%s must have at most %d bytes", what, limit)
	case !utf8.ValidString(text):
		return badRequest("%s must be UTF-8", what)
	case strings.ContainsFunc(text, func(ch rune) bool { return unicode.IsControl(ch) && ch != '\n' && ch != '\t' }):
		return badRequest("%s must not hold control characters", what)
	}
	return nil
}

// params returns the query's parameters, each at most once, and refuses
// those that are not among the known.
func params(r *http.Request, known ...string) (map[string]string, error) {
	out := make(map[string]string)
	for name, values := range r.URL.Query() {
		if !slices.Contains(known, name) {
			if len(known) == 0 {
				return nil, badRequest("%s takes no parameters, got %q", r.URL.Path, name)
			}
			return nil, badRequest("parameter %q is not known; known are %s", name, strings.Join(known, ", "))
		}
		if len(values) > 1 {
			return nil, badRequest("parameter %q is given %d times", name, len(values))
		}
		out[name] = values[0]
	}
	return out, nil
}

// number reads a whole parameter.
func number(params map[string]string, name string, def, low, high int) (int, error) {
	text, given := params[name]
	if !given || text == "" {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, badRequest("parameter %s must be a whole number from %d to %d, got %q", name, low, high, text)
	}
	return n, nil
}
