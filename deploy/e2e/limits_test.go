package e2e_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
)

const (
	limitRPM         = 240
	limitConcurrency = 9
	// Each answer of the scripted upstream has 20 tokens at 0.02 USD.
	limitTokens  = 20 * limitRPM
	limitBudget  = limitRPM // answers
	answerTokens = `{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20}`
	// windowSlack is how much later than its admission a request may reach the
	// upstream: two that were admitted a minute apart may arrive that much closer.
	windowSlack = 2 * time.Second
)

// limited is a key with one limit, and what the upstream saw of its requests.
// Each key has a model of its own, by which the upstream tells them apart.
type limited struct {
	name  string
	flags []string
	most  int // answers in the window
	key   string

	mu       sync.Mutex
	arrived  []time.Time
	flying   int
	mostOnce int

	refused atomic.Int64 // 429 and 402
	outages atomic.Int64 // 503
	early   atomic.Int64 // refusals at a time when less than half was used
}

func (l *limited) respond(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	l.arrived = append(l.arrived, time.Now())
	l.flying++
	l.mostOnce = max(l.mostOnce, l.flying)
	l.mu.Unlock()
	if l.name == "concurrency" {
		time.Sleep(time.Second)
	}
	l.mu.Lock()
	l.flying-- // before the gateway can know
	l.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Pong"},"finish_reason":"stop"}],"usage":%s}`, answerTokens)
}

func (l *limited) used() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.arrived)
}

// check holds every window to the limit.
func (l *limited) check(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	t.Logf("%-12s limit %d: %d answered, at most %d at once, %d refused, %d could not be checked", l.name, l.most, len(l.arrived), l.mostOnce, l.refused.Load(), l.outages.Load())
	switch {
	case l.name == "concurrency":
		if l.mostOnce > l.most {
			t.Errorf("%s: %d at once, at most %d", l.name, l.mostOnce, l.most)
		}
	case strings.HasPrefix(l.name, "budget"):
		if len(l.arrived) > l.most {
			t.Errorf("%s: %d answered, at most %d", l.name, len(l.arrived), l.most)
		}
	default:
		for i := range l.arrived {
			if j := i + l.most; j < len(l.arrived) && l.arrived[j].Sub(l.arrived[i]) < time.Minute-windowSlack {
				t.Errorf("%s: %d answered within %s, at most %d", l.name, l.most+1, l.arrived[j].Sub(l.arrived[i]), l.most)
				return
			}
		}
	}
}

// crowd is a fleet of three nodes and two daemons, and its clients.
type crowd struct {
	t       *testing.T
	f       *fleet
	keys    map[string]*limited
	daemons [2]*process
	mu      sync.Mutex
	nodes   [3]*member
	client  *http.Client
	done    chan struct{}
	clients sync.WaitGroup
}

func limitedKeys() map[string]*limited {
	all := map[string]*limited{
		"concurrency": {flags: []string{"--concurrency", fmt.Sprint(limitConcurrency)}, most: limitConcurrency},
		"calm":        {flags: []string{"--rpm", "600"}, most: 600},
	}
	for _, when := range []string{"", "-chaos"} {
		all["rpm"+when] = &limited{flags: []string{"--rpm", fmt.Sprint(limitRPM)}, most: limitRPM}
		all["tpm"+when] = &limited{flags: []string{"--tpm", fmt.Sprint(limitTokens)}, most: limitRPM}
		all["budget"+when] = &limited{flags: []string{"--budget", fmt.Sprintf("%.2f", 0.02*limitBudget), "--reset", "total"}, most: limitBudget}
	}
	for name, l := range all {
		l.name = name
	}
	return all
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	c := &crowd{t: t, keys: limitedKeys(), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 10 * time.Second}, done: make(chan struct{})}
	server := startUpstream(t)
	var models strings.Builder
	models.WriteString("models:\n")
	for name, l := range c.keys {
		_, _ = fmt.Fprintf(&models, "  - id: %[1]s\n    pricing: {prompt: \"1000\", completion: \"1000\"}\n    route:\n      - {kind: vllm, id: only, base_url: %[2]q, provider_model_id: %[1]s}\n", name, server.URL()+"/v1")
		if err := server.Set(upstream.Rule{Model: name, Script: upstream.Script{Respond: l.respond}}); err != nil {
			t.Fatal(err)
		}
	}
	c.f = newFleet(t, models.String())
	c.f.startCollector()
	for i := range c.daemons {
		c.daemons[i] = c.f.startDaemon()
	}
	for i := range c.nodes {
		c.nodes[i] = c.f.startNode(fmt.Sprintf("node-%d", i))
	}
	for _, l := range c.keys {
		l.key = c.f.keyWith(l.flags, c.nodes[:]...)
	}
	t.Cleanup(c.rest)
	return c
}

