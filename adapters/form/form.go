// Package form reads and writes bodies of multipart/form-data without copying
// the files in them.
package form

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/textproto"
	"slices"
	"strings"
)

const (
	maxBoundary = 70 // by RFC 2046
	maxParts    = 256
	maxHead     = 8 << 10
)

// Form is a body of multipart/form-data. Its parts alias the body.
type Form struct {
	boundary string
	Parts    []Part
}

// Part is a field or a file of a form.
type Part struct {
	Name string
	// Filename is set for files.
	Filename string
	Value    []byte
	// raw is the part with its headers.
	raw []byte
}

// Parse reads a body. Only what all servers read in the same way is accepted:
// lines end in CRLF, nothing precedes the first boundary, and each part has one
// name.
func Parse(contentType string, body []byte) (Form, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		return Form{}, fmt.Errorf("Content-Type: must be multipart/form-data with a boundary, got %q", contentType)
	}
	f := Form{boundary: params["boundary"]}
	if f.boundary == "" || len(f.boundary) > maxBoundary || strings.Trim(f.boundary, boundaryChars) != "" || strings.HasSuffix(f.boundary, " ") {
		return Form{}, fmt.Errorf("Content-Type: boundary must be 1 to %d of the characters that RFC 2046 allows, got %q", maxBoundary, f.boundary)
	}
	return f, f.read(body)
}

const boundaryChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'()+_,-./:=? "

func (f *Form) read(body []byte) error {
	delimiter := []byte("\r\n--" + f.boundary)
	rest, ok := bytes.CutPrefix(body, delimiter[2:])
	if !ok {
		return fmt.Errorf("the body does not start with the boundary %q of the Content-Type", f.boundary)
	}
	for {
		n, last := delimited(rest)
		switch {
		case last:
			return nil
		case n == 0:
			return errors.New("the body is truncated, or its boundary does not end its line")
		case len(f.Parts) == maxParts:
			return fmt.Errorf("the form has more than %d parts", maxParts)
		}
		rest = rest[n:]
		end := next(rest, delimiter)
		if end < 0 {
			return errors.New("the body is truncated: it does not end with the closing boundary, or a boundary does not end its line")
		}
		p, err := readPart(rest[:end])
		if err != nil {
			return fmt.Errorf("part %d: %w", len(f.Parts)+1, err)
		}
		f.Parts = append(f.Parts, p)
		rest = rest[end+len(delimiter):]
	}
}

// delimited reads what follows a boundary: the length of the rest of its line, 0
// if there is something else. last is a line with the two dashes of the last.
func delimited(rest []byte) (n int, last bool) {
	line, last := bytes.CutPrefix(rest, []byte("--"))
	line = bytes.TrimLeft(line, " \t")
	switch {
	case bytes.HasPrefix(line, []byte("\r\n")):
		return len(rest) - len(line) + 2, last
	case last && len(line) == 0:
		return len(rest), true
	}
	return 0, false
}

// next returns where the next delimiter begins, -1 if there is none, or one that
// some take for one and others do not.
func next(rest, delimiter []byte) int {
	for from := 0; ; {
		i := bytes.Index(rest[from:], delimiter)
		if i < 0 {
			return -1
		}
		i += from
		from = i + len(delimiter)
		switch n, _ := delimited(rest[from:]); {
		case n > 0:
			return i
		case from == len(rest), bytes.IndexByte([]byte(" \t\r\n-"), rest[from]) >= 0:
			return -1
		}
	}
}

func readPart(raw []byte) (Part, error) {
	end := bytes.Index(raw, []byte("\r\n\r\n"))
	if end < 0 || end > maxHead {
		return Part{}, fmt.Errorf("its headers must be at most %d bytes and end with an empty line", maxHead)
	}
	if bytes.Count(raw[:end], []byte("\n")) != bytes.Count(raw[:end], []byte("\r\n")) {
		return Part{}, errors.New("its headers' lines must end in CRLF")
	}
	head, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(raw[:end+4]))).ReadMIMEHeader()
	if err != nil {
		return Part{}, errors.New("its headers are not valid")
	}
	disposition := head.Values("Content-Disposition")
	if len(disposition) != 1 {
		return Part{}, errors.New("must have one Content-Disposition")
	}
	kind, params, err := mime.ParseMediaType(disposition[0])
	if err != nil || kind != "form-data" || params["name"] == "" {
		return Part{}, errors.New(`Content-Disposition: must be form-data; name="..."`)
	}
	switch encoding := strings.ToLower(head.Get("Content-Transfer-Encoding")); encoding {
	case "", "7bit", "8bit", "binary":
	default:
		return Part{}, fmt.Errorf("Content-Transfer-Encoding: %q is not supported", encoding)
	}
	return Part{Name: params["name"], Filename: params["filename"], Value: raw[end+4:], raw: raw}, nil
}

// ContentType is that of a body with the form's boundary.
func (f *Form) ContentType() string {
	return mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": f.boundary})
}

// Grow makes room for another body with the form's parts and n bytes of others.
func (f *Form) Grow(dst []byte, n int) []byte {
	for i := range f.Parts {
		n += len(f.Parts[i].raw) + len(f.boundary) + len("--\r\n\r\n")
	}
	return slices.Grow(dst, n)
}

// AppendPart appends a part of the form as it came.
func (f *Form) AppendPart(dst []byte, p *Part) []byte {
	return append(append(f.appendBoundary(dst, "\r\n"), p.raw...), "\r\n"...)
}

// AppendField appends a field.
func (f *Form) AppendField(dst []byte, name, value string) []byte {
	dst = append(f.appendBoundary(dst, "\r\n"), `Content-Disposition: form-data; name="`...)
	dst = append(append(dst, name...), "\"\r\n\r\n"...)
	return append(append(dst, value...), "\r\n"...)
}

// AppendEnd appends the closing boundary.
func (f *Form) AppendEnd(dst []byte) []byte { return f.appendBoundary(dst, "--\r\n") }

func (f *Form) appendBoundary(dst []byte, end string) []byte {
	return append(append(append(dst, "--"...), f.boundary...), end...)
}
