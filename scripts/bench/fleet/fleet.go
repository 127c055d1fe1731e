// Package fleet starts what is measured, each part a process of its own: the
// scripted upstream, the bare proxy, and a node with all that it needs to work
// as in production: a NATS server, a control plane, and a collector into SQLite.
// Auth is on, requests are routed over two endpoints, and every request's usage
// event ends in the database.
package fleet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hybridinference/gateway/scripts/bench/process"
	"github.com/hybridinference/gateway/scripts/bench/upstream"
	"github.com/hybridinference/gateway/shared/run"
)

// Options say what to start.
type Options struct {
	// Bin is the directory of the gateway's binaries; empty starts no node.
	Bin string
	// Before is the directory of an older dataplane binary, measured as another
	// node beside the one of Bin; empty is none.
	Before string
	// Dir is an empty directory for configuration and state.
	Dir string
	// Self is a program whose main calls Play first: this one.
	Self string
	// Models are the ids of the models that the node routes, at least one. Their
	// endpoints ask the upstream for a model of the same id.
	Models []string
	// Secure are those of them whose endpoints are https.
	Secure []string
	// Nginx is a program to measure beside the proxy, doing the same; empty is none.
	Nginx string
	// Unlimited makes the node's key without limits; else it has one of each kind
	// that every request counts for, far above what is measured.
	Unlimited bool
}

// Target is something that can be put under load.
type Target struct {
	Name string
	Addr string // host:port
	Key  string // API key, "" if it asks for none
	// Process costs what is measured; nil for the upstream itself, which is
	// there to compare latencies with.
	Process *process.Process
}

// The names of the targets.
const (
	Direct = "direct"
	Proxy  = "proxy"
	Node   = "node"
	Before = "before"
	Nginx  = "nginx"
)

// Fleet is everything that runs.
type Fleet struct {
	Targets  []Target // direct, proxy, node if there are binaries, before if there are older ones
	Secure   []Target // the same with an https upstream: the proxy is net/http's, and there is no direct
	Upstream upstream.Remote

	o         Options
	stack     run.Stack
	addr      addresses
	collector *process.Process // nil without a node
	backlog   *backlog
}

// addresses are host:port, all free when the fleet was started.
type addresses struct{ upstream, script, proxy, front, secureProxy, nginx, nats, control, node, before string }

// Start starts all processes and returns when each of them serves. Who has a
// fleet must stop it.
func Start(ctx context.Context, o Options) (*Fleet, error) {
	f := &Fleet{o: o}
	if err := f.start(ctx); err != nil {
		stopped := f.Stop(context.WithoutCancel(ctx))
		if stopped != nil {
			return nil, fmt.Errorf("%w; then %w", err, stopped)
		}
		return nil, err
	}
	return f, nil
}

// Stop ends all processes, the last started first.
func (f *Fleet) Stop(ctx context.Context) error { return f.stack.Unwind(ctx) }

func (f *Fleet) start(ctx context.Context) error {
	a := &f.addr
	if err := free(&a.upstream, &a.script, &a.proxy, &a.front, &a.secureProxy, &a.nginx, &a.nats, &a.control, &a.node, &a.before); err != nil {
		return err
	}
	f.Upstream = upstream.Remote{ControlURL: "http://" + a.script}
	up, err := f.role("upstream", roleUpstream, a.upstream, a.script)
	if err != nil {
		return err
	}
	if err := up.Await(ctx, func(ctx context.Context) error { _, err := f.Upstream.Counts(ctx); return err }); err != nil {
		return err
	}
	bare, err := f.role("proxy", roleProxy, a.proxy, a.upstream)
	if err != nil {
		return err
	}
	if err := bare.Await(ctx, serves("http://"+a.proxy+"/health")); err != nil {
		return err
	}
	f.Targets = []Target{{Name: Direct, Addr: a.upstream}, {Name: Proxy, Addr: a.proxy, Process: bare}}
	if err := f.startNginx(ctx); err != nil {
		return err
	}
	if err := f.startSecure(ctx); err != nil {
		return err
	}
	if f.o.Bin == "" {
		return nil
	}
	return f.startGateway(ctx)
}

// role starts a child that is this program in another role.
func (f *Fleet) role(name string, args ...string) (*process.Process, error) {
	return f.launch(process.Options{Name: name, Path: f.o.Self, Args: args})
}

// launch starts a child with the environment that all have, and what it adds.
func (f *Fleet) launch(o process.Options) (*process.Process, error) {
	o.Dir = filepath.Join(f.o.Dir, o.Name) // no .env of someone else lies there
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a directory for %s: %w", o.Name, err)
	}
	o.Env = append([]string{"HOME=" + o.Dir, "PATH=/usr/bin:/bin"}, o.Env...)
	p, err := process.Start(o)
	if err != nil {
		return nil, err
	}
	f.stack.Push(o.Name, p.Stop)
	return p, nil
}
