package limits_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/shared/wire"
)

// granted returns counters of four limits that apply to one request, each with a share.
func granted(t testing.TB, share int64, list ...wire.Limit) (*limits.Registry, []*limits.Counter) {
	r := limits.NewRegistry(1)
	r.Begin()
	var out []*limits.Counter
	for i := range list {
		out = append(out, r.Counter(wire.HolderKey, "k", &list[i]))
	}
	r.End()
	for i := range out { // each asks once, which makes it known
		var h limits.Hold
		if r.TryNow(out[i:i+1], &limits.Need{Tokens: 1, Cost: 1}, 0, &h) == nil {
			t.Fatal("a request was admitted without a share")
		}
	}
	rep := r.Report(time.Second, false)
	reply := &wire.LeaseReply{Epoch: 1, Seq: rep.Seq, Valid: time.Minute}
	for _, u := range rep.Uses {
		reply.Grants = append(reply.Grants, wire.LeaseGrant{Counter: u.Counter, Period: 5, Share: share})
	}
	if !r.Apply(reply, time.Second, time.Second) {
		t.Fatal("the reply was not taken")
	}
	return r, out
}

func four() []wire.Limit {
	return []wire.Limit{
		{Kind: wire.LimitRPM, Value: 1 << 40},
		{Kind: wire.LimitTPM, Value: 1 << 40},
		{Kind: wire.LimitConcurrency, Value: 1 << 40},
		{Kind: wire.LimitBudget, Reset: wire.ResetMonth, Value: 1 << 40},
	}
}

// What is taken is settled by what was used, and a refusal takes nothing.
func TestTakeAndSettle(t *testing.T) {
	r, list := granted(t, 100, four()...)
	now := 2 * time.Second
	var first, second, third limits.Hold
	if p := r.TryNow(list, &limits.Need{Tokens: 80, Cost: 80}, now, &first); p != nil {
		t.Fatalf("refused: %+v", p)
	}
	p := r.TryNow(list, &limits.Need{Tokens: 30, Cost: 1}, now, &second)
	if p == nil || p.Limit.Kind != wire.LimitTPM || p.Left != 20 {
		t.Fatalf("refused by %+v, want tpm with 20 left", p)
	}
	if p.Retry < 58*time.Second || p.Retry > time.Minute+time.Second {
		t.Errorf("tokens come back in %s, want about a minute", p.Retry)
	}
	first.Settle(r, &limits.Need{Tokens: 10, Cost: 90}, nil) // fewer tokens, more money
	if p := r.TryNow(list, &limits.Need{Tokens: 90, Cost: 11}, now, &second); p == nil || p.Limit.Kind != wire.LimitBudget {
		t.Errorf("refused by %+v, want the budget", p)
	}
	if p := r.TryNow(list, &limits.Need{Tokens: 90, Cost: 10}, now, &second); p != nil {
		t.Errorf("refused: %+v", p)
	}
	first.Release(r)
	second.Release(r)
	if p := r.TryNow(list, &limits.Need{Tokens: 90, Cost: 10}, now, &third); p != nil {
		t.Errorf("what was released is not to be had: %+v", p)
	}
}

// A counter that the daemon asks for is reported at once, and once more when the
// answer has made its share smaller.
func TestRecall(t *testing.T) {
	r, list := granted(t, 100, wire.Limit{Kind: wire.LimitRPM, Value: 100}, wire.Limit{Kind: wire.LimitRPD, Value: 100})
	now := time.Second + 10*time.Millisecond
	for rep := r.Report(now, false); rep != nil; rep = r.Report(now, false) { // what there is to tell
		answer(t, r, rep, 100, now)
	}
	for len(r.Kick()) > 0 {
		<-r.Kick()
	}
	asked := list[1].Limit().Counter(wire.HolderKey, "k")
	r.Recall([]uint64{asked, 12345})
	for round := range 2 {
		if len(r.Kick()) == 0 {
			t.Fatalf("round %d: no report is asked for", round)
		}
		<-r.Kick()
		rep := r.Report(now, false)
		if rep == nil || len(rep.Uses) != 1 || rep.Uses[0].Counter != asked || rep.Uses[0].Held != 100-40*int64(round) {
			t.Fatalf("round %d: %+v", round, rep)
		}
		answer(t, r, rep, 60, now)
	}
	if rep := r.Report(now, false); rep != nil || len(r.Kick()) > 0 {
		t.Errorf("there is more to tell: %+v", rep)
	}
}

