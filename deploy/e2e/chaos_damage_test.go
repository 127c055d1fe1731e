package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// damage cuts the nodes off NATS, kills one, and changes a file of its spool
// before it starts again.
func (c *chaos) damage(i int, restart func(int)) {
	c.damaged = true
	c.toNATS.freeze(true) // its events pile up
	pause()
	c.nodes[i].kill()
	c.damageSpool(c.nodes[i].dir)
	c.toNATS.drop()
	c.toNATS.freeze(false)
	restart(i)
}

// damageSpool flips bits of a segment, or clears a page.
func (c *chaos) damageSpool(dir string) {
	c.t.Helper()
	var segments []string
	err := filepath.WalkDir(filepath.Join(dir, "spool"), func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".seg" {
			segments = append(segments, path)
		}
		return err
	})
	if err != nil || len(segments) == 0 {
		c.t.Errorf("the spool of %s: %d segments, %v", dir, len(segments), err)
		return
	}
	path := segments[rand.IntN(len(segments))]
	b, err := os.ReadFile(path)
	if err != nil {
		c.t.Error(err)
		return
	}
	used := len(bytes.TrimRight(b, "\x00")) // the file is as long as it may become
	if used == 0 {
		return
	}
	if rand.IntN(2) == 0 {
		for range 1 + rand.IntN(8) {
			b[rand.IntN(used)] ^= 1 << rand.IntN(8)
		}
	} else {
		at := rand.IntN(used) / 4096 * 4096
		clear(b[at:min(at+4096, len(b))])
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		c.t.Error(err)
	}
	c.t.Logf("damaged: %s, %d bytes", path, used)
}

// lost reads from the nodes' spools which events they say are lost.
func (c *chaos) lost() map[string]bool {
	c.t.Helper()
	out := map[string]bool{}
	for _, n := range c.nodes {
		text, err := os.ReadFile(filepath.Join(n.dir, "spool", "lost"))
		if err != nil && !os.IsNotExist(err) {
			c.t.Error(err)
		}
		for line := range bytes.Lines(text) {
			var one struct {
				Epoch       string
				First, Last uint64
			}
			if err := json.Unmarshal(line, &one); err != nil {
				c.t.Error(err)
			}
			for number := one.First; number <= one.Last; number++ {
				out[one.Epoch+" "+strconv.FormatUint(number, 10)] = true
			}
		}
	}
	return out
}

// accountFor holds rows and losses to what was issued: every number below the
// highest one of an epoch has a row or is said to be lost. It may be both: a node
// whose receipt was cut off cannot know that what it has lost is stored.
func (c *chaos) accountFor(missing int) {
	c.t.Helper()
	lost := c.lost()
	highest, rows := map[string]uint64{}, map[string]bool{}
	both, unaccounted := 0, 0
	for _, text := range c.f.column("SELECT spool_epoch || ' ' || seq FROM api_logs") {
		epoch, number, _ := strings.Cut(text, " ")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			c.t.Fatal(err)
		}
		highest[epoch] = max(highest[epoch], n)
		if rows[text] {
			c.t.Errorf("two events have the number %s", text)
		}
		rows[text] = true
		if lost[text] {
			both++
		}
	}
	for epoch, last := range highest {
		for number := uint64(1); number <= last; number++ {
			if at := epoch + " " + strconv.FormatUint(number, 10); !rows[at] && !lost[at] {
				unaccounted++
			}
		}
	}
	out, _ := c.f.tryCtl("ledger", "-o", "json") // it fails if something is lost
	if want := fmt.Sprintf(`"lost": %d`, len(lost)); !containsAll(out[strings.Index(out, `"sum"`):], want, `"balanced": true`) {
		c.t.Errorf("%d events are lost, the ledger says %s", len(lost), out)
	}
	c.t.Logf("result: damage: rows=%d lost=%d of which stored=%d unaccounted=%d answers without a row=%d", len(rows), len(lost), both, unaccounted, missing)
	if unaccounted > 0 || missing > len(lost)-both {
		c.t.Errorf("%d numbers have neither a row nor a loss; %d answers have no row, %d events are lost", unaccounted, missing, len(lost)-both)
	}
}
