// Command testcount runs a `go test -json` command, shows what failed, and ends with the line "N passed, N failed":
//
//	testcount [-limit 14m] -- go test -json ./...
//
// Its exit status is 0 only when a test passed and none failed. With CI=true in the environment a skipped test is a
// failed one.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/testcount"
)

func main() {
	limit := flag.Duration("limit", 14*time.Minute, "stop the command when it takes longer")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: testcount [-limit 14m] -- go test -json PACKAGE...")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ok := testcount.Run(ctx, testcount.Options{
		Command:   flag.Args(),
		Limit:     *limit,
		SkipFails: os.Getenv("CI") == "true",
		Out:       os.Stdout,
	})
	stop()
	if !ok {
		os.Exit(1)
	}
}
