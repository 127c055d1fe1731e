package dispatch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

// outcome is what a request came to: its text or its fault, and the visits that
// it took, each with the time from the start where that is not 0.
func (s *stage) outcome() string {
	text, err := s.finish()
	end := text
	if err != nil {
		f := fault.From(err)
		if end = f.Kind.String(); text != "" {
			end = text + ", " + end
		}
		if f.RetryAfter > 0 {
			end += " for " + f.RetryAfter.Round(time.Millisecond).String()
		}
	}
	s.run.Close()
	s.idle()
	var took []string
	for _, v := range s.visits {
		at := v.id
		if d := v.at.Sub(s.begun); d > 0 {
			at += fmt.Sprintf("+%s", d)
		}
		took = append(took, at)
	}
	return strings.Join(took, " ") + " -> " + end
}

// What follows a fault: the next candidate, the same endpoint, or the end.
func TestWhatFollowsAFault(t *testing.T) {
	f := func(name, want string, scripts ...[]script) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var list []endpoint
				for i, s := range scripts {
					list = append(list, endpoint{id: string(rune('a' + i)), scripts: s})
				}
				for _, body := range []string{unaryBody, streamedBody} {
					s := newStage(t, list...)
					s.start(body, dispatch.Policy{})
					if got := s.outcome(); got != want {
						t.Errorf("%s\n got %s\nwant %s", body, got, want)
					}
				}
			})
		})
	}
	good := []script{says(hello)}
	one := func(s script) []script { return []script{s} }

	f("an answer", "a -> hello", good, good)
	for _, status := range []int{401, 402, 403, 404, 408, 429, 500, 502, 503, 504, 529} {
		f(fmt.Sprintf("%d moves on", status), "a b -> hello", one(refuses(status)), good)
	}
	for _, status := range []int{400, 413, 422} {
		f(fmt.Sprintf("%d is final for the model", status), "a -> invalid_request", one(refuses(status)), good)
	}
	f("an upstream that cannot be reached moves on", "a b -> hello", one(unsent()), good)
	f("an empty answer moves on", "a b -> hello", one(script{status: 500}), good)
	f("an answer that breaks off before content moves on", "a b -> hello", one(script{broken: fault.New(fault.Unavailable, "cut")}), good)
	f("an error in place of an answer moves on", "a b -> hello", one(says(`{"error":{"message":"no","code":500}}`)), good)

	f("the last one that cannot be reached is dialled twice", "a a+100ms -> unavailable", one(unsent()))
	f("and may be there the second time", "a a+100ms -> hello", []script{unsent(), says(hello)})
	f("what was sent is not sent again", "a -> unavailable", []script{{broken: fault.New(fault.Unavailable, "cut")}, says(hello)})
	f("a short Retry-After is waited for where nothing else is left", "a a+2s -> hello", []script{refuses(429, "Retry-After", "2"), says(hello)})
	f("once", "a a+2s -> rate_limit for 2s", one(refuses(429, "Retry-After", "2")))
	f("of a 503 as well", "a a+50ms -> hello", []script{refuses(503, "Retry-After-Ms", "50"), says(hello)})
	f("not where another candidate is left", "a b -> hello", []script{refuses(429, "Retry-After", "2"), says(hello)}, good)
	f("a long Retry-After is the client's", "a -> rate_limit for 30s", one(refuses(429, "Retry-After", "30")))
	f("without Retry-After there is no second try", "a -> rate_limit", one(refuses(429)))
	f("the shortest wait of all is what the client hears", "a b c -> rate_limit for 20s",
		one(refuses(429, "Retry-After", "30")), one(refuses(429, "Retry-After", "20")), one(refuses(429, "Retry-After", "40")))
}

// A client that retries by itself is not made to wait.
func TestClientsThatRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, endpoint{id: "a", scripts: []script{refuses(429, "Retry-After", "2"), says(hello)}})
		s.clientRetries = true
		s.start(unaryBody, dispatch.Policy{})
		if got := s.outcome(); got != "a -> rate_limit for 2s" {
			t.Error(got)
		}
	})
}