// load has clients ask for a key at all nodes until the crowd rests.
func (c *crowd) load(name string, clients int, every time.Duration) {
	l := c.keys[name]
	for i := range clients {
		c.clients.Go(func() {
			for n := i; ; n++ {
				select {
				case <-c.done:
					return
				case <-time.After(time.Duration(float64(every) * (0.5 + rand.Float64()))):
				}
				c.mu.Lock()
				url := c.nodes[n%len(c.nodes)].url
				c.mu.Unlock()
				c.ask(l, url)
			}
		})
	}
}

// ask sends a request; a node that is being killed answers nothing.
func (c *crowd) ask(l *limited, url string) {
	body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"Ping"}],"max_tokens":20}`, l.name)
	before := l.used()
	req, err := http.NewRequest(http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Authorization", "Bearer "+l.key)
	resp, err := c.client.Do(req)
	if err != nil {
		return
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body) // a kill may cut it
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusServiceUnavailable:
		l.outages.Add(1)
	case http.StatusTooManyRequests, http.StatusPaymentRequired:
		l.refused.Add(1)
		if l.name == "calm" && os.Getenv("CHAOS_SECONDS") == "" { // dozens of kills in a minute may use up what was free
			c.t.Errorf("calm, of which %d of %d were used: %d %s", before, l.most, resp.StatusCode, text)
		}
		if before < l.most/2 && l.name != "concurrency" {
			l.early.Add(1)
		}
		if wants402 := strings.HasPrefix(l.name, "budget"); wants402 != (resp.StatusCode == http.StatusPaymentRequired) {
			c.t.Errorf("%s: %d %s", l.name, resp.StatusCode, text)
		}
	default:
		c.t.Errorf("%s: %d %s", l.name, resp.StatusCode, text)
	}
}

func (c *crowd) rest() {
	select {
	case <-c.done:
	default:
		close(c.done)
	}
	c.clients.Wait()
}

// breaks are the kills; each puts things right again.
func (c *crowd) breaks() []func() {
	return []func(){
		func() { // a node dies with what it holds
			i := rand.IntN(len(c.nodes))
			c.nodes[i].kill()
			n := c.f.restartNode(c.nodes[i].id, c.nodes[i].dir, portOf(c.nodes[i].url))
			c.mu.Lock()
			defer c.mu.Unlock()
			c.nodes[i] = n
		},
		func() { // the daemon that grants, or the one that waits
			i := rand.IntN(len(c.daemons))
			c.daemons[i].kill()
			c.daemons[i] = c.f.startDaemon()
		},
		func() { c.f.nats.kill(); c.f.startNATS() },
		func() { // whoever grants
			c.daemons[0].kill()
			c.daemons[1].kill()
			c.daemons[0], c.daemons[1] = c.f.startDaemon(), c.f.startDaemon()
		},
	}
}

// TestChaosLimits has clients ask for far more than the limits of their keys at
// three nodes, while nodes, daemons and NATS are killed. The upstream counts: no
// window has more than its limit, a limit is used up where nothing is killed,
// and a key that stays below half of its limit is never refused. CHAOS_SECONDS
// makes it longer: make chaos.
func TestChaosLimits(t *testing.T) {
	c := newCrowd(t)
	c.load("calm", 1, 250*time.Millisecond)
	c.load("concurrency", 30, 20*time.Millisecond)
	for _, name := range []string{"rpm", "tpm", "budget"} {
		c.load(name, 9, 30*time.Millisecond)
	}
	for _, name := range []string{"rpm", "tpm", "budget"} {
		l := c.keys[name]
		eventually.Nil(t, eventually.Limit, "97 % of "+name+" is used", func() error {
			if n := l.used(); n*100 < l.most*97 {
				return fmt.Errorf("%d of %d", n, l.most)
			}
			return nil
		})
		if n := l.early.Load(); n > 0 {
			t.Errorf("%s: %d refused before half of it was used", name, n)
		}
	}
	eventually.True(t, "all of the concurrency is used", func() bool {
		l := c.keys["concurrency"]
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.flying == l.most
	})
	for _, name := range []string{"rpm-chaos", "tpm-chaos", "budget-chaos"} {
		c.load(name, 9, 30*time.Millisecond)
	}
	end, all := time.Now().Add(time.Second), c.breaks()
	if os.Getenv("CHAOS_SECONDS") != "" {
		lasts, _ := chaosTime(t)
		end = time.Now().Add(lasts)
	}
	for first := true; first || time.Now().Before(end); first = false {
		for _, i := range rand.Perm(len(all)) {
			pause()
			all[i]()
		}
	}
	c.restored()
	c.rest()
	for _, l := range c.keys {
		l.check(t)
	}
}

// restored waits until shares are granted again.
func (c *crowd) restored() {
	c.t.Helper()
	key := c.f.keyWith([]string{"--rpm", "10"}, c.nodes[:]...)
	for _, n := range c.nodes {
		eventually.Nil(c.t, eventually.Limit, n.id+" is granted a share of a new limit", func() error {
			status, body, err := fetch(c.t.Context(), http.MethodPost, n.url+"/v1/chat/completions", `{"model":"calm","messages":[{"role":"user","content":"Ping"}]}`, "Authorization", "Bearer "+key)
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("%d %s", status, body)
			}
			return err
		})
	}
}
