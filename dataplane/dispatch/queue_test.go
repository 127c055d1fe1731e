package dispatch_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/queue"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// crowd are requests that meet at the endpoints of one stage.
type crowd struct {
	*stage
	wg    sync.WaitGroup
	mu    sync.Mutex
	ended []string // in the order of their ends: name, outcome and when
}

// newCrowd makes the stage's model queue.
func newCrowd(t *testing.T, size int, wait time.Duration, endpoints ...endpoint) *crowd {
	c := &crowd{stage: newStage(t, endpoints...)}
	c.begun = time.Now()
	c.model.Queue = &queue.Queue{}
	c.configure(size, wait)
	return c
}

func (c *crowd) configure(size int, wait time.Duration) {
	var seats []queue.Seat
	for _, e := range c.model.Endpoints {
		seats = append(seats, queue.Seat{State: e.State, MaxConcurrency: e.MaxConcurrency, Limits: e.Limits})
	}
	c.model.Queue.Configure(size, wait, seats)
}

// ask sends a request on its way; it is where it can get once ask returns.
func (c *crowd) ask(name, key string, priority int, change ...func(*dispatch.Request)) {
	c.t.Helper()
	q := &task{}
	if err := q.req.Parse([]byte(streamedBody)); err != nil {
		c.t.Fatal(err)
	}
	in := dispatch.Request{Task: q, Cancel: &upstream.Cancel{}, Key: key, Priority: priority}
	for _, e := range c.model.Endpoints {
		in.Plan = append(in.Plan, route.Candidate{Model: c.model, Endpoint: e})
	}
	for _, f := range change {
		f(&in)
	}
	c.wg.Go(func() {
		var run dispatch.Run
		run.Start(in)
		text, err := finish(&run)
		queued := run.Queued()
		run.Close()
		end := name + "=" + text
		if f := fault.From(err); err != nil {
			end = fmt.Sprintf("%s=%s(%s)", name, f.Kind, f.RetryAfter.Round(time.Millisecond))
		}
		if queued > 0 {
			end += fmt.Sprintf(" queued %s", queued.Round(time.Millisecond))
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ended = append(c.ended, end)
	})
	synctest.Wait()
}

func finish(run *dispatch.Run) (text string, err error) {
	for {
		events, err := run.Next(100 * time.Millisecond)
		if errors.Is(err, upstream.ErrSilent) {
			continue
		}
		if err != nil {
			return text, err
		}
		for i := range events {
			text += rawjson.Text(events[i].Content)
			if events[i].Done {
				return text, nil
			}
		}
	}
}

// want waits for all and compares their ends.
func (c *crowd) want(ends ...string) {
	c.t.Helper()
	c.wg.Wait()
	if got, want := strings.Join(c.ended, "\n"), strings.Join(ends, "\n"); got != want {
		c.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if n := c.model.Queue.Waiting(); n != 0 {
		c.t.Errorf("%d requests still wait", n)
	}
	c.idle()
}

// aSecond answers in a second.
func aSecond() []script {
	return []script{{pieces: []piece{{time.Second, delta}, {0, stop}}}}
}

func TestQueueOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 10, time.Minute, endpoint{id: "a", limit: 1, scripts: aSecond()})
		c.ask("first", "x", 0)
		c.ask("x1", "x", 0)
		c.ask("x2", "x", 0)
		c.ask("x3", "x", 0)
		c.ask("y1", "y", 0)
		c.ask("low", "z", -1)
		c.ask("y2", "y", 0)
		c.ask("high", "w", 5)
		c.want("first=hel", "high=hel queued 1s", "x1=hel queued 2s", "y1=hel queued 3s", "x2=hel queued 4s", "y2=hel queued 5s", "x3=hel queued 6s", "low=hel queued 7s")
	})
}

// A place wakes the one who gets it and no one else, and who comes later does not
// slip in.
func TestQueueOverSeveralEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		half := []script{{pieces: []piece{{600 * time.Millisecond, delta}, {0, stop}}}}
		c := newCrowd(t, 10, time.Minute, endpoint{id: "a", limit: 1, scripts: aSecond()}, endpoint{id: "b", limit: 1, scripts: half})
		for i := range 5 {
			c.ask(fmt.Sprint(i), "x", 0)
		}
		c.want("1=hel", "0=hel", "2=hel queued 600ms", "4=hel queued 1.2s", "3=hel queued 1s")
	})
}

