package adminapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Decode reads a request into the struct that in points at and checks it
// against the tags. The error is an *InputError.
func Decode(r *http.Request, d Description, in any) error {
	v := reflect.ValueOf(in).Elem()
	if err := decodeBody(r, d.MaxBody, in); err != nil {
		return err
	}
	query, err := readQuery(r, v.Type(), d.Public)
	if err != nil {
		return err
	}
	for _, f := range fieldsOf(v.Type()) {
		if err := decodeField(r, query, f, v.FieldByIndex(f.Index)); err != nil {
			return err
		}
	}
	return nil
}

func decodeField(r *http.Request, query url.Values, f reflect.StructField, v reflect.Value) error {
	var what, text string
	switch {
	case f.Tag.Get("path") != "":
		what, text = f.Tag.Get("path"), r.PathValue(f.Tag.Get("path"))
		if err := setText(v, f, what, text); err != nil {
			return &InputError{http.StatusNotFound, err.Error()}
		}
		return nil
	case f.Tag.Get("header") != "":
		what, text = "header "+f.Tag.Get("header"), strings.TrimSpace(r.Header.Get(f.Tag.Get("header")))
	case query.Get(f.Tag.Get("query")) != "":
		what, text = "parameter "+f.Tag.Get("query"), query.Get(f.Tag.Get("query"))
	case nameOf(f) != "":
		return checkBody(v, f)
	default:
		text = f.Tag.Get("default")
	}
	if text == "" {
		return nil
	}
	return setText(v, f, what, text)
}

// setText parses what came as text and checks it.
func setText(v reflect.Value, f reflect.StructField, what, text string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return checkText(what, text, f)
	case reflect.Bool:
		if !slices.Contains([]string{"true", "1", "false", "0"}, text) {
			return invalid("%s must be true or false, got %q", what, text)
		}
		v.SetBool(text == "true" || text == "1")
		return nil
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		low, high := bounds(f)
		if err != nil || n < low || n > high {
			return invalid("%s must be an integer %s, got %q", what, between(f), text)
		}
		v.Set(reflect.ValueOf(n).Convert(v.Type()))
		return nil
	}
}

// checkBody checks a field that came with the body.
func checkBody(v reflect.Value, f reflect.StructField) error {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		return checkText(nameOf(f), v.String(), f)
	case reflect.Int, reflect.Int64:
		if low, high := bounds(f); v.Int() < low || v.Int() > high {
			return invalid("%s must be %s", nameOf(f), between(f))
		}
	default:
	}
	return nil
}

// checkText checks texts that have a bound or a choice.
func checkText(what, text string, f reflect.StructField) error {
	if allowed := f.Tag.Get("enum"); allowed != "" && !slices.Contains(strings.Split(allowed, ","), text) {
		return invalid("%s must be one of %s, got %q", what, strings.ReplaceAll(allowed, ",", ", "), text)
	}
	limit, err := strconv.Atoi(f.Tag.Get("maxlen"))
	if err != nil {
		return nil //nolint:nilerr // there is no bound: the operation itself checks
	}
	switch {
	case len(text) > limit:
		return invalid("%s must have at most %d bytes", what, limit)
	case !utf8.ValidString(text):
		return invalid("%s must be UTF-8", what)
	case strings.ContainsFunc(text, func(ch rune) bool { return unicode.IsControl(ch) && ch != '\n' && ch != '\t' }):
		return invalid("%s must not contain control characters", what)
	}
	return nil
}

// readQuery returns the parameters, each at most once, and refuses those that
// the type does not have.
func readQuery(r *http.Request, t reflect.Type, loose bool) (url.Values, error) {
	query := r.URL.Query()
	var known []string
	for _, f := range fieldsOf(t) {
		if name := f.Tag.Get("query"); name != "" {
			known = append(known, name)
		}
	}
	for name, values := range query {
		switch {
		case loose && !slices.Contains(known, name):
		case len(known) == 0:
			return nil, invalid("%s takes no parameters, got %q", r.URL.Path, name)
		case !slices.Contains(known, name):
			return nil, invalid("unknown parameter %q; known are %s", name, strings.Join(known, ", "))
		case len(values) > 1:
			return nil, invalid("parameter %q is specified %d times", name, len(values))
		}
	}
	return query, nil
}

// decodeBody reads the JSON. No body is an empty object.
func decodeBody(r *http.Request, limit int64, in any) error {
	text, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return invalid("truncated body: %s", err)
	}
	if int64(len(text)) > limit {
		return &InputError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", limit)}
	}
	if len(bytes.TrimSpace(text)) == 0 || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(in); err != nil {
		return badJSON(err, in)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return invalid("unexpected data after the JSON object in the body")
	}
	return nil
}

func badJSON(err error, in any) error {
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		var known []string
		for _, f := range fieldsOf(reflect.TypeOf(in).Elem()) {
			if name := nameOf(f); name != "" {
				known = append(known, name)
			}
		}
		return invalid("the body has an unknown field %s; known are %s", field, strings.Join(known, ", "))
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// embedded structs are part of the path, but have no name in JSON
		where := wrong.Field
		for where != "" && unicode.IsUpper(rune(where[0])) {
			_, where, _ = strings.Cut(where, ".")
		}
		where = cmp.Or(where, "the body")
		return invalid("%s must be %s, got %s", where, kindOf(wrong.Type), wrong.Value)
	}
	return invalid("the body is not JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// kindOf names a type in the words of JSON.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list of " + kindOf(t.Elem())
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Uint64:
		return "an integer from 0"
	default:
		return "a number"
	}
}
