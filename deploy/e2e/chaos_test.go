package e2e_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
)

// chaosTime is how long the chaos lasts, and how long a client rests after a
// request. CHAOS_SECONDS makes it longer, and without rest: make chaos.
func chaosTime(t *testing.T) (lasts, rest time.Duration) {
	t.Helper()
	text := os.Getenv("CHAOS_SECONDS")
	if text == "" {
		return 12 * time.Second, 4 * time.Millisecond
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CHAOS_SECONDS must be a number of seconds, got %q", text)
	}
	return time.Duration(n) * time.Second, 0
}

// finished are the generations whose end a client has seen.
type finished struct {
	mu  sync.Mutex
	ids []string
}

func (f *finished) note(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids = append(f.ids, id)
}

// askOnce sends a request and notes its generation if the answer is whole: with
// a node that is killed many are not.
func (f *finished) askOnce(client *http.Client, url, key string, stream bool) bool {
	req, err := http.NewRequest(http.MethodPost, url+"/v1/chat/completions", strings.NewReader(chatBody("demo", "Ping", stream)))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	last := ""
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	whole := lines.Err() == nil && resp.StatusCode == http.StatusOK && (stream && last == "data: [DONE]" || !stream && strings.Contains(last, "Pong"))
	if whole {
		f.note(resp.Header.Get("X-Generation-Id"))
	}
	return whole
}

// chaos is a fleet that writes to PostgreSQL and to D1, and everything in it
// that can be broken.
type chaos struct {
	t         *testing.T
	f         *fleet
	d1        *process
	d1URL     string
	database  *way
	toNATS    *way
	daemon    *process
	collector [2]*process
	nodes     [2]*member
	mu        sync.Mutex // held while nodes are exchanged
	damaged   bool       // a spool was: events may be lost
}

func newChaos(t *testing.T) *chaos {
	t.Helper()
	c := &chaos{t: t, f: newFleet(t, demoModels)}
	c.database = newWay(t, c.f.database.Host)
	c.toNATS = newWay(t, "127.0.0.1:"+c.f.natsPort)
	c.d1, c.d1URL = startD1(t, t.TempDir())
	_, port, _ := strings.Cut(c.database.addr(), ":")
	c.f.common = append(c.f.common, "DB_HOST=127.0.0.1", "DB_PORT="+port, "D1_DUAL_WRITE=1", "D1_ACCOUNT_ID=a", "D1_DATABASE_ID=b", "D1_API_TOKEN=d1-token",
		"D1_API_BASE="+c.d1URL+"/client/v4", "D1_REQUESTS_PER_SECOND=50")
	c.daemon = c.f.startDaemon()
	for i := range c.collector {
		c.collector[i] = c.f.startCollector()
	}
	for i := range c.nodes {
		c.nodes[i] = c.f.startNode("node-"+strconv.Itoa(i), "NATS_URL=nats://"+c.toNATS.addr())
	}
	return c
}

// startD1 starts Cloudflare's engine with its data in dir.
func startD1(t *testing.T, dir string) (p *process, url string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	p = launch(t, node, nil, filepath.Join(root, "scripts", "d1", "server.mjs"), "--dir", dir)
	t.Cleanup(func() { _ = p.stop(20 * time.Second) }) // killed, it would leave the engine behind
	eventually.Nil(t, 30*time.Second, "D1's engine is there", func() error {
		if _, found, ok := strings.Cut(p.out.String(), "listening on "); ok {
			url = strings.TrimSpace(found)
			return nil
		}
		return errors.New(p.out.String())
	})
	return p, url
}

func pause() { time.Sleep(time.Duration(200+rand.IntN(800)) * time.Millisecond) }

// breaks are all that can go wrong. Each puts things right again.
func (c *chaos) breaks() map[string]func() {
	restart := func(i int) {
		n := c.f.restartNode(c.nodes[i].id, c.nodes[i].dir, portOf(c.nodes[i].url), "NATS_URL=nats://"+c.toNATS.addr())
		c.mu.Lock()
		defer c.mu.Unlock()
		c.nodes[i] = n
	}
	node := func(i int) {
		c.nodes[i].kill()
		restart(i)
	}
	collector := func(i int) {
		c.collector[i].kill()
		pause()
		c.collector[i] = c.f.startCollector()
	}
	broker := func(wipe bool) {
		c.f.nats.kill()
		if wipe {
			c.f.natsDir = c.t.TempDir()
		}
		pause()
		c.f.startNATS()
	}
	all := map[string]func(){
		"node":      func() { node(rand.IntN(2)) },
		"collector": func() { collector(rand.IntN(2)) },
		"daemon":    func() { c.daemon.kill(); pause(); c.daemon = c.f.startDaemon() },
		"nats":      func() { broker(false) },
		"wiped":     func() { broker(true) },
		"database cut": func() {
			c.database.freeze(true)
			pause()
			c.database.drop() // whatever was on its way may be committed, or not
			c.database.freeze(false)
		},
		"nodes cut off": func() { c.toNATS.freeze(true); pause(); c.toNATS.drop(); c.toNATS.freeze(false) },
		"d1": func() {
			kinds := []string{"429", "500-before", "500-after", "cut", "half"}
			body := fmt.Sprintf(`{"kind":%q,"count":%d,"retry_after":1}`, kinds[rand.IntN(len(kinds))], 1+rand.IntN(6))
			if _, _, err := fetch(c.t.Context(), http.MethodPut, c.d1URL+"/faults", body); err != nil {
				c.t.Error(err)
			}
		},
		"all at once": func() {
			c.f.nats.kill()
			c.collector[0].kill()
			c.collector[1].kill()
			c.daemon.kill()
			node(0)
			node(1)
			pause()
			c.f.startNATS()
			c.daemon = c.f.startDaemon()
			c.collector[0], c.collector[1] = c.f.startCollector(), c.f.startCollector()
		},
	}
	if os.Getenv("CHAOS_SECONDS") != "" { // the short run loses nothing
		all["damage"] = func() { c.damage(rand.IntN(2), restart) }
	}
	return all
}

