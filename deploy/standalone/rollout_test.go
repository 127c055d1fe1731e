package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/dataplane/watch"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

// BenchmarkRollout measures a change from the operator's command to the last
// node that has applied it: over TCP, with a database that commits, all on one
// machine. The metrics are milliseconds; ns/op is their mean.
func BenchmarkRollout(b *testing.B) {
	for _, size := range []struct{ nodes, models int }{{1, 10}, {10, 10}, {100, 10}, {100, 20}, {10, 1000}} {
		b.Run(fmt.Sprintf("%dnodes-%dmodels", size.nodes, size.models), func(b *testing.B) { rollOut(b, size.nodes, size.models, setWeight) })
	}
}

// BenchmarkLimit measures a limit, from the operator's command to the last node
// where it is in force.
func BenchmarkLimit(b *testing.B) {
	for _, nodes := range []int{1, 100} {
		b.Run(fmt.Sprintf("%dnodes", nodes), func(b *testing.B) { rollOut(b, nodes, 10, setLimit) })
	}
}

// setWeight is the n-th change of a weight.
func setWeight(ctx context.Context, client *adminclient.Client, n int) ([]adminapi.NodeResult, error) {
	r, err := client.SetWeights(ctx, adminapi.WeightChange{Change: adminapi.Change{WaitMS: 30_000}, Model: "model-0", Weights: map[string]float64{"e0": float64(n + 1)}})
	return r.Nodes, err
}

// setLimit is the n-th change of a limit.
func setLimit(ctx context.Context, client *adminclient.Client, n int) ([]adminapi.NodeResult, error) {
	r, err := adminclient.Call(ctx, client, adminapi.SetLimits(), adminapi.LimitChange{
		KeyChange: adminapi.KeyChange{WaitMS: new(int64(30_000))}, Limits: []adminapi.Limit{{Kind: wire.LimitRPM, Value: strconv.Itoa(n + 1)}},
	})
	return r.Nodes, err
}

func rollOut(b *testing.B, nodes, models int, set func(context.Context, *adminclient.Client, int) ([]adminapi.NodeResult, error)) {
	f := startFleet(b, nodes, models)
	f.change(b, set)
	var took []time.Duration
	for b.Loop() {
		took = append(took, f.change(b, set))
	}
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
}

// BenchmarkFleet is a second in the life of many nodes that have nothing new to hear:
// what their statuses and the daemon's beats are in messages, bytes and CPU time, of
// NATS, daemon and nodes together.
func BenchmarkFleet(b *testing.B) {
	for _, nodes := range []int{1, 100} {
		b.Run(fmt.Sprintf("%dnodes", nodes), func(b *testing.B) {
			f := startFleet(b, nodes, 10)
			f.change(b, setWeight)
			before, cpu := f.traffic(b)
			for b.Loop() {
				time.Sleep(time.Second)
			}
			after, spent := f.traffic(b)
			each := float64(b.N)
			b.ReportMetric(float64(after.InMsgs-before.InMsgs)/each, "msgs-in/s")
			b.ReportMetric(float64(after.OutMsgs-before.OutMsgs)/each, "msgs-out/s")
			b.ReportMetric(float64(after.InBytes-before.InBytes)/each/1000, "kB-in/s")
			b.ReportMetric(float64(after.OutBytes-before.OutBytes)/each/1000, "kB-out/s")
			b.ReportMetric((spent-cpu).Seconds()*1000/b.Elapsed().Seconds(), "cpu-ms/s")
		})
	}
}

// fleet is a daemon with many nodes, in one process.
type fleet struct {
	broker *server.Server
	client *adminclient.Client
	nodes  int
	count  int // of changes
}

