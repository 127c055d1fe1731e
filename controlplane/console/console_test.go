package console_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/console"
)

func open(t *testing.T) *console.Console {
	t.Helper()
	c, err := console.New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(t *testing.T, c *console.Console, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if !c.Serves(r) {
		t.Fatalf("%s is not the console's", target)
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

// TestPolicy: the page allows neither inline code nor frames nor other hosts.
func TestPolicy(t *testing.T) {
	t.Parallel()
	h := get(t, open(t), "/console/").Header()
	policy := h.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s: %s", want, policy)
		}
	}
	for _, never := range []string{"unsafe", "http:", "https:", "*"} {
		if strings.Contains(policy, never) {
			t.Errorf("the policy has %s: %s", never, policy)
		}
	}
	if h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", h)
	}
}

func TestSending(t *testing.T) {
	t.Parallel()
	c := open(t)
	plain := get(t, c, "/console/app.js")
	zipped := get(t, c, "/console/app.js", "Accept-Encoding", "gzip")
	if zipped.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" {
		t.Fatal("gzip is for those who take it")
	}
	r, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	var unzipped bytes.Buffer
	if _, err := io.Copy(&unzipped, r); err != nil { //nolint:gosec // our own file
		t.Fatal(err)
	}
	if want := plain.Body.String(); unzipped.String() != want || want == "" {
		t.Error("the compressed file is another one")
	}
	if again := get(t, c, "/console/app.js", "If-None-Match", plain.Header().Get("ETag")); again.Code != http.StatusNotModified {
		t.Errorf("status %d for a known ETag", again.Code)
	}
	if to := get(t, c, "/console"); to.Code != http.StatusMovedPermanently || to.Header().Get("Location") != console.Path {
		t.Errorf("/console: status %d to %q", to.Code, to.Header().Get("Location"))
	}
	for _, target := range []string{"/console/nothing.js", "/console/../admin/keys", "/console/session"} {
		if c.Serves(httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)) {
			t.Errorf("%s is served", target)
		}
	}
}

// TestAssets: no file of ours has inline code, makes markup of text or keeps
// secrets in the browser, and everything that is imported is there.
func TestAssets(t *testing.T) {
	t.Parallel()
	root := os.DirFS("assets")
	imports := regexp.MustCompile(`(?:from|import) '(\.[^']+)'`)
	never := regexp.MustCompile(`(?i)innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage|sessionStorage|<style|<script>|javascript:|\son[a-z]+="|\sstyle="|https?://(?:[^w]|w[^w])`)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(name, "vendor/") {
			return err
		}
		body, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if found := never.FindString(string(body)); found != "" {
			t.Errorf("%s has %q", name, found)
		}
		for _, m := range imports.FindAllStringSubmatch(string(body), -1) {
			if _, err := fs.Stat(root, path.Join(path.Dir(name), m[1])); err != nil {
				t.Errorf("%s imports %s: %s", name, m[1], err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
