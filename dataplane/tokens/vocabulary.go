package tokens

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// o200k is OpenAI's vocabulary (MIT, of openai/tiktoken): the lengths of all
// tokens as uvarints, by rank, a 0, then their bytes. That is less than half of
// tiktoken's own file, compressed, and the library's loader has three more that
// nothing asks for.
//
//go:embed o200k.gz
var o200k []byte

// vocabulary is what tiktoken loads from.
type vocabulary struct{}

// LoadTiktokenBpe implements tiktoken.BpeLoader: ranks by token.
func (vocabulary) LoadTiktokenBpe(string) (map[string]int, error) {
	r, err := gzip.NewReader(bytes.NewReader(o200k))
	if err != nil {
		return nil, err
	}
	all, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var lengths []uint64
	for {
		n, size := binary.Uvarint(all)
		if size <= 0 {
			return nil, errors.New("the vocabulary's lengths do not end")
		}
		all = all[size:]
		if n == 0 {
			break
		}
		lengths = append(lengths, n)
	}
	ranks := make(map[string]int, len(lengths))
	for rank, n := range lengths {
		if n > uint64(len(all)) {
			return nil, fmt.Errorf("the vocabulary ends before token %d", rank)
		}
		ranks[string(all[:n])] = rank
		all = all[n:]
	}
	return ranks, nil
}
