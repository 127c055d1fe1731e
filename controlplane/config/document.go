package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// document returns the top of a YAML text. Not ok: there is none, and why was
// added to the problems. A document without content has a null value.
func (r *reading) document(src Source) (value, bool) {
	fail := func(line int, format string, args ...any) (value, bool) {
		r.report(Place{File: src.Name, Line: line}.Problem(format, args...))
		return value{}, false
	}
	if len(src.Text) > maxFileBytes {
		return fail(0, "the file exceeds %d bytes", maxFileBytes)
	}
	if line, what := unreadable(src.Text); what != "" {
		return fail(line, "%s", what)
	}
	docs, err := decodeYAML(src.Text)
	if err != nil {
		line, message := yamlError(err, src.Text)
		return fail(line, "invalid YAML: %s", message)
	}
	if len(docs) == 0 {
		return value{run: r, file: src.Name, node: &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}}, true
	}
	if len(docs) > 1 {
		return fail(docs[1].Line, "a second document starts here (---): only one per file is supported")
	}
	return value{run: r, file: src.Name}.of(docs[0].Content[0], ""), true
}

// decodeYAML returns the first documents of text, two at most.
func decodeYAML(text []byte) (docs []*yaml.Node, err error) {
	// the library panics on a few malformed texts, where it asks to report them
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: %v", p)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for len(docs) < 2 {
		doc := new(yaml.Node)
		if err := dec.Decode(doc); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// unreadable finds what no YAML text may contain, since the library reports it
// without a line.
func unreadable(text []byte) (line int, what string) {
	line = 1
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRune(text[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			return line, "invalid UTF-8"
		case c == '\n':
			line++
		case c < ' ' && c != '\t' && c != '\r', c == 0x7f:
			return line, fmt.Sprintf("the file contains the control character %q", c)
		}
		i += size
	}
	return 0, ""
}

var (
	yamlMessage   = regexp.MustCompile(`^yaml: (?:line (\d+): )?(?s:(.*))$`)
	parserMessage = regexp.MustCompile(`^did not find expected (key|'-' indicator|',' or|node content|<)`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// yamlError takes the library's message apart.
func yamlError(err error, text []byte) (line int, message string) {
	parts := yamlMessage.FindStringSubmatch(err.Error())
	if parts == nil {
		return 0, err.Error()
	}
	line, _ = strconv.Atoi(parts[1])
	if line == 0 || parserMessage.MatchString(parts[2]) {
		line++ // the library counts these from 0, and leaves a 0 out
	}
	if anchor := unknownAnchor.FindStringSubmatch(parts[2]); anchor != nil {
		before, _, _ := bytes.Cut(text, []byte("*"+anchor[1]))
		line = bytes.Count(before, []byte("\n")) + 1
	}
	return line, parts[2]
}
