package upstream

import (
	"bufio"
	"bytes"
	"net/http"
	"net/textproto"
	"slices"
)

// parseHeader reads header lines as they came, up to the first that is none.
func parseHeader(raw []byte) http.Header {
	whole := slices.Concat(bytes.TrimRight(raw, "\r\n"), []byte("\r\n\r\n"))
	h, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(whole))).ReadMIMEHeader()
	return http.Header(h)
}