// Once content went out there is no other attempt.
func TestContentCommits(t *testing.T) {
	f := func(want string, scripts ...script) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, endpoint{id: "a", scripts: scripts}, endpoint{id: "b", scripts: []script{says(hello)}})
			s.start(streamedBody, dispatch.Policy{})
			if got := s.outcome(); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
		})
	}
	f("a -> hello", script{pieces: []piece{{0, delta}, {time.Second, more}, {time.Second, stop}}})
	f("a -> hel, unavailable", script{pieces: []piece{{0, delta}}, broken: fault.New(fault.Unavailable, "cut")})
	f("a -> hel, unavailable", script{pieces: []piece{{0, delta}}}) // an EOF before the end is a failure
	f("a -> hel, rate_limit", script{pieces: []piece{{0, delta + `data: {"error":{"message":"slow down","code":429}}` + "\n\n"}}})
	f("a b -> hello", script{pieces: []piece{{0, ": comment\n\n"}}, broken: fault.New(fault.Unavailable, "cut")})
	// nothing is missing but the protocol's terminal event
	f("a -> hello", script{pieces: []piece{{0, delta + more + strings.TrimSuffix(stop, "data: [DONE]\n\n")}}, broken: fault.New(fault.Unavailable, "cut")})
}

// A key that was refused rests, and the endpoint's others are tried once each.
func TestOtherKeys(t *testing.T) {
	f := func(status int, keys []string, want string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, endpoint{id: "a", keys: keys, scripts: []script{refuses(status, "Retry-After", "30")}}, endpoint{id: "b", scripts: []script{says(hello)}})
			s.start(unaryBody, dispatch.Policy{})
			got := s.outcome()
			used := map[string]bool{}
			for _, v := range s.visits {
				used[v.key] = true
			}
			if got != want || len(used) != len(s.visits) {
				t.Errorf("%d with %d keys: got %s\nwant %s; used %v", status, len(keys), got, want, used)
			}
		})
	}
	for _, status := range []int{401, 402, 429} {
		f(status, []string{"A", "B", "C"}, "a a a b -> hello")
	}
	f(403, []string{"A", "B", "C"}, "a b -> hello")
	f(500, []string{"A", "B", "C"}, "a b -> hello")
	f(429, []string{"A"}, "a b -> hello")
}

// Timeouts are measured from progress: what trickles in does not extend them,
// and Next returns on time whatever it is.
func TestWaitingIsAbsolute(t *testing.T) {
	trickle := func(text string, every time.Duration, first ...piece) script {
		s := script{pieces: first}
		for range 10_000 {
			s.pieces = append(s.pieces, piece{every, text})
		}
		return s
	}
	limits := upstream.Timeouts{FirstByte: 40 * time.Second, Idle: 30 * time.Second, Total: time.Minute}
	const empty = `data: {"choices":[{"index":0,"delta":{}}]}` + "\n\n"
	f := func(name, body, want string, s script) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := newStage(t, endpoint{id: "a", timeouts: limits, scripts: []script{s}})
				st.start(body, dispatch.Policy{})
				for {
					asked := time.Now()
					_, err := st.run.Next(10 * time.Second)
					if took := time.Since(asked); took > 10*time.Second {
						t.Fatalf("Next(10s) took %s", took)
					}
					if err != nil && !errors.Is(err, upstream.ErrSilent) {
						got := fmt.Sprintf("%s after %s", fault.KindOf(err), time.Since(st.begun))
						if got != want {
							t.Errorf("%s, want %s", got, want)
						}
						break
					}
				}
				st.run.Close()
				st.idle()
			})
		})
	}
	f("silence before content", streamedBody, "timeout after 40s", script{slow: time.Hour})
	f("comments before content", streamedBody, "timeout after 40s", trickle(": queued\n\n", time.Second))
	f("comments without a pause", streamedBody, "timeout after 40s", trickle(": queued\n\n", 7*time.Millisecond))
	f("blank lines before content", streamedBody, "timeout after 40s", trickle("\n", 100*time.Millisecond))
	f("empty deltas before content", streamedBody, "timeout after 40s", trickle(empty, time.Second))
	f("silence after content", streamedBody, "timeout after 31s", script{pieces: []piece{{time.Second, delta}, {time.Hour, stop}}})
	f("comments after content", streamedBody, "timeout after 31s", trickle(": busy\n\n", 100*time.Millisecond, piece{time.Second, delta}))
	f("empty deltas after content", streamedBody, "timeout after 31s", trickle(empty, 100*time.Millisecond, piece{time.Second, delta}))
	f("a trickling body", unaryBody, "timeout after 1m0s", trickle(" ", 100*time.Millisecond))
	f("a trickling error", unaryBody, "unavailable after 5s", script{status: 500, pieces: trickle(" ", 100*time.Millisecond).pieces})
}

