package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxFileBytes is far above any real catalog (a thousand models are about half
// a megabyte) and keeps a mistaken path from filling the memory.
const maxFileBytes = 4 << 20

func readModelsSource(path string) (Source, Problems) {
	text, err := readFile(path)
	if err != nil {
		return Source{}, Problems{{File: path, Message: describeRead(err)}}
	}
	return Source{Name: path, Text: text}, nil
}

func readRoutingSource(path string) (Source, Problems) {
	text, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) && path == DefaultRoutingPath {
		return Source{Name: path}, nil
	}
	if err != nil {
		return Source{}, Problems{{File: path, Message: describeRead(err)}}
	}
	return Source{Name: path, Text: text}, nil
}

// readFile reads one byte more than is allowed; the parser, which also gets
// text that never was a file, refuses it.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read: nothing can be lost
	return io.ReadAll(io.LimitReader(f, maxFileBytes+1))
}

func describeRead(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "no such file"
	}
	cause := err
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		cause = pathErr.Err
	}
	return fmt.Sprintf("the file cannot be read: %v", cause)
}
