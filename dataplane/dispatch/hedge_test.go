package dispatch_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/dataplane/hedge"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// hedged is what became of a request that may be hedged: its text or fault, when
// it had its first content and when it ended, the attempts with what they came
// to, and the endpoint that was broken off.
func (s *stage) hedged(body string, policy *hedge.Policy, change func(*dispatch.Request)) string {
	s.t.Helper()
	s.model.Hedge = policy
	q := &task{}
	if err := q.req.Parse([]byte(body)); err != nil {
		s.t.Fatal(err)
	}
	in := dispatch.Request{Task: q, Cancel: &upstream.Cancel{}, MayHedge: true, ClientRetries: true}
	for _, e := range s.model.Endpoints {
		in.Plan = append(in.Plan, route.Candidate{Model: s.model, Endpoint: e})
	}
	if change != nil {
		change(&in)
	}
	s.run.Start(in)
	begun, first, text := time.Now(), time.Duration(0), ""
	var end error
	for done := false; !done; {
		events, err := s.run.Next(30 * time.Millisecond)
		if errors.Is(err, upstream.ErrSilent) {
			continue
		}
		done = err != nil
		end = err
		for i := range events {
			if events[i].HasContent() && first == 0 {
				first = time.Since(begun)
			}
			text += rawjson.Text(events[i].Content)
			done = done || events[i].Done
		}
	}
	took := time.Since(begun)
	if end != nil {
		text = fault.From(end).Kind.String()
	}
	out := fmt.Sprintf("%s %s/%s:", text, first, took)
	asked, won, loser := s.run.Hedged()
	for _, a := range s.run.Attempts() {
		out += " " + strings.TrimPrefix(a.Endpoint, "m:") + "=" + a.Kind
	}
	if asked {
		out += fmt.Sprintf(" won=%t", won)
	}
	if loser != nil {
		out += " beaten=" + strings.TrimPrefix(loser.ID, "m:")
	}
	s.run.Close()
	s.idle()
	return out
}

func within(d time.Duration) []script {
	return []script{{pieces: []piece{{d, delta}, {10 * time.Millisecond, more}, {0, stop}}}}
}

func in1(d time.Duration) []script { return []script{{slow: d, pieces: []piece{{0, hello}}}} }

func failsIn(d time.Duration, status int) []script { return []script{{slow: d, status: status}} }

func TestHedging(t *testing.T) {
	const ms = time.Millisecond
	f := func(name, body, want string, scripts ...[]script) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var list []endpoint
				for i, s := range scripts {
					list = append(list, endpoint{id: string(rune('a' + i)), scripts: s})
				}
				p := &hedge.Policy{}
				p.Configure(100*ms, 1)
				if got := newStage(t, list...).hedged(body, p, nil); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		})
	}
	f("the second is faster", streamedBody, "hello 150ms/160ms: a=hedged b= won=true beaten=a", within(1000*ms), within(50*ms))
	f("the first is faster after all", streamedBody, "hello 120ms/130ms: a= b=hedged won=false beaten=b", within(120*ms), within(1000*ms))
	f("the first is in time", streamedBody, "hello 90ms/100ms: a=", within(90*ms), within(10*ms))
	f("unary", unaryBody, "hello 150ms/150ms: a=hedged b= won=true beaten=a", in1(1000*ms), in1(50*ms))
	f("unary, and the first is faster", unaryBody, "hello 130ms/130ms: a= b=hedged won=false beaten=b", in1(130*ms), in1(1000*ms))
	f("the first fails while the second runs", streamedBody, "hello 400ms/410ms: a=unavailable b= won=true", failsIn(150*ms, 500), within(300*ms))
	f("the second fails while the first runs", streamedBody, "hello 400ms/410ms: a= b=unavailable won=false", within(400*ms), failsIn(50*ms, 500))
	f("both fail", streamedBody, "unavailable 0s/300ms: a=unavailable b=unavailable won=false", failsIn(150*ms, 500), failsIn(200*ms, 500))
	f("both fail, and the third answers", streamedBody, "hello 350ms/360ms: a=unavailable b=unavailable c= won=false", failsIn(150*ms, 500), failsIn(200*ms, 500), within(50*ms))
	f("the second fails before the first, and the third answers", streamedBody, "hello 250ms/260ms: a=unavailable b=unavailable c= won=false", failsIn(200*ms, 500), failsIn(50*ms, 500), within(50*ms))
	f("the answer breaks off after the second has won", streamedBody, "unavailable 150ms/160ms: a=hedged b=unavailable won=true beaten=a", within(1000*ms),
		[]script{{pieces: []piece{{50 * ms, delta}, {10 * ms, ""}}, broken: fault.New(fault.Unavailable, "cut")}})
	f("nobody else is there", streamedBody, "hello 1s/1.01s: a=", within(1000*ms))
	f("the second panics", streamedBody, "hello 1s/1.01s: a= won=false", within(1000*ms), []script{{panics: true}})
}