func TestQueueRefusals(t *testing.T) {
	slow := []script{{pieces: []piece{{3600 * time.Millisecond, delta}, {0, stop}}}}
	f := func(name string, do func(c *crowd), ends ...string) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrowd(t, 2, 3*time.Second, endpoint{id: "a", limit: 1, scripts: slow})
				c.ask("first", "x", 0)
				time.Sleep(time.Second)
				do(c)
				c.wg.Wait()
				slices.Sort(c.ended)
				c.want(ends...)
			})
		})
	}
	f("the wait is over", func(c *crowd) {
		c.configure(2, 2*time.Second)
		c.ask("late", "x", 0)
		time.Sleep(time.Second)
		c.ask("later", "x", 0)
	}, "first=hel", "late=overloaded(2s) queued 2s", "later=hel queued 1.6s")
	f("too many", func(c *crowd) {
		c.ask("a", "x", 0)
		c.ask("b", "x", 0)
		c.ask("c", "x", 0)
	}, "a=hel queued 2.6s", "b=overloaded(2.6s) queued 3s", "c=overloaded(1s)", "first=hel")
	f("too many, and the newcomer comes first", func(c *crowd) {
		c.ask("a", "x", 0)
		c.ask("b", "x", 0)
		c.ask("c", "y", 0)
	}, "a=hel queued 2.6s", "b=overloaded(1s)", "c=overloaded(2.6s) queued 3s", "first=hel")
	f("its client leaves", func(c *crowd) {
		gone := &upstream.Cancel{}
		c.ask("a", "x", 0, func(q *dispatch.Request) { q.Cancel = gone })
		c.ask("b", "x", 0)
		time.Sleep(time.Second)
		gone.Fire()
	}, "a=canceled(0s) queued 1s", "b=hel queued 2.6s", "first=hel")
	f("the deadline", func(c *crowd) {
		c.ask("a", "x", 0, func(q *dispatch.Request) { q.Policy.Deadline = time.Second })
	}, "a=overloaded(1s) queued 1s", "first=hel")
	f("the model goes", func(c *crowd) {
		c.ask("a", "x", 0)
		time.Sleep(500 * time.Millisecond)
		c.model.Queue.Close(queue.Removed)
		c.ask("b", "x", 0)
	}, "a=overloaded(1s) queued 500ms", "b=overloaded(1s)", "first=hel")
	f("its endpoints go", func(c *crowd) {
		c.ask("a", "x", 0)
		time.Sleep(500 * time.Millisecond)
		c.model.Queue.Configure(2, 3*time.Second, nil)
	}, "a=overloaded(1s) queued 500ms", "first=hel")
	f("the node stops", func(c *crowd) {
		c.ask("a", "x", 0)
		c.model.Queue.Close(queue.Draining)
	}, "a=overloaded(1s)", "first=hel")
	f("more places come", func(c *crowd) {
		c.ask("a", "x", 0)
		time.Sleep(500 * time.Millisecond)
		c.model.Endpoints[0].MaxConcurrency = 2
		c.configure(2, 3*time.Second)
	}, "a=hel queued 500ms", "first=hel")
	f("the queue becomes smaller", func(c *crowd) {
		c.ask("a", "x", 0)
		c.ask("b", "y", 0)
		c.configure(1, 20*time.Second)
		c.ask("c", "z", 0)
	}, "a=hel queued 2.6s", "b=overloaded(2.6s) queued 3s", "c=overloaded(1s)", "first=hel")
}

// A request that an endpoint has failed waits for the next one, if that is full.
func TestQueueAfterAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 2, 3*time.Second, endpoint{id: "a", scripts: []script{refuses(500)}}, endpoint{id: "b", limit: 1, scripts: aSecond()})
		c.ask("first", "x", 0)
		c.ask("second", "x", 0)
		c.want("first=hel", "second=hel queued 1s")
	})
}

// Of two models the one that has a place first answers.
func TestQueuesOfFallbackModels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 2, 3*time.Second, endpoint{id: "a", limit: 1, scripts: aSecond()})
		half := []script{{pieces: []piece{{600 * time.Millisecond, more}, {0, stop}}}}
		other := newCrowd(t, 2, 3*time.Second, endpoint{id: "b", limit: 1, scripts: half})
		both := func(q *dispatch.Request) {
			q.Plan = append(q.Plan, route.Candidate{Model: other.model, Endpoint: other.model.Endpoints[0]})
		}
		for i := range 4 {
			c.ask(fmt.Sprint(i), "x", 0, both)
		}
		c.want("1=lo", "0=hel", "2=lo queued 600ms", "3=hel queued 1s")
		other.idle()
	})
}

// Where providers' limits alone are in the way, the request waits if they have
// room before the wait is over, and is told when if not.
func TestQueueForProvidersLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, clock := limits.NewRegistry(1), limits.NewClock()
		registry.Begin()
		counters := []*limits.Counter{registry.Counter(wire.HolderEndpoint, "m:a", &wire.Limit{Kind: wire.LimitRPM, Value: 1})}
		registry.End()
		var hold limits.Hold
		if registry.TryNow(counters, &limits.Need{}, clock.Now(), &hold) == nil {
			t.Fatal("a request was admitted without a share")
		}
		grant := func(g wire.LeaseGrant) {
			time.Sleep(time.Second)
			report := registry.Report(clock.Now(), false)
			g.Counter, g.Period = report.Uses[0].Counter, 5
			if !registry.Apply(&wire.LeaseReply{Epoch: 1, Seq: report.Seq, Valid: time.Minute, Grants: []wire.LeaseGrant{g}}, clock.Now(), clock.Now()) {
				t.Fatal("the reply was not taken")
			}
		}
		c := newCrowd(t, 5, 3*time.Second, endpoint{id: "a", scripts: aSecond()})
		c.model.Endpoints[0].Limits = counters
		c.configure(5, 3*time.Second)
		ask := func(name string) {
			c.ask(name, "x", 0, func(q *dispatch.Request) { q.Limits = dispatch.Limits{Registry: registry, Clock: clock} })
		}
		grant(wire.LeaseGrant{Dry: true, Retry: 2 * time.Second})
		ask("soon")
		grant(wire.LeaseGrant{Share: 1})
		c.wg.Wait()
		grant(wire.LeaseGrant{Share: 1, Dry: true, Retry: 10 * time.Second})
		ask("late")
		c.want("soon=hel queued 2s", "late=rate_limit(55.5s)")
	})
}
