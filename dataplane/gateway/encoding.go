package gateway

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/problem"
)

const (
	// encodings are those that a request body may have.
	encodings = "gzip, deflate, zstd"
	// zstdWindow bounds the memory of a decoder, which the client chooses.
	zstdWindow = 8 << 20
)

// receiveEncoded reads a compressed body into dst. The limits hold for what
// comes out, and for what goes in.
func (g *Gateway) receiveEncoded(ctx *fasthttp.RequestCtx, body io.Reader, encoding string, dst []byte, room *reservation) ([]byte, *problem.Problem) {
	packed := &io.LimitedReader{R: body, N: int64(g.opts.MaxBody) + 1}
	r, err := decoder(packed, strings.ToLower(encoding))
	if errors.Is(err, errors.ErrUnsupported) {
		ctx.Response.Header.Set("Accept-Encoding", encodings)
		return dst, problem.New(415, "invalid_request", "Content-Encoding: "+encoding+" is not supported; send "+encodings+" or none")
	}
	if err == nil {
		defer func() { _ = r.Close() }() // what it would say was said by Read
		dst, err = g.read(r, dst, -1, room)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, packed) // what follows the compressed data
	}
	switch {
	case packed.N == 0:
		err = errTooLarge
	case err != nil && !errors.Is(err, errCapacity) && !errors.Is(err, errTooLarge) && !isTimeout(err):
		return dst, problem.New(400, "invalid_request", "The request body is not valid "+encoding+" data")
	}
	return dst, g.unread(err)
}

func decoder(r io.Reader, encoding string) (io.ReadCloser, error) {
	switch encoding {
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	case "deflate":
		buffered := bufio.NewReader(r)
		if head, err := buffered.Peek(2); err == nil && (int(head[0])<<8|int(head[1]))%31 == 0 && head[0]&15 == 8 {
			return zlib.NewReader(buffered)
		}
		return flate.NewReader(buffered), nil // without the wrapping that the name stands for, as some clients do
	case "zstd":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, errors.ErrUnsupported
}
