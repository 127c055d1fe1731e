package upstream

import (
	"bytes"
	"errors"
	"io"

	"github.com/valyala/fasthttp"
)

// framing finds the end of an HTTP/1.1 body. Every method may be repeated
// after a timeout: nothing is consumed until it is complete.
type framing struct {
	chunked bool
	// left counts the bytes to come, of the body or of the current chunk; -1
	// for a body that ends with its connection.
	left int64
	// tail means that the line end behind a chunk's data is still to come.
	tail bool
	last bool // the chunk of size 0 was seen
	end  bool // the trailer was read, too
}

var (
	errFraming = errors.New("malformed chunked body")
	errCut     = errors.New("body ended before its announced length")
)

// start takes the framing from an answer's head.
func (f *framing) start(h *fasthttp.ResponseHeader) {
	*f = framing{}
	switch n := h.ContentLength(); {
	case n >= 0:
		f.left = int64(n)
	case n == -1:
		f.chunked = true
	default:
		f.left = -1
	}
	if code := h.StatusCode(); code == 204 || code == 304 {
		*f = framing{}
	}
}

// read returns bytes of the body: all that are there without waiting, at
// least one. io.EOF is a proper end.
func (f *framing) read(br *reader, p []byte) (int, error) {
	if !f.chunked {
		return f.plain(br, p)
	}
	if f.end {
		return 0, io.EOF
	}
	total := 0
	for {
		if f.left == 0 {
			if total > 0 && !f.ready(br) {
				return total, nil
			}
			if err := f.nextChunk(br); err != nil {
				return total, err
			}
		}
		if total > 0 && len(br.rest) == 0 || total == len(p) {
			return total, nil
		}
		n, err := br.Read(p[total:min(int64(len(p)), int64(total)+f.left)])
		total += n
		if f.left -= int64(n); f.left == 0 {
			f.tail = true
		}
		if err != nil {
			return total, cut(err)
		}
	}
}

func (f *framing) plain(br *reader, p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	if f.left > 0 {
		p = p[:min(int64(len(p)), f.left)]
	}
	n, err := br.Read(p)
	if f.left > 0 {
		f.left -= int64(n)
		err = cut(err)
	}
	return n, err
}

// ready reports whether the next chunk's size line is here already.
func (f *framing) ready(br *reader) bool {
	if f.last {
		return false
	}
	b := br.rest
	if f.tail {
		b = bytes.TrimPrefix(b, []byte("\r\n"))
	}
	return bytes.IndexByte(b, '\n') >= 0
}

// nextChunk steps over the line end of the last chunk and reads the next size.
func (f *framing) nextChunk(br *reader) error {
	if f.tail {
		b, err := br.peek(2)
		if err != nil {
			return cut(err)
		}
		if b[0] != '\r' || b[1] != '\n' {
			return errFraming
		}
		br.discard(2)
		f.tail = false
	}
	if f.last {
		return f.trailer(br)
	}
	line, err := peekLine(br)
	if err != nil {
		return err
	}
	size, err := chunkSize(line)
	if err != nil {
		return err
	}
	br.discard(len(line) + 1)
	f.left = size
	if size == 0 {
		f.last = true
		return f.trailer(br)
	}
	return nil
}

// trailer steps over trailers up to the blank line.
func (f *framing) trailer(br *reader) error {
	for {
		line, err := peekLine(br)
		if err != nil {
			return err
		}
		br.discard(len(line) + 1)
		if len(bytes.TrimSuffix(line, []byte("\r"))) == 0 {
			f.end = true
			return io.EOF
		}
	}
}

// peekLine returns the next line without its '\n' and does not consume it.
func peekLine(br *reader) ([]byte, error) {
	for n := 1; ; {
		b, err := br.peek(n)
		if line, _, found := bytes.Cut(b, []byte{'\n'}); found {
			return line, nil
		}
		if err != nil {
			if errors.Is(err, errLineTooLong) {
				return nil, errFraming
			}
			return nil, cut(err)
		}
		n = len(b) + 1
	}
}

func chunkSize(line []byte) (int64, error) {
	line, _, _ = bytes.Cut(line, []byte(";"))
	line = bytes.TrimSpace(line)
	if len(line) == 0 || len(line) > 15 {
		return 0, errFraming
	}
	var n int64
	for _, ch := range line {
		switch {
		case ch >= '0' && ch <= '9':
			ch -= '0'
		case ch|0x20 >= 'a' && ch|0x20 <= 'f':
			ch = ch | 0x20 - 'a' + 10
		default:
			return 0, errFraming
		}
		n = n<<4 | int64(ch)
	}
	return n, nil
}

// cut turns an end of file inside a body into the fault that it is.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return errCut
	}
	return err
}