func TestWhatIsNotHedged(t *testing.T) {
	const ms = time.Millisecond
	f := func(name, want string, prepare func(p *hedge.Policy, q *dispatch.Request)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &hedge.Policy{}
				p.Configure(100*ms, 1)
				s := newStage(t, endpoint{id: "a", scripts: within(400 * ms)}, endpoint{id: "b", limit: 1, scripts: within(10 * ms)})
				if got := s.hedged(streamedBody, p, func(q *dispatch.Request) { prepare(p, q) }); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		})
	}
	const alone = "hello 400ms/410ms: a="
	f("what has effects", alone, func(_ *hedge.Policy, q *dispatch.Request) { q.MayHedge = false })
	f("beyond the budget", alone, func(p *hedge.Policy, _ *dispatch.Request) { p.Configure(100*ms, 0.5) })
	f("without a known time", alone, func(p *hedge.Policy, _ *dispatch.Request) { p.Configure(0, 1) })
	f("after a known time", "hello 157.456ms/167.456ms: a=hedged b= won=true beaten=a", func(p *hedge.Policy, _ *dispatch.Request) {
		p.Configure(0, 1)
		for range 128 {
			p.Note(true, 140*ms) // whose bin ends at some more
		}
	})
	f("a client that leaves", "canceled 0s/105ms: a=canceled b=canceled won=false beaten=b", func(_ *hedge.Policy, q *dispatch.Request) {
		time.AfterFunc(105*ms, q.Cancel.Fire)
	})
	f("a full endpoint", alone, func(_ *hedge.Policy, q *dispatch.Request) {
		e := q.Plan[1].Endpoint
		place, ok := e.State.Acquire(time.Now(), 1)
		if !ok {
			t.Error("no place")
		}
		time.AfterFunc(300*ms, place.Release)
	})
}

// Two endpoints whose 99th percentile is ten times their median: hedging after the
// 95th halves that of the model, for 2 % more requests.
func TestHedgingHalvesThe99thPercentile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const requests = 3000
		random := rand.New(rand.NewPCG(7, 7))
		scripts := func() (list []script) {
			for range requests {
				d := 15*time.Millisecond + time.Duration(random.Int64N(int64(10*time.Millisecond)))
				if random.Float64() < 0.015 {
					d *= 10
				}
				list = append(list, script{pieces: []piece{{d, delta}, {0, stop}}})
			}
			return list
		}
		percentile := func(p *hedge.Policy) (p50, p99 time.Duration, sent int) {
			s := newStage(t, endpoint{id: "a", scripts: scripts()}, endpoint{id: "b", scripts: scripts()})
			var times []time.Duration
			for range requests {
				begun := time.Now()
				s.hedged(streamedBody, p, nil)
				times = append(times, time.Since(begun))
			}
			slices.Sort(times)
			return times[requests/2], times[requests*99/100], s.hosts[0].asked + s.hosts[1].asked
		}
		p := &hedge.Policy{}
		p.Configure(0, 0.02)
		plainP50, plain, _ := percentile(nil)
		p50, hedged, sent := percentile(p)
		t.Logf("without: p50 %s, p99 %s; hedged: p50 %s, p99 %s, %d requests for %d", plainP50, plain, p50, hedged, sent, requests)
		if plain < 7*plainP50 || hedged > plain/2 || sent > requests*102/100 || sent == requests {
			t.Errorf("p99 %s and %s, %d requests were sent", plain, hedged, sent)
		}
	})
}
