package guard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/guard"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestParse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		list, err := guard.Parse(text)
		got := ""
		if err != nil {
			got = err.Error()
		}
		for _, g := range list {
			got += g.String() + ";"
		}
		if err == nil && got != want || err != nil && (want == "" || !strings.HasPrefix(got, want)) {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	f("errors<2%,ttft_p95<2s,cost<1.2x", "errors<2%;ttft_p95<2s;cost<1.2x;")
	f(" errors < 0.5% , errors<3x, ttft_p50<800ms,ttft_p99<1.5x,cost<$0.01", "errors<0.5%;errors<3x;ttft_p50<800ms;ttft_p99<1.5x;cost<$0.01;")
	f("cost<0.01", "cost<0.01;")
	f("", `"" is not METRIC<LIMIT; allowed are errors<2%`)
	f("errors<2%,", `"" is not METRIC<LIMIT`)
	f("<2%", `"<2%" is not METRIC<LIMIT`)
	f("errors", `"errors" is not METRIC<LIMIT`)
	f("errors>2%", `"errors>2%" is not METRIC<LIMIT`)
	f("latency<2s", `unknown metric "latency" in "latency<2s"; allowed are errors<2%`)
	f("ttft_p96<2s", `unknown metric "ttft_p96"`)
	f("errors<=2%", `the limit of "errors<=2%" must be a percentage above 0% and up to 100%`)
	f("errors<0%", `the limit of "errors<0%" must be a percentage`)
	f("errors<101%", `the limit of "errors<101%" must be a percentage`)
	f("errors<2", `the limit of "errors<2" must be a percentage`)
	f("errors<NaN%", `the limit of "errors<NaN%" must be a percentage`)
	f("errors<-1x", `the limit of "errors<-1x" must be a positive multiple`)
	f("cost<1e400x", `the limit of "cost<1e400x" must be a positive multiple`)
	f("cost<2%", `the limit of "cost<2%" must be a multiple of what the other endpoints cost`)
	f("ttft_p95<2", `the limit of "ttft_p95<2" must be a duration up to 60s`)
	f("ttft_p95<2m", `the limit of "ttft_p95<2m" must be a duration up to 60s`)
	f("errors<2%,errors<3%", `duplicate guard on errors: "errors<3%"`)
}

func TestSteps(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		steps, err := guard.ParseSteps(text)
		got := ""
		for _, v := range steps {
			got += guard.Percent(v) + " "
		}
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	f("1%,5%,25%,50%,100%", "1% 5% 25% 50% 100% ")
	f("0.1%, 100%", "0.1% 100% ")
	f("", `"" is not a percentage above 0% and up to 100%, such as 5%`)
	f("1%,,5%", `"" is not a percentage above 0% and up to 100%, such as 5%`)
	f("5", `"5" is not a percentage above 0% and up to 100%, such as 5%`)
	f("0%", `"0%" is not a percentage above 0% and up to 100%, such as 5%`)
	f("-1%", `"-1%" is not a percentage above 0% and up to 100%, such as 5%`)
	f("50%,101%", "each step must be above 0% and up to 100%, got 101%")
	f("5%,5%", "steps must rise: 5% does not come after 5%")
	f("50%,25%", "steps must rise: 25% does not come after 50%")
	f(strings.Repeat("1%,", 50)+"2%", "there must be 1 to 50 steps, got 51")
	for _, text := range []string{"", "2", "-1m", "0s", "200h", "2 m"} {
		if d, err := guard.ParseEvery(text); err == nil || !strings.Contains(err.Error(), "1s to 168h") {
			t.Errorf("%q is %s, %v", text, d, err)
		}
	}
}

// requests returns counts of n requests of which bad fail.
func requests(n, bad uint64) guard.Counts { return guard.Counts{Requests: n, Errors: bad} }

// streams returns counts of answered streams by their time to the first token.
func streams(byTime map[time.Duration]uint64) guard.Counts {
	var c guard.Counts
	for d, n := range byTime {
		c.Requests, c.Streams, c.Begun = c.Requests+n, c.Streams+n, c.Begun+n
		for i := range c.FirstToken {
			if i == len(wire.FirstTokenBounds) || d.Milliseconds() <= wire.FirstTokenBounds[i] {
				c.FirstToken[i] += n
				break
			}
		}
	}
	return c
}

