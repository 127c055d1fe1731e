package meter_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hybridinference/gateway/dataplane/meter"
	"github.com/hybridinference/gateway/dataplane/spool"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

func openSpool(t *testing.T, o spool.Options) *spool.Spool {
	t.Helper()
	o.Log = quiet()
	s, err := spool.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run sends until the sink has so many events.
func run(t *testing.T, m *meter.Meter, s *sink, want int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx, time.Second, s.take) }()
	eventually.True(t, fmt.Sprintf("%d events are sent", want), func() bool { return s.count() >= want })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func (s *sink) count() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.batches {
		n += int(b.Last - b.First + 1)
	}
	return n
}

// A process that was killed with everything unsent has lost nothing.
func TestTheNextProcessSendsWhatThisOneCould(t *testing.T) {
	o := spool.Options{Dir: t.TempDir(), Limit: spool.MinLimit}
	m := meter.New(meter.DefaultLimit, openSpool(t, o), quiet())
	for i := range 1000 {
		m.Add(line(i))
	}
	// killed: neither Run nor Close
	m, s := meter.New(meter.DefaultLimit, openSpool(t, o), quiet()), &sink{}
	for i := 1000; i < 1300; i++ {
		m.Add(line(i))
	}
	if c := m.Counts(); c.Issued != 1300 || c.Pending != 1300 || c.Spooled == 0 {
		t.Errorf("before: %+v", c)
	}
	run(t, m, s, 1300)
	s.check(t, 1300)
	if s.batches[0].Attempt == 0 {
		t.Error("JetStream would take the first batch for one that it has")
	}
	if c := m.Counts(); c.Pending != 0 || c.Acked != 1300 {
		t.Errorf("after: %+v", c)
	}
}

// What JetStream had from the process before may be committed while this one
// still reads the spool: it does not wait for that any more.
func TestWhatIsCommittedMeanwhileDoesNotWait(t *testing.T) {
	o := spool.Options{Dir: t.TempDir(), Limit: spool.MinLimit}
	m := meter.New(meter.DefaultLimit, openSpool(t, o), quiet())
	for i := range 1000 {
		m.Add(line(i))
	}
	kept := openSpool(t, o)
	m, s := meter.New(meter.DefaultLimit, kept, quiet()), &sink{}
	m.Committed(&wire.Receipt{Ranges: []wire.Range{{Epoch: kept.Epoch(), First: 2, Last: 700}}})
	run(t, m, s, 301)
	if n := s.count(); n >= 1000 || n < 301 {
		t.Errorf("%d events were sent", n)
	}
	if c := m.Counts(); c.Issued != 1000 || c.Pending != 0 || c.Acked != 1000 {
		t.Errorf("%+v, want nothing to be pending", c)
	}
}

// What memory does not hold comes from the files, each event once and in order.
func TestMemoryIsBoundedFilesHoldTheRest(t *testing.T) {
	m, s := meter.New(30_000, openSpool(t, spool.Options{Dir: t.TempDir()}), quiet()), &sink{}
	for i := range 2000 {
		m.Add(line(i))
	}
	if c := m.Counts(); c.Lost != 0 || c.Pending != 2000 {
		t.Errorf("%+v", c)
	}
	go func() {
		for i := 2000; i < 4000; i++ {
			m.Add(line(i))
		}
	}()
	run(t, m, s, 4000)
	s.check(t, 4000)
}

// A commit empties the files, and only of this spool's own numbers.
func TestCommitsEmptyTheSpool(t *testing.T) {
	kept := openSpool(t, spool.Options{Dir: t.TempDir(), Limit: spool.MinLimit})
	m, s := meter.New(meter.DefaultLimit, kept, quiet()), &sink{}
	for i := range 500 {
		m.Add(line(i))
	}
	run(t, m, s, 500)
	m.Committed(&wire.Receipt{Ranges: []wire.Range{{Epoch: "another", First: 1, Last: 500}}})
	if kept.Low().Number != 1 {
		t.Errorf("another's receipt counts: %v", kept.Low())
	}
	m.Committed(&wire.Receipt{Ranges: []wire.Range{{Epoch: kept.Epoch(), First: 1, Last: 200}, {Epoch: kept.Epoch(), First: 201, Last: 500}}})
	if kept.Low().Number != 0 || m.Counts().Spooled > spool.MinLimit/8 {
		t.Errorf("lowest %v, %+v", kept.Low(), m.Counts())
	}
}

