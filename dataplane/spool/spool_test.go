package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/spool"
)

func open(t *testing.T, o spool.Options) *spool.Spool {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
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
	r := s.ReaderFrom(from)
	for {
		b, err := r.Next(7, 500)
		if err != nil {
			t.Fatal(err)
		}
		if b.First == 0 {
			return numbers
		}
		want := []byte{}
		for n := b.First; n <= b.Last; n++ {
			want = append(want, line(n)...)
			numbers = append(numbers, n)
		}
		if !bytes.Equal(b.Lines, want) || b.Last-b.First+1 > 7 || b.Epoch != s.Epoch() {
			t.Fatalf("events %d to %d of %s: %q", b.First, b.Last, b.Epoch, b.Lines)
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

func segments(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestEventsStayUntilTheyAreCommitted(t *testing.T) {
	o := spool.Options{Dir: filepath.Join(t.TempDir(), "spool")}.Small(1000)
	s := open(t, o)
	epoch := s.Epoch()
	fill(t, s, 1, 200)
	expect(t, read(t, s, 1), 1, 200)
	expect(t, read(t, s, 150), 150, 200)
	before := len(segments(t, o.Dir))
	s.Commit(epoch, 51, 100)
	if s.Low().Number != 1 {
		t.Errorf("lowest %v", s.Low())
	}
	s.Commit(epoch, 1, 50)
	s.Commit(epoch, 1, 60) // again
	if s.Low().Number != 101 || len(segments(t, o.Dir)) >= before {
		t.Errorf("lowest %v, %d of %d segments", s.Low(), len(segments(t, o.Dir)), before)
	}
	s.Commit(epoch, 150, 300) // of numbers that it never gave out
	s.Commit(epoch, 9, 3)
	s.Commit("another", 101, 110)
	if s.Low().Number != 101 {
		t.Errorf("lowest %v", s.Low())
	}
	// no Close: the process was killed
	s = open(t, o)
	if s.Epoch() != epoch || s.Last() != 200 {
		t.Errorf("epoch %s, was %s; last %d", s.Epoch(), epoch, s.Last())
	}
	if low := s.Low(); low != (spool.Position{Epoch: epoch, Number: 101}) {
		t.Errorf("lowest %v", low)
	}
	fill(t, s, 201, 210)
	s.Commit(epoch, 101, 210)
	if s.Low() != (spool.Position{}) {
		t.Errorf("lowest %v", s.Low())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o)
	if s.Last() != 210 || s.Low() != (spool.Position{}) || len(read(t, s, 1)) != 0 || s.Bytes() != 0 || len(s.Lost()) != 0 {
		t.Errorf("after an orderly end: last %d, lowest %v, %d bytes, lost %v", s.Last(), s.Low(), s.Bytes(), s.Lost())
	}
}

// A reader goes on when there is more, and passes over what was committed.
func TestReadersFollow(t *testing.T) {
	s := open(t, spool.Options{Dir: t.TempDir()}.Small(500))
	r := s.Reader()
	next := uint64(1)
	for round := range uint64(20) {
		fill(t, s, 10*round+1, 10*round+10)
		for {
			b, err := r.Next(4, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if b.First == 0 {
				break
			}
			if b.First != next {
				t.Fatalf("got %d, want %d", b.First, next)
			}
			next = b.Last + 1
			s.Commit(b.Epoch, b.First, b.Last)
		}
		if next != 10*round+11 {
			t.Fatalf("stopped at %d", next)
		}
	}
}

// A full spool takes events again when what it has is committed, and what it
// could not take is lost if the process is killed, by number.
func TestAFullSpoolRecovers(t *testing.T) {
	o := spool.Options{Dir: t.TempDir(), Limit: spool.MinLimit}
	s := open(t, o)
	event := bytes.Repeat([]byte("x"), 10_000)
	n := uint64(0)
	for err := error(nil); err == nil; {
		n++
		if err = s.Append(n, event); err != nil && !errors.Is(err, spool.ErrFull) {
			t.Fatal(err)
		}
	}
	if s.Bytes() > spool.MinLimit || s.Bytes() < spool.MinLimit-20_000 {
		t.Errorf("full with %d bytes", s.Bytes())
	}
	killed := open(t, o)
	if lost := killed.Lost(); len(lost) != 1 || lost[0].First != n || lost[0].Last != n || killed.Epoch() == s.Epoch() {
		t.Errorf("lost %v, want %d", lost, n)
	}
	s = killed
	for old := s.Low(); old.Number != 0; old = s.Low() {
		s.Commit(old.Epoch, old.Number, old.Number)
	}
	for round := range uint64(3) { // also if the last segment alone is in the way
		first := s.Last() + 1
		for i := range uint64(80) {
			if err := s.Append(first+i, event); err != nil {
				t.Fatalf("round %d: %v with %d bytes", round, err, s.Bytes())
			}
		}
		s.Commit(s.Epoch(), first, first+79)
	}
	if _, err := spool.Open(spool.Options{Dir: t.TempDir(), Limit: spool.MinLimit - 1, Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("a limit that is too low is taken")
	}
}

// What the files of an earlier version have is sent under its epoch.
func TestEarlierVersionsAreAdopted(t *testing.T) {
	o := spool.Options{Dir: t.TempDir()}
	var b []byte
	for n := uint64(6); n <= 9; n++ {
		b = append(b, spool.RecordOfEarlierVersions(n, line(n))...)
	}
	for name, text := range map[string][]byte{"epoch": []byte("e1\n"), fmt.Sprintf("%020d.seg", 6): b, fmt.Sprintf("%020d.seg", 12): nil} {
		if err := os.WriteFile(filepath.Join(o.Dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // killed after it
		s := open(t, o)
		got, err := s.Reader().Next(10, 1000)
		if err != nil || got.Epoch != "e1" || got.First != 6 || got.Last != 9 || s.Epoch() == "e1" || len(s.Lost()) != 0 {
			t.Errorf("%+v, %v, lost %v", got, err, s.Lost())
		}
	}
	s := open(t, o)
	s.Commit("e1", 6, 9)
	if s.Low() != (spool.Position{}) {
		t.Errorf("lowest %v", s.Low())
	}
}

// What could not be written down as committed is not deleted: without its file it
// would count as lost.
func TestCommitsThatAreNotRecordedLoseNothing(t *testing.T) {
	o := spool.Options{Dir: t.TempDir()}.Small(500)
	s := open(t, o)
	fill(t, s, 1, 100)
	before := len(segments(t, o.Dir))
	obstacle := filepath.Join(o.Dir, s.Epoch(), "done.1.new")
	if err := errors.Join(s.BreakJournal(), os.Mkdir(obstacle, 0o700)); err != nil {
		t.Fatal(err)
	}
	s.Commit(s.Epoch(), 1, 40)
	s.Commit(s.Epoch(), 41, 80)
	fill(t, s, 101, 140) // new segments, with which old ones go
	after := spool.Options{Dir: filepath.Join(t.TempDir(), "killed")}
	if err := os.CopyFS(after.Dir, os.DirFS(o.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(after.Dir, s.Epoch(), filepath.Base(obstacle))); err != nil {
		t.Fatal(err)
	}
	if killed := open(t, after); len(killed.Lost()) > 0 || killed.Low().Number != 1 {
		t.Errorf("lost %v, lowest %v", killed.Lost(), killed.Low())
	}
	if err := os.Remove(obstacle); err != nil { // the disk has room again
		t.Fatal(err)
	}
	s.Commit(s.Epoch(), 81, 90)
	if n := len(segments(t, o.Dir)); n >= before {
		t.Errorf("%d of %d segments are left", n, before)
	}
	killed := open(t, o)
	if lost := killed.Lost(); len(lost) > 0 || killed.Epoch() != s.Epoch() || killed.Low().Number != 91 {
		t.Errorf("lost %v, lowest %v", lost, killed.Low())
	}
}

// A segment of another node has no events of this one, in the place of one of its
// segments or beside it: nothing is sent under numbers that are not its own.
func TestSegmentsOfOthersAreDamage(t *testing.T) {
	other := spool.Options{Dir: t.TempDir()}
	fill(t, open(t, other), 1, 9)
	foreign, err := os.ReadFile(segments(t, other.Dir)[0])
	if err != nil {
		t.Fatal(err)
	}
	for beside, lost := range map[bool]int{false: 9, true: 0} {
		o := spool.Options{Dir: t.TempDir()}
		s := open(t, o)
		epoch := s.Epoch()
		fill(t, s, 1, 9)
		path := segments(t, o.Dir)[0]
		if beside {
			path = filepath.Join(filepath.Dir(path), fmt.Sprintf("%020d.seg", 5))
		}
		if err := os.WriteFile(path, foreign, 0o600); err != nil {
			t.Fatal(err)
		}
		s = open(t, o)
		count := 0
		for _, l := range s.Lost() {
			count += int(l.Last - l.First + 1)
		}
		got, err := s.Reader().Next(20, 10_000)
		if err != nil || (s.Epoch() == epoch) != beside || count != lost || lost == 0 && (got.Epoch != epoch || got.First != 1 || got.Last != 9) || lost > 0 && got.First != 0 {
			t.Errorf("beside %t: %+v, %v, lost %v", beside, got, err, s.Lost())
		}
	}
}

func TestWrongDirectories(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if _, err := spool.Open(spool.Options{Dir: file, Log: log}); err == nil {
		t.Error("a file is a spool")
	}
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "e"), 0o700), os.WriteFile(filepath.Join(dir, "e", "x.seg"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := spool.Open(spool.Options{Dir: dir, Log: log}); err == nil || !strings.Contains(err.Error(), "x.seg is not a segment") {
		t.Errorf("%v", err)
	}
	if _, err := spool.Open(spool.Options{Dir: t.TempDir(), Sync: "often", Log: log}); err == nil || !strings.Contains(err.Error(), `"often" must be never, interval or always`) {
		t.Errorf("%v", err)
	}
}

func TestSyncForcesEventsToTheDisk(t *testing.T) {
	for sync, want := range map[spool.Sync]uint64{spool.SyncNever: 0, spool.SyncAlways: 3} {
		s := open(t, spool.Options{Dir: t.TempDir(), Sync: sync})
		for n := range uint64(3) {
			if err := errors.Join(s.Append(n+1, []byte("x")), s.Flush(n+1)); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.Synced(); got != want {
			t.Errorf("%s: event %d is on the disk, want %d", sync, got, want)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, sync := range []spool.Sync{spool.SyncNever, spool.SyncInterval, spool.SyncAlways} {
		b.Run(string(sync), func(b *testing.B) {
			s, err := spool.Open(spool.Options{Dir: b.TempDir(), Limit: 1 << 40, Sync: sync, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			event := bytes.Repeat([]byte("x"), 600)
			b.ReportAllocs()
			for n := uint64(1); b.Loop(); n++ {
				if err := errors.Join(s.Append(n, event), s.Flush(n)); err != nil {
					b.Fatal(err)
				}
				if n%10_000 == 0 {
					s.Commit(s.Epoch(), 1, n)
				}
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