// answer gives each counter of a report a share.
func answer(t *testing.T, r *limits.Registry, rep *wire.LeaseReport, share int64, now time.Duration) {
	t.Helper()
	reply := &wire.LeaseReply{Epoch: 1, Seq: rep.Seq, Valid: time.Minute}
	for _, u := range rep.Uses {
		reply.Grants = append(reply.Grants, wire.LeaseGrant{Counter: u.Counter, Period: 5, Share: share})
	}
	if !r.Apply(reply, now, now) {
		t.Fatal("the reply was not taken")
	}
}

// A use stays in the window for its minute, however late the clock is turned.
func TestUsesLeaveTheWindowInTime(t *testing.T) {
	for _, late := range []time.Duration{0, 3 * time.Second, 70 * time.Second} {
		r, list := granted(t, 1, wire.Limit{Kind: wire.LimitRPM, Value: 1})
		used := 10 * time.Second
		r.Turn(used)
		var h limits.Hold
		used += late // the clock was not turned meanwhile
		if p := r.TryNow(list, &limits.Need{}, used, &h); p != nil {
			t.Fatalf("refused: %+v", p)
		}
		for at := used; ; at += 100 * time.Millisecond {
			r.Turn(at)
			if r.TryNow(list, &limits.Need{}, at, &h) != nil {
				continue
			}
			if waited := at - used; waited < time.Minute || waited > time.Minute+time.Second {
				t.Errorf("turned %s late: the window had room after %s", late, waited)
			}
			break
		}
	}
}

// While no one grants, a closed limit's share ends, a shared one's stays, and an
// open limit admits everything.
func TestOutage(t *testing.T) {
	for policy, want := range map[string][2]bool{wire.OutageClosed: {true, false}, wire.OutageShare: {true, true}, wire.OutageOpen: {true, true}} {
		r, list := granted(t, 5, wire.Limit{Kind: wire.LimitRPM, Value: 10, OnOutage: policy})
		r.Failed()
		var h limits.Hold
		for i, at := range []time.Duration{30 * time.Second, 70 * time.Second} {
			if got := r.TryNow(list, &limits.Need{}, at, &h) == nil; got != want[i] {
				t.Errorf("%s: admitted %v after %s, want %v", policy, got, at, want[i])
			}
		}
		var more int
		for range 10 {
			if r.TryNow(list, &limits.Need{}, 71*time.Second, &h) == nil {
				more++
			}
		}
		if want := map[string]int{wire.OutageClosed: 0, wire.OutageShare: 3, wire.OutageOpen: 10}[policy]; more != want {
			t.Errorf("%s: %d more were admitted, want %d", policy, more, want)
		}
	}
}

// A reply to an earlier report, or of a daemon that was succeeded, is void.
func TestOldRepliesAreVoid(t *testing.T) {
	r, list := granted(t, 5, wire.Limit{Kind: wire.LimitConcurrency, Value: 10})
	var h limits.Hold
	_ = r.TryNow(list, &limits.Need{}, time.Second, &h)
	rep := r.Report(3*time.Second, false)
	grants := []wire.LeaseGrant{{Counter: rep.Uses[0].Counter, Share: 9}}
	if r.Apply(&wire.LeaseReply{Epoch: 1, Seq: rep.Seq - 1, Grants: grants}, 0, 0) || r.Apply(&wire.LeaseReply{Epoch: 0, Seq: rep.Seq, Grants: grants}, 0, 0) {
		t.Error("a void reply was applied")
	}
	if !r.Apply(&wire.LeaseReply{Epoch: 2, Seq: rep.Seq, Grants: grants}, 0, 0) {
		t.Error("the right reply was not applied")
	}
}

// BenchmarkAdmit admits and settles a request to which four limits apply.
func BenchmarkAdmit(b *testing.B) {
	r, list := granted(b, 1<<50, four()...)
	clock := limits.NewClock()
	var h limits.Hold
	b.ReportAllocs()
	for b.Loop() {
		if p := r.Admit(list, &limits.Need{Tokens: 100, Cost: 100}, clock, &h); p != nil {
			b.Fatal(p)
		}
		h.Settle(r, &limits.Need{Tokens: 100, Cost: 100}, nil)
		h.Release(r)
	}
}

