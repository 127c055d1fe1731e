package adaptertest

import (
	"testing"

	"github.com/hybridinference/gateway/adapters/codec"
)

// Fuzz feeds mutated answers to a decoder: as a stream, as a body and as an
// error. Nothing may panic, and every event has to keep the contract.
func Fuzz(f *testing.F, a codec.Adapter, provider string) {
	f.Helper()
	for _, c := range loadCases(f, provider) {
		f.Add(c.Body)
	}
	f.Add([]byte("data: {}\n\ndata: [DONE]\n\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		for _, tr := range []*Transcript{Stream(a, answer, len(answer)+1), Body(a, answer)} {
			for _, msg := range tr.broken {
				t.Error(msg)
			}
		}
		a.Fault(500, answer)
	})
}