// priced returns counts of n requests that cost between 0.5 and 1.5 times usd.
func priced(n int, usd float64) guard.Counts {
	c := guard.Counts{Requests: uint64(n), Priced: uint64(n)}
	for i := range n {
		v := usd * (0.5 + float64(i%11)/10)
		c.Cost, c.CostSquares = c.Cost+v, c.CostSquares+v*v
	}
	return c
}

func TestDecide(t *testing.T) {
	f := func(name, guards string, in guard.Input, want guard.Action, reason string) {
		t.Helper()
		list, err := guard.Parse(guards)
		if err != nil {
			t.Fatal(err)
		}
		in.Guards = list
		if in.MinRequests == 0 {
			in.MinRequests = 20
		}
		if got := guard.Decide(&in); got.Action != want || got.Reason != reason {
			t.Errorf("%s\n got %s: %s\nwant %s: %s", name, got.Action, got.Reason, want, reason)
		}
	}
	good := requests(2000, 2)

	f("the step's time is not over", "errors<2%", guard.Input{New: requests(50, 0), Others: good, Left: 90 * time.Second}, guard.Wait, "the step takes 1m30s more")
	f("a good endpoint", "errors<2%", guard.Input{New: requests(50, 0), Others: good}, guard.Advance, "errors<2%: 0% of 50 requests, others 0.1%")
	f("few errors", "errors<2%", guard.Input{New: requests(1000, 12), Others: good}, guard.Advance, "errors<2%: 1.2% of 1000 requests, others 0.1%")
	f("no request yet", "errors<2%", guard.Input{Others: good}, guard.Wait, "errors<2%: 0 of at least 20 requests")
	f("too few requests", "errors<2%", guard.Input{New: requests(19, 0), Others: good}, guard.Wait, "errors<2%: 19 of at least 20 requests")
	f("one error of few requests says nothing", "errors<2%", guard.Input{New: requests(5, 1), Others: good}, guard.Wait, "errors<2%: 5 of at least 20 requests")
	f("one error of 20 may be chance", "errors<2%", guard.Input{New: requests(20, 1), Others: good}, guard.Hold, "errors<2%: 5% of 20 requests, others 0.1%, which may be chance")
	f("more of them are not, at the step's end", "errors<2%", guard.Input{New: requests(20, 2), Others: good, Left: time.Second}, guard.Wait, "the step takes 1s more")
	f("two of 30 may be chance", "errors<2%", guard.Input{New: requests(30, 2), Others: good}, guard.Hold, "errors<2%: 6.67% of 30 requests, others 0.1%, which may be chance")
	f("3 of 30 are likely not", "errors<2%", guard.Input{New: requests(30, 3), Others: good}, guard.TakeBack, "errors<2%: 10% of 30 requests, others 0.1%")
	f("all that have come fail, however few", "errors<2%", guard.Input{New: requests(3, 3), Others: good, Left: time.Minute}, guard.TakeBack, "errors<2%: 100% of 3 requests, others 0.1%")
	f("but two are too few", "errors<2%", guard.Input{New: requests(2, 2), Others: good, Left: time.Minute}, guard.Wait, "the step takes 1m0s more")
	f("a limit that allows much needs more", "errors<50%", guard.Input{New: requests(5, 5), Others: good, Left: time.Minute}, guard.Wait, "the step takes 1m0s more")
	f("exactly the limit is not below it", "errors<2%", guard.Input{New: requests(100, 2), Others: good}, guard.Hold, "errors<2%: 2% of 100 requests, others 0.1%, which may be chance")
	f("recent errors in a long step", "errors<10%", guard.Input{New: requests(10000, 60), RecentNew: requests(60, 60), RecentOthers: requests(60, 0), Others: good, Left: time.Hour},
		guard.TakeBack, "errors<10%: 100% of 60 requests, others 0% in the last seconds")
	f("the others are as bad", "errors<2%", guard.Input{New: requests(100, 50), Others: requests(1000, 600)}, guard.Hold, "errors<2%: 50% of 100 requests, others 60%: the other endpoints do no better")
	f("the others are bad, but less so", "errors<2%", guard.Input{New: requests(100, 50), Others: requests(1000, 100)}, guard.TakeBack, "errors<2%: 50% of 100 requests, others 10%")
	f("there are no others in the last step", "errors<2%", guard.Input{New: requests(100, 50), Before: requests(1000, 600)}, guard.TakeBack, "errors<2%: 50% of 100 requests, others 60%")
	f("out of service", "cost<1.2x", guard.Input{Down: []string{"n1 (the circuit breaker is open)"}, Left: time.Minute}, guard.TakeBack, "out of service on n1 (the circuit breaker is open)")
	f("blocked", "errors<2%", guard.Input{New: requests(50, 0), Others: good, Blocked: "no live node"}, guard.Hold, "no live node")
	f("blocked, and bad", "errors<2%", guard.Input{New: requests(50, 50), Others: good, Blocked: "no live node"}, guard.TakeBack, "errors<2%: 100% of 50 requests, others 0.1%")

	f("as many errors as the others", "errors<2x", guard.Input{New: requests(200, 2), Others: requests(2000, 20)}, guard.Advance, "errors<2x: 1% of 200 requests, others 1%")
	f("many more than the others", "errors<2x", guard.Input{New: requests(200, 20), Others: requests(2000, 20)}, guard.TakeBack, "errors<2x: 10% of 200 requests, others 1%")
	f("one error where the others have none", "errors<2x", guard.Input{New: requests(200, 1), Others: requests(2000, 0)}, guard.Hold, "errors<2x: 0.5% of 200 requests, others 0%, which may be chance")
	f("too few to compare with", "errors<2x", guard.Input{New: requests(200, 1), Others: requests(3, 0)}, guard.Wait, "errors<2x: 3 of at least 20 requests at the other endpoints")
	f("but in the step before there were", "errors<2x", guard.Input{New: requests(200, 1), Others: requests(3, 0), Before: requests(1000, 10)}, guard.Advance, "errors<2x: 0.5% of 200 requests, others 1%")

	rejects := func(n, k uint64) guard.Counts { return guard.Counts{Requests: n, Rejected: k} }
	f("clients' mistakes are rejected everywhere", "errors<2%", guard.Input{New: rejects(100, 9), Others: rejects(1000, 100)}, guard.Advance, "errors<2%: 0% of 100 requests, others 0%")
	f("what the others take is an error", "errors<2%", guard.Input{New: rejects(40, 30), Others: rejects(1000, 10)}, guard.TakeBack, "errors<2%: 75% of 40 requests, others 0%")
	f("and few rejections say nothing", "errors<2%", guard.Input{New: rejects(40, 2), Others: rejects(1000, 10)}, guard.Advance, "errors<2%: 0% of 40 requests, others 0%")

	fast, slow := streams(map[time.Duration]uint64{400 * time.Millisecond: 1000}), streams(map[time.Duration]uint64{5 * time.Second: 4})
	f("fast", "ttft_p95<2s", guard.Input{New: streams(map[time.Duration]uint64{900 * time.Millisecond: 98, 4 * time.Second: 2}), Others: fast}, guard.Advance, "ttft_p95<2s: 0.994s of 100 requests, others 0.395s")
	f("slow from the start", "ttft_p95<2s", guard.Input{New: slow, Others: fast, Left: time.Minute}, guard.TakeBack, "ttft_p95<2s: 4.95s of 4 requests, others 0.395s")
	f("too many slow ones", "ttft_p95<2s", guard.Input{New: streams(map[time.Duration]uint64{900 * time.Millisecond: 80, 4 * time.Second: 20}), Others: fast}, guard.TakeBack, "ttft_p95<2s: 3.75s of 100 requests, others 0.395s")
	f("streams that never begin", "ttft_p95<2s", guard.Input{Others: fast, Left: time.Minute, Overdue: func(d time.Duration) uint64 {
		if d != 2*time.Second {
			t.Errorf("asked for streams that wait for %s", d)
		}
		return 3
	}}, guard.TakeBack, "ttft_p95<2s: more than 2s of 3 requests, others 0.395s")
	f("no streams", "ttft_p95<2s", guard.Input{New: requests(100, 0), Others: good}, guard.Wait, "ttft_p95<2s: 0 of at least 20 requests")
	f("the others are slower still", "ttft_p95<2s", guard.Input{New: streams(map[time.Duration]uint64{3 * time.Second: 100}), Others: streams(map[time.Duration]uint64{5 * time.Second: 100})},
		guard.Hold, "ttft_p95<2s: 2.98s of 100 requests, others 4.95s: the other endpoints do no better")
	f("slower than the others", "ttft_p95<1.5x", guard.Input{New: streams(map[time.Duration]uint64{900 * time.Millisecond: 50}), Others: fast}, guard.TakeBack, "ttft_p95<1.5x: 0.99s of 50 requests, others 0.395s")
	f("as fast as the others", "ttft_p95<1.5x", guard.Input{New: streams(map[time.Duration]uint64{450 * time.Millisecond: 50}), Others: fast}, guard.Advance, "ttft_p95<1.5x: 0.495s of 50 requests, others 0.395s")

	f("as cheap", "cost<1.2x", guard.Input{New: priced(110, 0.011), Others: priced(1100, 0.01)}, guard.Advance, "cost<1.2x: $0.011 of 110 requests, others $0.01")
	f("dearer", "cost<1.2x", guard.Input{New: priced(110, 0.02), Others: priced(1100, 0.01), Left: time.Minute}, guard.TakeBack, "cost<1.2x: $0.02 of 110 requests, others $0.01")
	f("perhaps dearer", "cost<1.2x", guard.Input{New: priced(22, 0.0121), Others: priced(1100, 0.01)}, guard.Hold, "cost<1.2x: $0.0121 of 22 requests, others $0.01, which may be chance")
	f("free, as the others are", "cost<1.2x", guard.Input{New: guard.Counts{Priced: 50}, Others: guard.Counts{Priced: 500}}, guard.Advance, "cost<1.2x: $0 of 50 requests, others $0")
	f("not free, as the others are", "cost<1.2x", guard.Input{New: priced(55, 0.001), Others: guard.Counts{Priced: 500}}, guard.TakeBack, "cost<1.2x: $0.001 of 55 requests, others $0")
	f("too dear", "cost<$0.01", guard.Input{New: priced(110, 0.02), Others: priced(110, 0.005)}, guard.TakeBack, "cost<$0.01: $0.02 of 110 requests, others $0.005")
	f("too dear everywhere", "cost<$0.01", guard.Input{New: priced(110, 0.02), Others: priced(110, 0.03)}, guard.Hold, "cost<$0.01: $0.02 of 110 requests, others $0.03: the other endpoints do no better")

	f("one guard of several", "errors<2%,cost<1.2x", guard.Input{New: priced(110, 0.02), Others: priced(1100, 0.01)}, guard.TakeBack, "cost<1.2x: $0.02 of 110 requests, others $0.01")
	f("all guards", "errors<2%,cost<1.2x", guard.Input{New: priced(110, 0.01), Others: priced(1100, 0.01)}, guard.Advance, "errors<2%: 0% of 110 requests, others 0%; cost<1.2x: $0.01 of 110 requests, others $0.01")
	f("one still waits", "errors<2%,ttft_p95<2s", guard.Input{New: requests(110, 0), Others: good}, guard.Wait, "ttft_p95<2s: 0 of at least 20 requests")
}

// Totals give differences, whatever was lost on the way.
func TestSince(t *testing.T) {
	before := wire.EndpointCounts{Since: 1, Requests: 10, Errors: 1, Rejected: 1, Streams: 5, Begun: 4, FirstToken: []uint64{1, 2}, Priced: 3, CostUSD: 1, CostSquares: 1}
	now := wire.EndpointCounts{Since: 1, Requests: 30, Errors: 3, Rejected: 2, Streams: 9, Begun: 9, FirstToken: []uint64{1, 2, 5}, Priced: 5, CostUSD: 2.5, CostSquares: 3}
	want := guard.Counts{Requests: 20, Errors: 2, Rejected: 1, Streams: 4, Begun: 5, Priced: 2, Cost: 1.5, CostSquares: 2}
	want.FirstToken[2] = 5
	if got := guard.Since(&before, &now); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	anew := now
	anew.Since = 2
	if got := guard.Since(&before, &anew); got.Requests != 30 || got.Cost != 2.5 {
		t.Errorf("of a node that began anew: %+v", got)
	}
	if got := guard.Since(&now, &before); got.Requests != 10 || got.FirstToken[1] != 2 {
		t.Errorf("of totals that fell: %+v", got)
	}
}
