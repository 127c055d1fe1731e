// Command bench measures a gateway node against a bare fasthttp proxy and
// prints the figures side by side. README.md two folders up explains them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/fleet"
	"github.com/hybridinference/gateway/scripts/bench/measure"
	"github.com/hybridinference/gateway/scripts/bench/page"
	"github.com/hybridinference/gateway/scripts/bench/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if played, err := fleet.Play(ctx, args); played {
		return err
	}
	return bench(ctx, args)
}

// settings are the flags.
type settings struct {
	measure   measure.Options
	bin       string
	before    string
	unlimited bool
	json      bool
	report    string
	nginx     string
	limit     time.Duration
}

func parse(args []string) (s settings, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "what to measure, comma-separated: "+strings.Join(measure.Names(), ", ")+" (all if empty)")
	flags.IntVar(&s.measure.Rounds, "rounds", 7, "how often to measure everything; the median counts")
	flags.Float64Var(&s.measure.Rate, "rate", 1000, "requests per second of the latency measurement")
	flags.DurationVar(&s.measure.Busy, "busy", 500*time.Millisecond, "how long each load lasts, at most 1s")
	flags.StringVar(&s.bin, "bin", "bin", "directory of the gateway's binaries; empty measures the proxy alone")
	flags.StringVar(&s.before, "before", "", "directory of an older dataplane binary, to measure beside the one of -bin in the same run")
	flags.BoolVar(&s.unlimited, "unlimited", false, "the node's API key has no limits, to see what they cost")
	flags.StringVar(&s.report, "report", "", "write a page with plots, and all values, into this directory")
	flags.StringVar(&s.nginx, "nginx", "", "path of an nginx to measure beside the proxy")
	flags.BoolVar(&s.json, "json", false, "print all values of all rounds as JSON")
	flags.DurationVar(&s.limit, "limit", 5*time.Minute, "give up when it takes longer")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q: see -help", flags.Arg(0))
	}
	if s.measure.Rounds < 1 || s.measure.Rate < 1 {
		return s, errors.New("-rounds and -rate must be at least 1")
	}
	if s.measure.Busy <= 0 || s.measure.Busy > time.Second { // fleet.Hold says why
		return s, errors.New("-busy must be more than 0 and at most 1s; for more, raise -rounds")
	}
	for name := range strings.FieldsFuncSeq(*only, func(ch rune) bool { return ch == ',' }) {
		if !slices.Contains(measure.Names(), name) {
			return s, fmt.Errorf("-only %q: want some of %s", name, strings.Join(measure.Names(), ","))
		}
		s.measure.Only = append(s.measure.Only, name)
	}
	return s, nil
}

func bench(ctx context.Context, args []string) (err error) {
	s, err := parse(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.limit, fmt.Errorf("it took more than %s (-limit)", s.limit))
	defer cancel()
	s.measure.Progress = progress()
	f, done, err := start(ctx, &s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	rows, curve, err := measure.Run(ctx, f, s.measure)
	s.measure.Progress("")
	if err != nil {
		return err
	}
	r := report.Report{Time: time.Now().Format(time.RFC3339), Machine: machine(), Rounds: s.measure.Rounds, Rows: rows}
	if len(curve.Values) > 0 {
		r.Memory = curve
	}
	if s.report != "" {
		return page.Write(s.report, &r)
	}
	if s.json {
		return r.JSON(os.Stdout)
	}
	return r.Table(os.Stdout)
}

// start starts the fleet in a directory of its own; done undoes both.
func start(ctx context.Context, s *settings) (f *fleet.Fleet, done func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	bin, err := binaries("-bin", s.bin, "dataplane", "controlplane")
	if err != nil {
		return nil, nil, err
	}
	before, err := binaries("-before", s.before, "dataplane")
	if err != nil {
		return nil, nil, err
	}
	if before != "" && bin == "" {
		return nil, nil, errors.New("-before needs -bin: the older node is measured beside the newer one")
	}
	dir, err := os.MkdirTemp("", "gateway-bench-")
	if err != nil {
		return nil, nil, err
	}
	f, err = fleet.Start(ctx, fleet.Options{Bin: bin, Before: before, Dir: dir, Self: self, Models: measure.Models(), Secure: measure.Secure(), Nginx: s.nginx, Unlimited: s.unlimited})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return f, func() error {
		return errors.Join(f.Stop(context.WithoutCancel(ctx)), os.RemoveAll(dir))
	}, nil
}

// binaries is the absolute path of a flag's directory, which has to have the
// named programs; "" is none.
func binaries(flag, dir string, names ...string) (string, error) {
	if dir == "" {
		return "", nil
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return "", fmt.Errorf("%s: %w: run `make build` first", flag, err)
		}
	}
	return filepath.Abs(dir)
}

// progress shows one changing line on a terminal, and nothing elsewhere.
func progress() func(string) {
	if info, err := os.Stderr.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(string) {}
	}
	return func(text string) { fmt.Fprintf(os.Stderr, "\r\033[K%s", text) }
}

// machine is the shape of this machine in a few words.
func machine() string {
	return fmt.Sprintf("%d CPUs, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}
