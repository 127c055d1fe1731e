package form_test

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/form"
)

const contentType = `multipart/form-data; boundary="b b"`

func field(name, value string) string {
	return "--b b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
}

func TestForms(t *testing.T) {
	file := "--b b \t\r\ncontent-disposition: form-data; name=file; filename=\"a;b.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n\r\n--b bx\r\n--b\x00\r\n"
	f, err := form.Parse(contentType, []byte(field("model", "m")+file+field("empty", "")+"--b b--\r\nepilogue"))
	if err != nil || len(f.Parts) != 3 {
		t.Fatal(err, f)
	}
	if p := f.Parts[1]; p.Name != "file" || p.Filename != "a;b.mp3" || string(p.Value) != "\r\n--b bx\r\n--b\x00" {
		t.Errorf("%+v", p)
	}
	body := f.AppendField(nil, "model", "other")
	for i := range f.Parts[1:] {
		body = f.AppendPart(body, &f.Parts[1+i])
	}
	body = f.AppendEnd(body)
	_, params, err := mime.ParseMediaType(f.ContentType())
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for _, want := range []string{"model other", "file \r\n--b bx\r\n--b\x00", "empty "} {
		p, err := r.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		value, err := io.ReadAll(p)
		if got := p.FormName() + " " + string(value); err != nil || got != want {
			t.Errorf("%q %v, want %q", got, err, want)
		}
	}
	if _, err := r.NextPart(); err != io.EOF {
		t.Error(err)
	}
}

func TestWhatIsNoForm(t *testing.T) {
	f := func(contentType, body, want string) {
		t.Helper()
		if _, err := form.Parse(contentType, []byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q %q: %v, want %s", contentType, body, err, want)
		}
	}
	whole := field("a", "b") + "--b b--"
	f("", whole, "must be multipart/form-data")
	f("application/json", `{}`, `got "application/json"`)
	f("multipart/form-data", whole, "boundary must be 1 to 70")
	f(`multipart/form-data; boundary="x;"`, whole, "boundary must be")
	f(`multipart/form-data; boundary="x "`, whole, "boundary must be")
	f("multipart/form-data; boundary="+strings.Repeat("x", 71), whole, "boundary must be")
	f("multipart/form-data; boundary=x; boundary=y", whole, "must be multipart/form-data")
	f("multipart/form-data; boundary=x", whole, "does not start with the boundary")
	f(contentType, "", "does not start with the boundary")
	f(contentType, "preamble\r\n"+whole, "does not start with the boundary")
	for n := len("--b b"); n < len(whole); n++ {
		f(contentType, whole[:n], "truncated")
	}
	f(contentType, strings.ReplaceAll(whole, "\r\n", "\n"), "truncated")
	f(contentType, "--b b\r\nX: y\r\n\r\nx\r\n--b b--", "part 1: must have one Content-Disposition")
	f(contentType, "--b b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b b--", `must be form-data; name="..."`)
	f(contentType, "--b b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b b--", `must be form-data`)
	f(contentType, "--b b\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nx\r\n--b b--", `must be form-data`)
	f(contentType, "--b b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\nx\r\n--b b--", "must have one Content-Disposition")
	f(contentType, "--b b\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b b--", `"base64" is not supported`)
	f(contentType, "--b b\r\nno header\r\n\r\nx\r\n--b b--", "headers are not valid")
	f(contentType, "--b b\r\nContent-Disposition: form-data; name=a", "truncated")
	f(contentType, field(strings.Repeat("a", 9000), "b")+"--b b--", "headers must be at most 8192 bytes")
	f(contentType, field("a", "--b b\n")+"--b b--", "does not end its line")
	f(contentType, "--b b\r\nContent-Disposition: form-data; name=a\r\n\nx\r\n\r\n\r\n--b b--", "must end in CRLF")
	f(contentType, field("a", "\r\n--b b\n")+"--b b--", "does not end its line")
	f(contentType, strings.Repeat(field("a[]", "b"), 257)+"--b b--", "more than 256 parts")
}

// What is accepted reads the same for the standard library.
func FuzzParse(f *testing.F) {
	f.Add(field("model", "m") + field("file", "\r\n--b bx") + "--b b--\r\n")
	f.Add("--b b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"\\\"\"\r\n\r\n\r\n--b b--")
	f.Fuzz(func(t *testing.T, body string) {
		parsed, err := form.Parse(contentType, []byte(body))
		if err != nil {
			return
		}
		r := multipart.NewReader(strings.NewReader(body), "b b")
		for i := range parsed.Parts {
			p, err := r.NextRawPart()
			if err != nil {
				t.Fatalf("part %d: %v", i, err)
			}
			value, err := io.ReadAll(p)
			if err != nil || p.FormName() != parsed.Parts[i].Name || string(value) != string(parsed.Parts[i].Value) {
				t.Fatalf("part %d: %q %q, %v; parsed %q %q", i, p.FormName(), value, err, parsed.Parts[i].Name, parsed.Parts[i].Value)
			}
		}
		if _, err := r.NextRawPart(); err != io.EOF {
			t.Fatalf("more parts: %v", err)
		}
	})
}