// What a caller takes to come back is not the upstream's silence.
func TestASlowClientIsNotAnIdleUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, endpoint{id: "a", timeouts: upstream.Timeouts{Idle: 5 * time.Second}, scripts: []script{{pieces: []piece{{0, delta}, {time.Second, more}, {0, stop}}}}})
		s.start(streamedBody, dispatch.Policy{})
		if _, err := s.run.Next(time.Second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := s.outcome(); !strings.HasSuffix(got, "-> lo") {
			t.Error(got)
		}
	})
}

// One deadline bounds all attempts until content, and no longer.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := []script{{slow: time.Hour}}
		limits := upstream.Timeouts{FirstByte: 20 * time.Second, Total: 20 * time.Second}
		policy := dispatch.Policy{Deadline: 30 * time.Second}
		for _, body := range []string{unaryBody, streamedBody} {
			s := newStage(t, endpoint{id: "a", timeouts: limits, scripts: slow}, endpoint{id: "b", timeouts: limits, scripts: slow}, endpoint{id: "c", scripts: slow})
			s.start(body, policy)
			if got := s.outcome(); got != "a b+20s -> timeout" || time.Since(s.begun) != 30*time.Second {
				t.Errorf("%s after %s", got, time.Since(s.begun))
			}
		}
		s := newStage(t, endpoint{id: "a", scripts: []script{refuses(429, "Retry-After", "4")}})
		s.start(unaryBody, dispatch.Policy{Deadline: 3 * time.Second})
		if got := s.outcome(); got != "a -> rate_limit for 4s" {
			t.Errorf("a wait beyond the deadline: %s", got)
		}
		s = newStage(t, endpoint{id: "a", scripts: []script{{pieces: []piece{{0, delta}, {time.Hour, more}, {0, stop}}}}})
		s.start(streamedBody, policy)
		if got := s.outcome(); got != "a -> hello" {
			t.Errorf("a long stream: %s", got)
		}
	})
}

// Without a budget left there are no retries but of what was never sent.
func TestBudgetStopsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := &dispatch.Budget{}
		for budget.Take(time.Now()) {
		}
		s := newStage(t, endpoint{id: "a", scripts: []script{refuses(500)}}, endpoint{id: "b", scripts: []script{says(hello)}})
		s.start(unaryBody, dispatch.Policy{Budget: budget})
		if got := s.outcome(); got != "a -> unavailable" {
			t.Error(got)
		}
		s = newStage(t, endpoint{id: "a", scripts: []script{unsent()}}, endpoint{id: "b", scripts: []script{says(hello)}})
		s.start(unaryBody, dispatch.Policy{Budget: budget})
		if got := s.outcome(); got != "a b -> hello" {
			t.Error(got)
		}
	})
}

// Waiting for a Retry-After returns on time, and ends when the client leaves.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, endpoint{id: "a", scripts: []script{refuses(429, "Retry-After", "4"), says(hello)}})
		s.start(unaryBody, dispatch.Policy{})
		if _, err := s.run.Next(time.Second); !errors.Is(err, upstream.ErrSilent) || time.Since(s.begun) != time.Second {
			t.Fatalf("%v after %s", err, time.Since(s.begun))
		}
		cancel := s.cancel
		time.AfterFunc(time.Second, cancel.Fire)
		if got := s.outcome(); got != "a -> canceled" || time.Since(s.begun) != 2*time.Second {
			t.Errorf("%s after %s", got, time.Since(s.begun))
		}
	})
}