func portOf(url string) string { return url[strings.LastIndexByte(url, ':')+1:] }

// TestChaos has clients ask all the time while everything is killed, cut and
// wiped. Every answer whose end a client has seen has one row in PostgreSQL,
// and the same one in D1. The long run also damages spools: then the numbers of
// what has no row are known.
func TestChaos(t *testing.T) {
	c := newChaos(t)
	key := c.f.key(c.nodes[:]...)
	var seen finished
	stop := make(chan struct{})
	var clients sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 20 * time.Second}
	lasts, rest := chaosTime(t)
	for w := range 6 {
		clients.Go(func() {
			for i := w; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				c.mu.Lock()
				url := c.nodes[i%2].url
				c.mu.Unlock()
				if !seen.askOnce(client, url, key, i%4 == 0) {
					time.Sleep(10 * time.Millisecond)
				}
				time.Sleep(rest)
			}
		})
	}
	end := time.Now().Add(lasts)
	all := c.breaks()
	count := 0
	for time.Now().Before(end) {
		for what, do := range all { // in no order
			if time.Now().After(end) && count >= len(all) {
				break
			}
			time.Sleep(time.Duration(300+rand.IntN(700)) * time.Millisecond)
			t.Logf("%s: %s", time.Now().Format("15:04:05.000"), what)
			do()
			count++
		}
	}
	close(stop)
	clients.Wait()
	t.Logf("%d faults, %d answers were seen to their end", count, len(seen.ids))
	c.settled()
	c.agree()
	c.rowsOf(seen.ids)
}

// settled waits until no node has anything left, and both stores have all.
func (c *chaos) settled() {
	c.t.Helper()
	lost := `"lost": 0`
	if c.damaged {
		lost = `"lost": `
	}
	eventually.Nil(c.t, 4*time.Minute, "the ledger is balanced, with nothing pending", func() error {
		out, err := c.f.tryCtl("ledger", "-o", "json")
		if !strings.Contains(out, `"pending": 0`) || !containsAll(out[strings.Index(out, `"sum"`):], `"pending": 0`, lost, `"balanced": true`) ||
			strings.Count(out, `"waiting_frames": 0`) != 2 || strings.Count(out, `"frames_in_hand": 0`) != 2 {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// rowsOf compares what clients have seen with what is stored.
func (c *chaos) rowsOf(ids []string) {
	c.t.Helper()
	stored := map[string]int{}
	export := c.f.ctl("logs", "export", "--since", "1h") // reads come from D1
	inD1 := map[string]bool{}
	for line := range strings.Lines(export) {
		_, rest, _ := strings.Cut(line, `"request_id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		inD1[id] = true
	}
	rows := c.f.column("SELECT request_id FROM api_logs")
	for _, id := range rows {
		stored[id]++
	}
	missing, duplicate := 0, 0
	for _, id := range ids {
		switch stored[id] {
		case 0:
			missing++
			c.t.Logf("missing: %s", id)
		case 1:
		default:
			duplicate++
		}
	}
	c.t.Logf("result: chaos: finished=%d rows=%d d1=%d missing=%d duplicate=%d", len(ids), len(rows), len(inD1), missing, duplicate)
	if missing > 0 && !c.damaged || duplicate > 0 || len(stored) != len(rows) {
		c.t.Errorf("%d answers have no row, %d more than one", missing, duplicate)
	}
	c.accountFor(missing)
	var rolled int
	if err := c.f.query(c.t.Context(), "SELECT sum(request_count)::int FROM api_stats_hourly", &rolled); err != nil || rolled != len(rows) {
		c.t.Errorf("the roll-ups have %d of %d rows: %v", rolled, len(rows), err)
	}
	for id := range inD1 {
		if stored[id] == 0 {
			c.t.Errorf("%s is in D1 alone", id)
		}
	}
}

// agree compares both logs, and first gives D1 what a wiped NATS had for it and
// PostgreSQL had already.
func (c *chaos) agree() {
	c.t.Helper()
	p := launch(c.t, "controlplane", c.f.as("collector"), "compare", "--compare-delay-seconds", "0", "--compare-repair")
	if err := p.wait(5 * time.Minute); err != nil || !strings.Contains(p.out.String(), "postgres and d1 agree: ") {
		c.t.Errorf("compare: %v: %s", err, p.out)
	}
	c.t.Log(p.out)
}