// Admission and settling over four limits allocate nothing.
func TestAdmissionDoesNotAllocate(t *testing.T) {
	r, list := granted(t, 1<<50, four()...)
	clock := limits.NewClock()
	var h limits.Hold
	need := limits.Need{Tokens: 100, Cost: 100}
	if n := testing.AllocsPerRun(100, func() {
		if r.Admit(list, &need, clock, &h) != nil {
			t.Error("refused")
		}
		h.Settle(r, &need, nil)
		h.Release(r)
	}); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}

// A stream may be longer than its window: by its end the counter may have been
// retired, or its limit removed.
func TestSettlingAfterTheWindow(t *testing.T) {
	for name, removed := range map[string]bool{"retired": false, "removed": true} {
		r, list := granted(t, 10, wire.Limit{Kind: wire.LimitTPM, Value: 100})
		var stream limits.Hold
		at := 2 * time.Second
		if p := r.TryNow(list, &limits.Need{Tokens: 10}, at, &stream); p != nil {
			t.Fatalf("%s: refused: %+v", name, p)
		}
		if removed {
			r.Begin()
			r.End()
		}
		for range 200 { // nothing is used any more, so the daemon takes the share back
			at += time.Second
			r.Turn(at)
			if rep := r.Report(at, false); rep != nil {
				reply := &wire.LeaseReply{Epoch: 1, Seq: rep.Seq, Valid: time.Minute}
				for _, u := range rep.Uses {
					reply.Grants = append(reply.Grants, wire.LeaseGrant{Counter: u.Counter, Period: u.Period, Share: u.Used})
				}
				r.Apply(reply, at, at)
			}
		}
		if rep := r.Report(at+time.Second, false); rep != nil {
			t.Fatalf("%s: the counter is still reported: %+v", name, rep)
		}
		stream.Settle(r, &limits.Need{Tokens: 25}, nil)
		stream.Release(r)
		if removed {
			continue
		}
		// what it used beyond its estimate counts from now on
		rep := r.Report(at+2*time.Second, false)
		if rep == nil || len(rep.Uses) != 1 || rep.Uses[0].Used != 15 {
			t.Errorf("%s: reported %+v, want 15 used", name, rep)
		}
	}
}

// answers is a daemon that answers every report after 5 ms. It grants one more
// with each answer, if more is set.
func answers(ctx context.Context, r *limits.Registry, clock limits.Clock, dry, more bool) {
	var share int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.Kick():
		}
		time.Sleep(5 * time.Millisecond)
		rep := r.Report(clock.Now(), false)
		if rep == nil {
			continue
		}
		if more {
			share++
		}
		reply := &wire.LeaseReply{Epoch: 1, Seq: rep.Seq, Valid: time.Minute}
		for _, u := range rep.Uses {
			reply.Grants = append(reply.Grants, wire.LeaseGrant{Counter: u.Counter, Period: 5, Share: share, Dry: dry})
		}
		r.Apply(reply, clock.Now(), clock.Now())
	}
}

// A daemon that does not know yet what is left, or waits for others to give it
// back, has not said that nothing is: the limit cannot be checked. Of a rate that
// others take as fast as it comes there is nothing left.
func TestNotYetIsNotSpent(t *testing.T) {
	budget := wire.Limit{Kind: wire.LimitBudget, Reset: wire.ResetTotal, Value: 100}
	for name, c := range map[string]struct {
		limit             wire.Limit
		dry, more, outage bool
	}{
		"budget, not known":      {limit: budget, outage: true},
		"budget, spent":          {limit: budget, dry: true},
		"budget, not enough yet": {limit: budget, more: true, outage: true},
		"rate, not known":        {limit: wire.Limit{Kind: wire.LimitTPM, Value: 100}, outage: true},
		"rate, not enough yet":   {limit: wire.Limit{Kind: wire.LimitTPM, Value: 100}, more: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, list := granted(t, 0, c.limit)
				clock := limits.NewClock()
				ctx, cancel := context.WithCancel(t.Context())
				var daemon sync.WaitGroup
				daemon.Go(func() { answers(ctx, r, clock, c.dry, c.more) })
				defer daemon.Wait()
				defer cancel()
				var h limits.Hold
				began := time.Now()
				p := r.Admit(list, &limits.Need{Tokens: 50, Cost: 50}, clock, &h)
				if p == nil || p.Outage != c.outage {
					t.Errorf("refused with %+v, want an outage: %v", p, c.outage)
				}
				if waited := time.Since(began); waited > 60*time.Millisecond || c.dry && waited > 10*time.Millisecond {
					t.Errorf("waited for %s", waited)
				}
			})
		})
	}
}
