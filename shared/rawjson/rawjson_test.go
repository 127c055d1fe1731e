package rawjson_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hybridinference/gateway/shared/rawjson"
)

func TestValidAgreesWithTheStandardLibrary(t *testing.T) {
	f := func(in string) {
		t.Helper()
		got, want := rawjson.Valid([]byte(in)) == nil, json.Valid([]byte(in))
		if got != want {
			t.Errorf("Valid(%q) = %v, encoding/json says %v", in, got, want)
		}
	}
	for _, in := range []string{
		``, ` `, `{}`, `[]`, `{"a":1}`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, `[1 2]`, `{"a" 1}`, `{"a":}`, `{a:1}`,
		`0`, `-0`, `01`, `1.`, `.5`, `1.5e`, `1e+`, `1e5`, `-`, `+1`, `1E-2`, `--1`, `1.0.0`,
		`"a"`, `"a`, `"\n"`, "\"\n\"", `"\x"`, `"\u12"`, `"\u12zz"`, `"\ud800"`, `"\\"`, `"\"`, `"12345678\"90"`, "\"1234567\x01\"",
		`true`, `tru`, `false`, `null`, `nul`, `truex`, `{} {}`, `[[[]]]`, `{"a":{"b":[1,{"c":null}]}}`, "\t{\r\n}\n", `"é"`, "\x00",
	} {
		f(in)
	}
}

func TestInvalidUTF8IsRefused(t *testing.T) {
	for _, in := range []string{"\"\xff\"", "\"12345678\xc3\"", "{\"\xfe\":1}"} {
		if err := rawjson.Valid([]byte(in)); err == nil {
			t.Errorf("Valid(%q) accepted invalid UTF-8", in)
		}
	}
}

// TestLongStrings has what is special at each place of the blocks that a string is
// read in, between ASCII and between other characters.
func TestLongStrings(t *testing.T) {
	for _, around := range []string{"a", "é", "語", "a\u007fé"} {
		for at := range 80 {
			for _, special := range []string{`"`, `\n`, `\x`, "\x00", "\x1f", "\x80", "\xff", "\n", "~"} {
				in := []byte(`"` + strings.Repeat(around, at) + special + strings.Repeat(around, 80-at) + `"`)
				want := json.Valid(in) && utf8.Valid(in)
				if got := rawjson.Valid(in) == nil; got != want {
					t.Errorf("Valid(%q) = %v", in, got)
				}
			}
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	if err := rawjson.Valid([]byte(deep)); err == nil {
		t.Fatal("10,000 levels were accepted")
	}
	if err := rawjson.Valid([]byte(strings.Repeat("[", 500) + strings.Repeat("]", 500))); err != nil {
		t.Fatalf("500 levels: %v", err)
	}
}

func TestCursorReturnsSpans(t *testing.T) {
	var c rawjson.Cursor
	c.Reset([]byte(` {"model" : "a\"b", "n":[1, -2 ,3], "o":{"x":null}} `))
	var got []string
	if !c.Object() {
		t.Fatal("no object")
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		if string(key) != "n" {
			got = append(got, string(key)+"="+string(c.Raw()))
			continue
		}
		for c.Array(); c.Elem(); {
			n, ok := c.Int()
			got = append(got, string(key)+"="+map[bool]string{true: "int"}[ok]+string(rune('a'+n+2)))
		}
	}
	if err := c.End(); err != nil {
		t.Fatal(err)
	}
	want := `model="a\"b" n=intd n=inta n=intf o={"x":null}`
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
}

func TestTextAndBack(t *testing.T) {
	f := func(literal, text string) {
		t.Helper()
		if got := rawjson.Text([]byte(literal)); got != text {
			t.Errorf("Text(%s) = %q, want %q", literal, got, text)
		}
	}
	f(`"plain"`, "plain")
	f(`"\u00e9\n\t\/\\\""`, "é\n\t/\\\"")
	f(`"\ud83d\ude00!"`, "😀!")
	f(`"\ud83d"`, "\ufffd")
	f(`"\ud83dx"`, "\ufffdx")
	for _, s := range []string{"", "a\"b\\c\n\x00\x1f", "é😀", "bad\xff"} {
		lit := rawjson.AppendString(nil, s)
		var back string
		if err := json.Unmarshal(lit, &back); err != nil || back != strings.ToValidUTF8(s, "\ufffd") {
			t.Errorf("AppendString(%q) = %s, read back as %q, %v", s, lit, back, err)
		}
	}
}

func TestInt(t *testing.T) {
	f := func(in string, want int64, ok bool) {
		t.Helper()
		if n, k := rawjson.Int([]byte(in)); n != want || k != ok {
			t.Errorf("Int(%q) = %d, %v, want %d, %v", in, n, k, want, ok)
		}
	}
	f("0", 0, true)
	f("-12", -12, true)
	f("9223372036854775807", 9223372036854775807, true)
	f("9223372036854775808", 0, false)
	f("99999999999999999999", 0, false)
	f("1.0", 0, false)
	f("", 0, false)
	f("-", 0, false)
}

func FuzzValid(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x\u00e9",null]}`, `"12345678\"`, "\"\xff\"", `[[[`, `-1.5e+7`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := rawjson.Valid(b); err == nil && !json.Valid(b) {
			t.Fatalf("accepted %q, which is not JSON", b)
		} else if err != nil && json.Valid(b) && utf8.Valid(b) && bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) < rawjson.MaxDepth {
			t.Fatalf("refused %q: %v", b, err)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	for _, size := range []int{200, 100_000} {
		doc := []byte(`{"model":"demo","messages":[{"role":"user","content":"` + strings.Repeat("lorem ipsum ", size/12) + `"}]}`)
		b.Run(map[bool]string{true: "small", false: "100KB"}[size < 1000], func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if rawjson.Valid(doc) != nil {
					b.Fatal("invalid")
				}
			}
		})
	}
}
