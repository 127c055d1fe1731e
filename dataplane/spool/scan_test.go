package spool

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// segmentOf writes records of the numbers from 1 on.
func segmentOf(count uint64) (b []byte, starts []int) {
	for n := uint64(1); n <= count; n++ {
		starts = append(starts, len(b))
		b = appendRecord(b, 0, n, fmt.Appendf(nil, `{"request_id":"gen-%d","pad":"%s"}`+"\n", n, bytes.Repeat([]byte("x"), int(n*7%90))))
	}
	return b, starts
}

func scan(b []byte) (numbers []uint64, skipped int) {
	for s := (scanner{data: b}); ; {
		n, _, ok := s.next()
		if !ok {
			return numbers, s.skipped
		}
		numbers = append(numbers, n)
	}
}

// Whatever is changed costs the records it is in, and no other.
func TestDamageCostsOnlyWhatItTouches(t *testing.T) {
	whole, starts := segmentOf(40)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		b, from := bytes.Clone(whole), rnd.IntN(len(whole))
		to := min(len(b), from+1+rnd.IntN(300))
		for i := from; i < to; i++ {
			b[i] = byte(rnd.IntN(4)) * 7 // pages of zeros are damage as well
		}
		var want []uint64
		for i, at := range starts {
			end := len(whole)
			if i+1 < len(starts) {
				end = starts[i+1]
			}
			if bytes.Equal(b[at:end], whole[at:end]) {
				want = append(want, uint64(i+1))
			}
		}
		if got, _ := scan(b); !slices.Equal(got, want) {
			t.Fatalf("bytes %d to %d changed: got %v, want %v", from, to, got, want)
		}
	}
}

func TestDamagedLengthsAreFoundBehind(t *testing.T) {
	whole, starts := segmentOf(3)
	for _, length := range []uint32{0, 1, 100, 1 << 23, longest, longest + 1, 1 << 31} {
		b := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(b[starts[1]:], length)
		if got, skipped := scan(b); !slices.Equal(got, []uint64{1, 3}) || skipped != starts[2]-starts[1] {
			t.Errorf("length %d: %v, %d bytes skipped", length, got, skipped)
		}
	}
}

// FuzzScan: of any bytes the scan ends, gives records in their place with the
// sums that fit, and finds a record that is behind them.
func FuzzScan(f *testing.F) {
	whole, _ := segmentOf(3)
	f.Add(whole)
	f.Add(whole[:20])
	f.Add(slices.Concat(make([]byte, 100), whole[5:], whole))
	f.Fuzz(func(t *testing.T, b []byte) {
		const last = 1 << 40
		behind := appendRecord(bytes.Clone(b), 0, last, []byte("the last\n"))
		s, at, found := scanner{data: behind}, 0, false
		for {
			number, body, ok := s.next()
			if !ok {
				break
			}
			if s.at <= at || !bytes.Equal(appendRecord(nil, 0, number, body), behind[s.at-header-len(body):s.at]) {
				t.Fatalf("record %d at %d after %d", number, s.at, at)
			}
			at, found = s.at, number == last
		}
		// a length before it may reach over it, but then its sum has to fit
		if !found {
			t.Fatalf("the record behind %d bytes was not found; %d bytes in order", len(b), at)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	data, _ := segmentOf(10_000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if numbers, _ := scan(data); len(numbers) != 10_000 {
			b.Fatal(len(numbers))
		}
	}
}