// Dead letters are not stored, until a replay has stored them.
func TestDeadLettersAreNotStored(t *testing.T) {
	kept := openSpool(t, spool.Options{Dir: t.TempDir()})
	m, s := meter.New(meter.DefaultLimit, kept, quiet()), &sink{}
	for i := range 500 {
		m.Add(line(i))
	}
	run(t, m, s, 500)
	span := func(first, last uint64) wire.Range {
		return wire.Range{Epoch: kept.Epoch(), First: first, Last: last}
	}
	f := func(r wire.Receipt, stored, dead uint64) {
		t.Helper()
		m.Committed(&r)
		if c := m.Counts(); c.Issued != 500 || c.Acked != 500 || c.Stored != stored || c.DeadLettered != dead || c.Pending+c.Lost != 0 {
			t.Errorf("after %+v: %+v, want %d stored and %d dead letters", r, c, stored, dead)
		}
	}
	f(wire.Receipt{}, 0, 0)
	f(wire.Receipt{Ranges: []wire.Range{span(1, 400)}, Dead: []wire.Range{span(7, 7), span(90, 91)}}, 397, 3)
	f(wire.Receipt{Ranges: []wire.Range{span(1, 400)}, Dead: []wire.Range{span(7, 7), span(90, 91)}}, 397, 3) // once more
	f(wire.Receipt{Ranges: []wire.Range{span(401, 500)}}, 497, 3)
	if kept.Low().Number != 0 {
		t.Errorf("dead letters stay in the spool: %v", kept.Low())
	}
	f(wire.Receipt{Ranges: []wire.Range{span(90, 90)}}, 498, 2)                                   // replayed
	f(wire.Receipt{Ranges: []wire.Range{span(91, 91)}, Dead: []wire.Range{span(91, 91)}}, 498, 2) // in vain
	f(wire.Receipt{Ranges: []wire.Range{{Epoch: "another", First: 1, Last: 500}, span(0, 3)}}, 498, 2)
}

// A spool that is full is no reason to refuse anything: memory has it, and that
// is said.
func TestAFullSpoolIsToldAndSurvived(t *testing.T) {
	m, s := meter.New(meter.DefaultLimit, openSpool(t, spool.Options{Dir: t.TempDir(), Limit: spool.MinLimit}), quiet()), &sink{}
	for i := range 4000 {
		m.Add(line(i))
	}
	if text := m.Storage(); text != "usage events are kept in memory only: the spool is full" {
		t.Errorf("storage: %q", text)
	}
	run(t, m, s, 4000)
	s.check(t, 4000)
	if c := m.Counts(); c.Lost != 0 || c.Acked != 4000 {
		t.Errorf("%+v", c)
	}
}

// Events that JetStream has stored but the collector has not committed are sent
// again after NATS was away, under another message id.
func TestUncommittedEventsAreSentAgain(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { testResend(t, dir) })
}

func testResend(t *testing.T, dir string) {
	t.Helper()
	kept := openSpool(t, spool.Options{Dir: dir})
	defer func() { _ = kept.Close() }()
	m, s := meter.New(meter.DefaultLimit, kept, quiet()), &sink{}
	for i := range 10 {
		m.Add(line(i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx, time.Second, s.take) }()
	m.Suspect()
	time.Sleep(20 * time.Second) // of the test's own clock
	if n := s.count(); n < 20 {
		t.Fatalf("%d events sent, want the 10 twice", n)
	}
	m.Committed(&wire.Receipt{Ranges: []wire.Range{{Epoch: kept.Epoch(), First: 1, Last: 10}}})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, again := s.batches[0], s.batches[len(s.batches)-1]; first.Attempt == 0 || again.Attempt == first.Attempt || again.First != 1 {
		t.Errorf("attempts %d and %d", first.Attempt, again.Attempt)
	}
	if c := m.Counts(); c.Acked != 10 || c.Pending != 0 {
		t.Errorf("%+v", c)
	}
}

// The age of the oldest event is known as well as it is asked for, and grows until the event is committed.
func TestHowLongTheOldestEventWaits(t *testing.T) {
	o := spool.Options{Dir: t.TempDir(), Limit: spool.MinLimit}
	kept := openSpool(t, o)
	m, now := meter.New(meter.DefaultLimit, kept, quiet()), time.Now()
	after := func(seconds int, want time.Duration) {
		t.Helper()
		if got := m.Waiting(now.Add(time.Duration(seconds) * time.Second)).Round(time.Second); got != want*time.Second {
			t.Errorf("after %d s: %s, want %d s", seconds, got, want)
		}
	}
	after(0, 0)
	m.Add(line(1))
	after(10, 0)
	m.Add(line(2))
	after(20, 10)
	after(30, 20)
	m.Committed(&wire.Receipt{Ranges: []wire.Range{{Epoch: kept.Epoch(), First: 1, Last: 1}}})
	after(40, 20) // the second was seen at 20
	m.Committed(&wire.Receipt{Ranges: []wire.Range{{Epoch: kept.Epoch(), First: 2, Last: 2}}})
	after(50, 0)
	for i := range 9000 { // the list is bounded
		m.Add(line(i))
		m.Waiting(now.Add(time.Duration(60+i) * time.Second))
	}
	after(9060, 9000)
	now = time.Now()
	m = meter.New(meter.DefaultLimit, openSpool(t, o), quiet()) // killed
	after(100, 100)
}
