package adminapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// Encoded is a request in the form in which it travels.
type Encoded struct {
	// Path has its parameters filled in and escaped.
	Path   string
	Query  url.Values
	Header http.Header
	// Body is nil for none.
	Body []byte
}

// Encode is the reverse of Decode. Empty parameters and headers are left out.
func Encode(d Description, in any) (Encoded, error) {
	out := Encoded{Path: d.Path, Query: url.Values{}, Header: http.Header{}}
	v := reflect.ValueOf(in)
	body := false
	for _, f := range fieldsOf(v.Type()) {
		value := v.FieldByIndex(f.Index)
		if name := f.Tag.Get("path"); name != "" {
			out.Path = strings.ReplaceAll(out.Path, "{"+name+"}", element(fmt.Sprint(value.Interface())))
			continue
		}
		if nameOf(f) != "" {
			body = true
			continue // also if a parameter could carry it
		}
		if value.IsZero() {
			continue
		}
		text := fmt.Sprint(value.Interface())
		if name := f.Tag.Get("query"); name != "" {
			out.Query.Set(name, text)
		}
		if name := f.Tag.Get("header"); name != "" {
			out.Header.Set(name, text)
		}
	}
	if !body {
		return out, nil
	}
	var err error
	if out.Body, err = json.Marshal(in); err != nil {
		return out, fmt.Errorf("encode the request: %w", err)
	}
	return out, nil
}

// element escapes an id for a path, also one that would be taken for a folder.
func element(id string) string {
	if id == "." || id == ".." {
		return strings.ReplaceAll(id, ".", "%2E")
	}
	return url.PathEscape(id)
}
