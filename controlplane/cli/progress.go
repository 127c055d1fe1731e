package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

const (
	progressEvery = 250 * time.Millisecond
	clearLine     = "\r\x1b[K"
)

// during runs work. If it waits and stderr is a terminal, a line there says
// how many nodes serve the new release; it is gone when work returns.
func (in *invocation) during(ctx context.Context, client *adminclient.Client, wait time.Duration, work func() error) error {
	if wait == 0 || !in.opts.StderrTerminal {
		return work()
	}
	before, err := client.Status(ctx)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { in.watch(watching, client, watch{before.Release, wait, time.Now()}) })
	err = work()
	stop()
	watcher.Wait()
	_, _ = fmt.Fprint(in.opts.Stderr, clearLine)
	return err
}

// watch is what a progress line needs to know.
type watch struct {
	before uint64 // the release before the change
	wait   time.Duration
	start  time.Time
}

func (in *invocation) watch(ctx context.Context, client *adminclient.Client, w watch) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		line := progressLine(ctx, client, w.before)
		if ctx.Err() != nil {
			return
		}
		_, _ = fmt.Fprintf(in.opts.Stderr, "%s%s, %s of %s", clearLine, line, time.Since(w.start).Round(100*time.Millisecond), w.wait)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// progressLine asks the daemon. What it cannot tell the line leaves out: the
// change itself reports what goes wrong.
func progressLine(ctx context.Context, client *adminclient.Client, before uint64) string {
	status, err := client.Status(ctx)
	if err != nil || status.Release <= before {
		return "waiting for the release"
	}
	nodes, err := client.Nodes(ctx)
	if err != nil {
		return fmt.Sprintf("release %d: waiting for nodes", status.Release)
	}
	live, have, rejected := 0, 0, ""
	for _, n := range nodes {
		switch {
		case n.State != adminapi.Live:
			continue
		case n.Release >= status.Release:
			have++
		case n.ReleaseState == adminapi.Rejected:
			rejected = ", rejected by " + printable(n.Node)
		}
		live++
	}
	return fmt.Sprintf("release %d: on %d of %d nodes%s", status.Release, have, live, rejected)
}
