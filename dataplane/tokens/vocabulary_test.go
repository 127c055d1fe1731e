package tokens

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"maps"
	"os"
	"testing"

	tiktoken_loader "github.com/pkoukk/tiktoken-go-loader"
)

// TestVocabulary compares the embedded vocabulary with tiktoken's; -update
// writes it.
func TestVocabulary(t *testing.T) {
	want, err := tiktoken_loader.NewOfflineLoader().LoadTiktokenBpe("o200k_base.tiktoken")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		o200k = pack(t, want)
		if err := os.WriteFile("o200k.gz", o200k, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := (vocabulary{}).LoadTiktokenBpe(""); err != nil || !maps.Equal(got, want) {
		t.Errorf("%d tokens, want %d; %v", len(got), len(want), err)
	}
}

var update = flag.Bool("update", false, "write o200k.gz anew")

func pack(t *testing.T, ranks map[string]int) []byte {
	t.Helper()
	tokens := make([]string, len(ranks))
	for token, rank := range ranks {
		tokens[rank] = token
	}
	var lengths, text []byte
	for _, token := range tokens {
		lengths = binary.AppendUvarint(lengths, uint64(len(token)))
		text = append(text, token...)
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(append(append(lengths, 0), text...))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
