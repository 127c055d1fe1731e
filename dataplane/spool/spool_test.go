package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/spool"
)

func open(t *testing.T, o spool.Options) *spool.Spool {
	t.Helper()
	s, err := spool.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func line(n uint64) []byte {
	return fmt.Appendf(nil, "event %d %s\n", n, strings.Repeat("x", int(n%50)))
}

func fill(t *testing.T, s *spool.Spool, from, to uint64) {
	t.Helper()
	for n := from; n <= to; n++ {
		if err := s.Append(n, line(n)); err != nil {
			t.Fatal(err)
		}
	}
}

// read reads everything from a number on.
func read(t *testing.T, s *spool.Spool, from uint64) (numbers []uint64) {
	t.Helper()
	r := s.Reader(from)
	defer r.Close()
	for {
		first, last, lines, err := r.Next(7, 500)
		if err != nil {
			t.Fatal(err)
		}
		if first == 0 {
			return numbers
		}
		want := []byte{}
		for n := first; n <= last; n++ {
			want = append(want, line(n)...)
			numbers = append(numbers, n)
		}
		if !bytes.Equal(lines, want) || last-first+1 > 7 {
			t.Fatalf("events %d to %d: %q", first, last, lines)
		}
	}
}

func expect(t *testing.T, got []uint64, from, to uint64) {
	t.Helper()
	want := []uint64{}
	for n := from; n <= to; n++ {
		want = append(want, n)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("got %v, want %d to %d", got, from, to)
	}
}

func segments(t *testing.T, dir string) int {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	return len(paths)
}

func TestEventsStayUntilTheyAreCommitted(t *testing.T) {
	o := spool.Options{Dir: filepath.Join(t.TempDir(), "spool"), Segment: 1000}
	s := open(t, o)
	epoch := s.Epoch()
	fill(t, s, 1, 200)
	expect(t, read(t, s, 1), 1, 200)
	expect(t, read(t, s, 150), 150, 200)
	before := segments(t, o.Dir)
	s.Commit(51, 100)
	if s.Low() != 1 {
		t.Errorf("lowest %d", s.Low())
	}
	s.Commit(1, 50)
	s.Commit(1, 60) // again
	if s.Low() != 101 || segments(t, o.Dir) >= before {
		t.Errorf("lowest %d, %d of %d segments", s.Low(), segments(t, o.Dir), before)
	}
	s.Commit(150, 300) // of numbers that it never gave out
	s.Commit(9, 3)
	if s.Low() != 101 {
		t.Errorf("lowest %d", s.Low())
	}
	// no Close: the process was killed
	s = open(t, o)
	if s.Epoch() != epoch || s.Last() != 200 {
		t.Errorf("epoch %s, was %s; last %d", s.Epoch(), epoch, s.Last())
	}
	low := s.Low()
	if low > 101 || low < 70 { // whole segments only
		t.Errorf("lowest %d", low)
	}
	expect(t, read(t, s, low), low, 200)
	fill(t, s, 201, 210)
	s.Commit(low, 210)
	if s.Low() != 0 {
		t.Errorf("lowest %d", s.Low())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o)
	if s.Last() != 210 || s.Low() != 0 || len(read(t, s, 1)) != 0 || s.Stats().Bytes != 0 {
		t.Errorf("after an orderly end: last %d, lowest %d, %+v", s.Last(), s.Low(), s.Stats())
	}
}

// A reader goes on when there is more, and passes over what was committed.
func TestReadersFollow(t *testing.T) {
	s := open(t, spool.Options{Dir: t.TempDir(), Segment: 500})
	r := s.Reader(1)
	next := uint64(1)
	for round := range uint64(20) {
		fill(t, s, 10*round+1, 10*round+10)
		for {
			first, last, _, err := r.Next(4, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if first == 0 {
				break
			}
			if first != next {
				t.Fatalf("got %d, want %d", first, next)
			}
			next = last + 1
			s.Commit(first, last)
		}
		if next != 10*round+11 {
			t.Fatalf("stopped at %d", next)
		}
	}
	r.Close()
}

// However a process was killed, what it has kept before is there.
func TestTornAndDamagedRecords(t *testing.T) {
	dir := t.TempDir()
	s := open(t, spool.Options{Dir: dir})
	fill(t, s, 1, 10)
	path := filepath.Join(dir, fmt.Sprintf("%020d.seg", 1))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole = bytes.TrimRight(whole, "\x00") // the room behind them
	last := len(whole) - 16 - len(line(10))
	for cut := last; cut < 2*len(whole)-last; cut++ {
		torn := whole[:min(cut, len(whole))]
		if cut >= len(whole) { // killed between the record and its length, which comes last
			torn = slices.Concat(whole, make([]byte, 1000))
			clear(torn[last : last+4])
			clear(torn[len(whole)-(cut-len(whole)) : len(whole)])
		}
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, spool.Options{Dir: dir})
		expect(t, read(t, s, 1), 1, 9)
		fill(t, s, s.Last()+1, 12)
		expect(t, read(t, s, 1), 1, 12)
		if err := os.Remove(filepath.Join(dir, fmt.Sprintf("%020d.seg", 10))); err != nil {
			t.Fatal(err)
		}
	}
	damaged := bytes.Clone(whole)
	damaged[16+4] ^= 1 // in the body of the first
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, spool.Options{Dir: dir})
	expect(t, read(t, s, 1), 2, 10)
	if s.Stats().Damaged != 1 {
		t.Errorf("%+v", s.Stats())
	}
}

func TestFull(t *testing.T) {
	s := open(t, spool.Options{Dir: t.TempDir(), Limit: 2000, Segment: 500})
	n := uint64(0)
	var err error
	for ; err == nil; n++ {
		err = s.Append(n+1, line(n+1))
	}
	if !errors.Is(err, spool.ErrFull) || s.Stats().Bytes > 2000 {
		t.Errorf("%v, %+v", err, s.Stats())
	}
	s.Commit(1, n-1)
	if err := s.Append(n+5, line(n+5)); err != nil { // numbers may have gaps
		t.Error(err)
	}
	expect(t, read(t, s, n), n+5, n+5)
}

func TestWrongDirectories(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := spool.Open(spool.Options{Dir: file}); err == nil {
		t.Error("a file is a spool")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.seg"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := spool.Open(spool.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "x.seg is no segment") {
		t.Errorf("%v", err)
	}
}

func FuzzSegment(f *testing.F) {
	dir := f.TempDir()
	s, err := spool.Open(spool.Options{Dir: dir})
	if err != nil {
		f.Fatal(err)
	}
	for n := range uint64(3) {
		if err := s.Append(n+1, line(n+1)); err != nil {
			f.Fatal(err)
		}
	}
	whole, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%020d.seg", 1)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%020d.seg", 1)), b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := spool.Open(spool.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		r := s.Reader(1)
		defer r.Close()
		for first := uint64(1); first != 0; {
			if first, _, _, err = r.Next(10, 1000); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	s, err := spool.Open(spool.Options{Dir: b.TempDir(), Limit: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	event := bytes.Repeat([]byte("x"), 600)
	b.ReportAllocs()
	for n := uint64(1); b.Loop(); n++ {
		if err := s.Append(n, event); err != nil {
			b.Fatal(err)
		}
		if n%10_000 == 0 {
			s.Commit(1, n)
		}
	}
}
