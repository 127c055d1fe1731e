package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/meter"
	"github.com/hybridinference/gateway/dataplane/node"
	"github.com/hybridinference/gateway/dataplane/spool"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// number names an event in a spool.
type number struct {
	epoch string
	n     uint64
}

// rows are events by their request id, as a database has them.
type rows struct {
	mu  sync.Mutex
	ids map[string]number
}

// store takes in a batch, and complains of a number that had another event.
func (r *rows) store(t *testing.T, epoch string, first uint64, lines []byte, w *written) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, line := range bytes.Split(bytes.TrimSuffix(lines, []byte("\n")), []byte("\n")) {
		u, _, err := w.decoder.Decode(line)
		if err != nil {
			t.Error(err)
			return
		}
		at := number{epoch, first + uint64(i)}
		if id, seen := w.known[at]; seen && id != u.RequestID {
			t.Errorf("%v was %s and is %s", at, id, u.RequestID)
		}
		w.known[at] = u.RequestID
		r.ids[u.RequestID] = at
	}
}

func (r *rows) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ids)
}

// written is the spool of a node that was killed.
type written struct {
	dir    string            // of the files
	stored map[string]number // what the collector has committed before
	known  map[number]string // all events

	decoder *wire.UsageDecoder
}

// writeSpool has a node answer requests, the first of which are committed.
func writeSpool(t *testing.T) *written {
	t.Helper()
	const committed, left = 300, 900
	s := bustest.Start(t)
	c := newControl(t, s)
	if _, err := bus.EnsureUsage(t.Context(), c.nc, bus.Limits{}); err != nil {
		t.Fatal(err)
	}
	c.publish(release(1, 1, demo("a")))
	w := &written{dir: t.TempDir(), known: map[number]string{}, decoder: wire.NewUsageDecoder()}
	got := &rows{ids: map[string]number{}}
	if _, err := c.nc.Subscribe(wire.UsagePrefix+"n1", func(m *nats.Msg) {
		f, err := bus.DecodeFrame(m.Header, m.Data)
		if err != nil {
			t.Error(err)
			return
		}
		got.store(t, f.Epoch, f.First, f.Lines, w)
		receipt, err := (&wire.Receipt{Ranges: []wire.Range{{Epoch: f.Epoch, First: f.First, Last: f.Last}}}).Encode()
		if err := errors.Join(err, c.nc.Publish(wire.CommitPrefix+"n1", receipt)); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	n, err := node.New(t.Context(), node.Options{
		Node: "n1", Version: "test", NATS: bus.Options{URL: s.ClientURL()}, StateDir: state, Breaker: upstream.DefaultBreaker(), SpoolLimit: spool.MinLimit,
		Gateway: gateway.Options{Addr: "127.0.0.1:0"}, Flush: time.Millisecond, Secret: func(string) (string, bool) { return "", false }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	eventually.True(t, "the release is served", func() bool { return n.Current().Release == 1 })
	askTimes(t, n, committed)
	eventually.True(t, "the first requests are committed", func() bool {
		dir := t.TempDir()
		copyDir(t, filepath.Join(state, "spool"), dir)
		kept := openSpool(t, dir)
		defer func() { _ = kept.Close() }()
		return got.count() == committed && kept.Low() == (spool.Position{})
	})
	w.stored = maps.Clone(got.ids)
	s.Stop()
	askTimes(t, n, left)
	copyDir(t, filepath.Join(state, "spool"), w.dir) // as a kill would leave it
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	copyDir(t, w.dir, dir)
	counts := w.recover(t, dir, nil)
	if counts.Lost != 0 || len(w.known) != committed+left || counts.Issued != left {
		t.Fatalf("without damage: %+v, %d events", counts, len(w.known))
	}
	return w
}

func askTimes(t *testing.T, n *node.Node, requests int) {
	t.Helper()
	for range requests {
		if status, body := call(t, n, "/v1/chat/completions", `{"model":"a","messages":[{"role":"user","content":"Ping"}],"max_tokens":1}`); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
}

// recover starts on a spool, sends what is there, and returns the balance; stored
// gets the rows.
func (w *written) recover(t *testing.T, dir string, stored *rows) wire.UsageCounts {
	t.Helper()
	if stored == nil {
		stored = &rows{ids: map[string]number{}}
	}
	kept := openSpool(t, dir)
	m := meter.New(meter.DefaultLimit, kept, slog.New(slog.DiscardHandler))
	before := m.Counts()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- m.Run(ctx, time.Second, func(_ context.Context, b meter.Batch) error {
			stored.store(t, b.Epoch, b.First, b.Lines, w)
			m.Committed(&wire.Receipt{Ranges: []wire.Range{{Epoch: b.Epoch, First: b.First, Last: b.Last}}})
			return nil
		})
	}()
	// a new event must not have the number of another
	m.Add(append((&wire.Usage{RequestID: "new-" + strconv.FormatUint(rand.Uint64(), 36), Attempts: []wire.Attempt{}}).Append(nil), '\n'))
	eventually.True(t, "everything is sent", func() bool { return m.Counts().Pending == 0 })
	cancel()
	if err := errors.Join(<-done, kept.Close()); err != nil {
		t.Fatal(err)
	}
	after := m.Counts()
	if after.Issued != before.Issued+1 {
		t.Errorf("%+v before, %+v after", before, after)
	}
	after.Issued, after.Acked = after.Issued-1, after.Acked-1 // but for the new one
	for id, at := range stored.ids {
		if strings.HasPrefix(id, "new-") {
			delete(stored.ids, id)
			delete(w.known, at)
		}
	}
	return after
}

// damage is what can happen to a file, or several.
type damage struct {
	name string
	do   func(rnd *rand.Rand, paths []string) error
	// double damage strikes what tells lost events from committed ones: more
	// than the lost ones may count as lost.
	more bool
}

func change(path string, do func(b []byte) []byte) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, do(b), 0o600)
}

func damages() []damage {
	segments := func(paths []string) []string {
		return slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return filepath.Ext(p) != ".seg" })
	}
	one := func(do func(rnd *rand.Rand, b []byte) []byte) func(*rand.Rand, []string) error {
		return func(rnd *rand.Rand, paths []string) error {
			all := segments(paths)
			return change(all[rnd.IntN(len(all))], func(b []byte) []byte { return do(rnd, b) })
		}
	}
	page := func(rnd *rand.Rand, b []byte) []byte {
		at := rnd.IntN(len(b)/4096+1) * 4096
		return b[min(at, len(b)):min(at+4096, len(b))]
	}
	named := func(names ...string) func(*rand.Rand, []string) error {
		return func(rnd *rand.Rand, paths []string) error {
			for _, path := range paths {
				if !slices.Contains(names, filepath.Base(path)) {
					continue
				}
				if err := change(path, func(b []byte) []byte {
					for range 1 + len(b)/200 {
						b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
					}
					return b
				}); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return []damage{
		{name: "flipped bits", do: one(func(rnd *rand.Rand, b []byte) []byte {
			for range 1 + rnd.IntN(8) {
				b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
			}
			return b
		})},
		{name: "a flipped bit at the beginning", do: one(func(rnd *rand.Rand, b []byte) []byte { b[rnd.IntN(20)] ^= 1 << rnd.IntN(8); return b })},
		{name: "zeroed first page", do: one(func(_ *rand.Rand, b []byte) []byte { clear(b[:min(4096, len(b))]); return b })},
		{name: "zeroed pages", do: one(func(rnd *rand.Rand, b []byte) []byte {
			for range 1 + rnd.IntN(4) {
				clear(page(rnd, b))
			}
			return b
		})},
		{name: "a page of rubbish", do: one(func(rnd *rand.Rand, b []byte) []byte {
			for i, p := 0, page(rnd, b); i < len(p); i++ {
				p[i] = byte(rnd.Uint32())
			}
			return b
		})},
		{name: "cut", do: one(func(rnd *rand.Rand, b []byte) []byte { return b[:rnd.IntN(len(b))] })},
		{name: "empty", do: one(func(*rand.Rand, []byte) []byte { return nil })},
		{name: "a copy beside it", do: func(rnd *rand.Rand, paths []string) error {
			all := segments(paths)
			from := all[rnd.IntN(len(all))]
			b, err := os.ReadFile(from)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%020d.seg", 1+rnd.IntN(900)) // of any number that was issued
			return os.WriteFile(filepath.Join(filepath.Dir(from), name), b, 0o600)
		}},
		{name: "missing", do: func(rnd *rand.Rand, paths []string) (err error) {
			all := segments(paths)
			for range 1 + rnd.IntN(2) {
				i := rnd.IntN(len(all))
				err = errors.Join(err, os.Remove(all[i]))
				all = slices.Delete(all, i, i+1)
			}
			return err
		}},
		{name: "swapped", do: func(rnd *rand.Rand, paths []string) error {
			all := segments(paths)
			i := rnd.IntN(len(all))
			j := (i + 1 + rnd.IntN(len(all)-1)) % len(all)
			return errors.Join(os.Rename(all[i], all[i]+"x"), os.Rename(all[j], all[i]), os.Rename(all[i]+"x", all[j]))
		}},
		{name: "one in the place of another", do: func(rnd *rand.Rand, paths []string) error {
			all := segments(paths)
			b, err := os.ReadFile(all[rnd.IntN(len(all))])
			return errors.Join(err, os.WriteFile(all[rnd.IntN(len(all))], b, 0o600))
		}},
		{name: "another node's in its place", do: func(rnd *rand.Rand, paths []string) error {
			all := segments(paths)
			b, err := foreignSegment(filepath.Dir(filepath.Dir(filepath.Dir(all[0]))))
			return errors.Join(err, os.WriteFile(all[rnd.IntN(len(all))], b, 0o600))
		}},
		{name: "everything is gone", do: func(_ *rand.Rand, paths []string) (err error) {
			for _, path := range segments(paths) {
				err = errors.Join(err, os.Remove(path))
			}
			return err
		}},
		{name: "mark", do: named("issued")},
		{name: "one copy of the journal", do: named("done.1")},
		{name: "both copies of the journal", do: named("done.1", "done.2"), more: true},
		{name: "current", do: named("current")},
	}
}

// foreignSegment is a segment of another node, with the same numbers.
func foreignSegment(tmp string) ([]byte, error) {
	dir := filepath.Join(tmp, "other")
	defer func() { _ = os.RemoveAll(dir) }() // the test's directory goes in the end
	s, err := spool.Open(spool.Options{Dir: dir, Limit: spool.MinLimit, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	for n := range uint64(100) {
		line := (&wire.Usage{RequestID: "other-" + strconv.FormatUint(n, 10), Attempts: []wire.Attempt{}}).Append(nil)
		err = errors.Join(err, s.Append(n+1, append(line, '\n')))
	}
	paths, globbed := filepath.Glob(filepath.Join(dir, s.Epoch(), "*.seg"))
	if err = errors.Join(err, globbed, s.Close()); err != nil || len(paths) == 0 {
		return nil, errors.Join(errors.New("no segment"), err)
	}
	return os.ReadFile(paths[0])
}

// TestDamage damages the spool of a node that was killed, in many ways. After
// each, what is stored and what is lost are together what was issued, number by
// number, and new events get numbers that none had.
func TestDamage(t *testing.T) {
	rounds := 200
	if text := os.Getenv("DAMAGE_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("DAMAGE_ROUNDS: %v", err)
		}
		rounds = n
	}
	if testing.Short() {
		rounds = 50
	}
	w := writeSpool(t)
	seed := rand.Uint64()
	var struck, lost atomic.Uint64
	t.Run("rounds", func(t *testing.T) {
		const workers = 4 // most of a round is waiting
		for i := range workers {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				w, rnd := w.clone(), rand.New(rand.NewPCG(seed, uint64(i)))
				for round := i; round < rounds; round += workers {
					d := damages()[round%len(damages())]
					n := w.after(t, rnd, &d)
					lost.Add(n)
					struck.Add(min(n, 1))
					if t.Failed() {
						t.Fatalf("round %d: %s (seed %d)", round, d.name, seed)
					}
				}
			})
		}
	})
	t.Logf("result: damage: %d rounds, in %d of them %d events were lost, all of them by number", rounds, struck.Load(), lost.Load())
	if int(struck.Load()) < rounds/4 {
		t.Errorf("only %d of %d damages cost anything", struck.Load(), rounds)
	}
}

func (w *written) clone() *written {
	return &written{dir: w.dir, stored: w.stored, known: maps.Clone(w.known), decoder: wire.NewUsageDecoder()}
}

// after damages a copy of the spool and checks the balance; it returns how many
// events are lost.
func (w *written) after(t *testing.T, rnd *rand.Rand, d *damage) uint64 {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "spool")
	defer func() { _ = os.RemoveAll(dir) }() // there are a thousand
	paths := copyDir(t, w.dir, dir)
	if err := d.do(rnd, paths); err != nil {
		t.Fatalf("%s: %v", d.name, err)
	}
	stored := &rows{ids: maps.Clone(w.stored)}
	counts := w.recover(t, dir, stored)
	missing := 0
	for _, id := range w.known {
		if _, ok := stored.ids[id]; !ok {
			missing++
		}
	}
	exact := counts.Lost == uint64(missing)
	if d.more {
		exact = counts.Lost >= uint64(missing)
	}
	if !exact || counts.Issued != counts.Acked+counts.Lost {
		t.Errorf("%d events are missing: %+v", missing, counts)
	}
	again := w.recover(t, dir, stored) // a restart tells it, too, and sends nothing anew
	if again.Lost != counts.Lost || again.Acked != 0 {
		t.Errorf("after a restart %+v, before %+v", again, counts)
	}
	return counts.Lost
}

// copyDir copies the files and returns the copies, sorted.
func copyDir(t *testing.T, from, to string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		paths = append(paths, filepath.Join(to, rel))
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func openSpool(t *testing.T, dir string) *spool.Spool {
	t.Helper()
	s, err := spool.Open(spool.Options{Dir: dir, Limit: spool.MinLimit, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