// traffic is what NATS has passed on, and the CPU time that this process has had.
func (f *fleet) traffic(b *testing.B) (*server.Varz, time.Duration) {
	b.Helper()
	v, err := f.broker.Varz(nil)
	if err != nil {
		b.Fatal(err)
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return v, time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// change makes a change and waits until all nodes have applied it.
func (f *fleet) change(b *testing.B, set func(context.Context, *adminclient.Client, int) ([]adminapi.NodeResult, error)) time.Duration {
	b.Helper()
	f.count++
	start := time.Now()
	results, err := set(b.Context(), f.client, f.count)
	took := time.Since(start)
	applied := 0
	for _, n := range results {
		if n.State == adminapi.Applied {
			applied++
		}
	}
	if err != nil || applied != f.nodes {
		b.Fatalf("%d of %d nodes have applied it: %v", applied, f.nodes, err)
	}
	return took
}

// startFleet returns when all nodes are live. Everything ends with the benchmark.
func startFleet(b *testing.B, nodes, models int) *fleet {
	b.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	var all sync.WaitGroup
	log := slog.New(slog.DiscardHandler)
	broker, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: b.TempDir(), SyncAlways: true, MaxPayload: 8 << 20, NoLog: true, NoSigs: true})
	if err != nil {
		b.Fatal(err)
	}
	go broker.Start()
	b.Cleanup(broker.Shutdown)
	b.Cleanup(all.Wait)
	b.Cleanup(cancel)
	if !broker.ReadyForConnections(10 * time.Second) {
		b.Fatal("NATS is not ready")
	}
	daemon := startDaemon(ctx, b, broker, models)
	all.Go(func() { _ = daemon.Run(ctx) })
	<-daemon.Ready()
	for i := range nodes {
		id := fmt.Sprintf("node-%d", i)
		conn, err := bus.Connect(bus.Options{URL: broker.ClientURL(), Role: bus.RoleDataPlane, Name: id, Log: log})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(conn.Close)
		w := watch.New(watch.Options{
			Conn: conn, Current: new(atomic.Pointer[snapshot.Snapshot]), Status: func(s *wire.NodeStatus) { s.Node = id }, Log: log,
			Builder: &snapshot.Builder{Senders: upstream.NewSenders(time.Second), Secret: noEnv, Breaker: upstream.DefaultBreaker(), Log: log},
		})
		all.Go(func() { _ = w.Run(ctx) })
	}
	client, err := adminclient.New(adminclient.Options{URL: "http://" + daemon.Addr(), Token: secret.New("t")})
	if err != nil {
		b.Fatal(err)
	}
	eventually.True(b, "all nodes are live", func() bool {
		live, _ := daemon.Nodes().Count()
		return live >= nodes
	})
	return &fleet{broker: broker, client: client, nodes: nodes}
}

func noEnv(string) (string, bool) { return "", false }

// startDaemon makes a daemon with control state in SQLite.
func startDaemon(ctx context.Context, b *testing.B, broker *server.Server, models int) *app.App {
	b.Helper()
	dir := b.TempDir()
	files := publish.Files{Models: filepath.Join(dir, "models.yaml"), Routing: filepath.Join(dir, "routing.yaml"), Env: noEnv}
	if err := os.WriteFile(files.Models, []byte(catalog(models)), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(files.Routing, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	daemon, err := app.New(ctx, app.Options{
		Addr: "127.0.0.1:0", NATS: bus.Options{URL: broker.ClientURL()}, Files: files, Token: secret.New("t"), KeySecret: secret.New("s"), Log: slog.New(slog.DiscardHandler),
		State: database.Config{Backend: database.BackendSQLite, SQLitePath: filepath.Join(dir, "gateway.db")},
	})
	if err != nil {
		b.Fatal(err)
	}
	return daemon
}

// catalog is a models.yaml of five endpoints a model.
func catalog(models int) string {
	var out strings.Builder
	out.WriteString("models:\n")
	for i := range models {
		_, _ = fmt.Fprintf(&out, "  - id: model-%d\n    provider: demo\n    route:\n", i)
		for j := range 5 {
			_, _ = fmt.Fprintf(&out, "      - {id: e%d, kind: vllm, weight: 1, base_url: \"http://10.0.%d.%d:8000\"}\n", j, i%256, j)
		}
	}
	return out.String()
}