// An endpoint that is full or whose breaker is open gets no request.
func TestNoCandidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := func(want string) {
			t.Helper()
			s := newStage(t, endpoint{id: "a", limit: 1, scripts: []script{refuses(500)}})
			state := s.model.Endpoints[0].State
			switch want {
			case " -> overloaded for 1s":
				place, _ := state.Acquire(time.Now(), 1)
				defer place.Release()
			case " -> rate_limit for 42s":
				place, _ := state.Acquire(time.Now(), 1)
				place.Failed(&fault.Error{Kind: fault.RateLimit, Message: "slow down", RetryAfter: 42 * time.Second}, time.Now())
				place.Release()
			}
			s.start(unaryBody, dispatch.Policy{})
			text, err := s.finish()
			got := fmt.Sprintf("%s -> %s for %s", text, fault.KindOf(err), fault.From(err).RetryAfter)
			if s.run.Close(); got != want || len(s.visits) != 0 {
				t.Errorf("got %q, want %q; %d requests reached it", got, want, len(s.visits))
			}
		}
		f(" -> overloaded for 1s")
		f(" -> rate_limit for 42s")

		s := newStage(t, endpoint{id: "a", scripts: []script{refuses(500)}})
		for range 100 {
			s.start(unaryBody, dispatch.Policy{})
			_, _ = s.finish()
			s.run.Close()
		}
		if n := s.hosts[0].asked; n != 3 {
			t.Errorf("%d of 100 requests reached an endpoint whose breaker opens after 3", n)
		}
		s.start(unaryBody, dispatch.Policy{})
		_, err := s.finish()
		s.run.Close()
		if f := fault.From(err); f.Kind != fault.Overloaded || f.RetryAfter < 26*time.Second || f.RetryAfter > 34*time.Second {
			t.Errorf("%v, Retry-After %s", f, f.RetryAfter)
		}
	})
}

// Whatever happens, an endpoint gets its place back once, and its answer closed.
func TestPlacesAreReleased(t *testing.T) {
	f := func(name string, s script, use func(*stage)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := newStage(t, endpoint{id: "a", limit: 1, scripts: []script{s}})
				for range 3 { // the second would find no place, were the first not back
					st.start(streamedBody, dispatch.Policy{})
					func() {
						defer func() { _ = recover() }()
						defer st.run.Close()
						use(st)
					}()
					st.run.Close()
					st.idle()
					if len(st.visits) != 1 {
						t.Fatalf("%d requests reached the endpoint, want 1", len(st.visits))
					}
				}
			})
		})
	}
	finish := func(s *stage) { _, _ = s.finish() }
	f("a good end", says(delta+stop), finish)
	f("a panic in the middle", script{pieces: []piece{{0, delta}}, panics: true}, finish)
	f("a panic at the beginning", script{panics: true}, finish)
	f("left alone in the middle", script{pieces: []piece{{0, delta}, {time.Hour, stop}}}, func(s *stage) { _, _ = s.run.Next(time.Second) })
	f("a client that left", script{pieces: []piece{{0, delta}, {time.Hour, stop}}}, func(s *stage) {
		_, _ = s.run.Next(time.Second)
		s.cancel.Fire()
		s.run.Abandon(fault.New(fault.Canceled, "The client disconnected"))
		if n := len(s.run.Attempts()); n != 1 {
			s.t.Errorf("%d attempts are noted, want 1", n)
		}
	})
}

// The attempts are what the usage event lists.
func TestAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, endpoint{id: "a", scripts: []script{{slow: time.Second, status: 503}}}, endpoint{id: "b", scripts: []script{unsent()}}, endpoint{id: "c", scripts: []script{says(hello)}})
		s.start(unaryBody, dispatch.Policy{})
		if _, err := s.finish(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range s.run.Attempts() {
			got = append(got, fmt.Sprintf("%s %d %s %d", a.Endpoint, a.Status, a.Kind, a.MS))
		}
		want := "m:a 503 overloaded 1000, m:b 0 unavailable 0, m:c 200  0"
		if strings.Join(got, ", ") != want || s.run.Current().Endpoint.ID != "m:c" {
			t.Errorf("attempts %s\nwant     %s; answered by %s", strings.Join(got, ", "), want, s.run.Current().Endpoint.ID)
		}
		s.run.Close()
		s.idle()
	})
}

func BenchmarkRun(b *testing.B) {
	f := func(name, body string, endpoints ...endpoint) {
		b.Run(name, func(b *testing.B) {
			s := newStage(b, endpoints...)
			b.ReportAllocs()
			for b.Loop() {
				s.start(body, dispatch.Policy{})
				if _, err := s.finish(); err != nil {
					b.Fatal(err)
				}
				s.run.Close()
			}
		})
	}
	good := endpoint{id: "b", scripts: []script{says(hello)}}
	f("unary", unaryBody, good)
	f("stream", streamedBody, endpoint{id: "a", scripts: []script{{pieces: []piece{{0, delta}, {0, more}, {0, stop}}}}})
	f("failover", unaryBody, endpoint{id: "a", scripts: []script{refuses(404)}}, good)
}
