// Package console is the web console: static files, embedded in the binary and
// served under /console/. They contain no data; the pages get it from the admin
// API with the session of whoever signed in.
package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed assets
var files embed.FS

// Path is where the console is served.
const Path = "/console/"

// policy lets pages load what this server serves and nothing else: no inline
// scripts or styles, no frames around them, no other host.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// contentTypes are those of the assets by extension.
func contentTypes() map[string]string {
	return map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
		"": "text/plain; charset=utf-8", // licences
	}
}

// Console serves the files. Create it with New.
type Console struct{ assets map[string]asset }

// asset is a file as it is sent.
type asset struct {
	contentType, etag string
	plain, zipped     []byte
}

// New reads and compresses the embedded files.
func New() (*Console, error) {
	c := &Console{assets: map[string]asset{}}
	types := contentTypes()
	err := fs.WalkDir(files, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		kind, known := types[path.Ext(name)]
		if !known {
			return fmt.Errorf("%s: unknown content type", name)
		}
		sum := sha256.Sum256(text)
		zipped, err := compress(text)
		c.assets[Path+strings.TrimPrefix(name, "assets/")] = asset{kind, `"` + hex.EncodeToString(sum[:8]) + `"`, text, zipped}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	c.assets[Path] = c.assets[Path+"index.html"]
	return c, nil
}

func compress(text []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(text)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}

// Serves reports whether a request is for one of the console's files.
func (c *Console) Serves(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	_, ok := c.assets[r.URL.Path]
	return ok || r.URL.Path == strings.TrimSuffix(Path, "/")
}

// ServeHTTP sends the file that the path names.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, ok := c.assets[r.URL.Path]
	if !ok {
		http.Redirect(w, r, Path, http.StatusMovedPermanently)
		return
	}
	h := w.Header()
	Protect(h)
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "no-cache") // a new version is in use at once; the ETag saves the bytes
	h.Set("ETag", a.etag)
	h.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		body = a.zipped
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a browser that left needs no answer
	}
}

// Protect sets the headers that keep foreign code out of a page of the console
// and the page out of foreign ones.
func Protect(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}
