package run_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/run"
)

const asProcess = "GATEWAY_TEST_SIGNALS"

func TestMain(m *testing.M) {
	if os.Getenv(asProcess) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := run.Signals(context.Background())
	defer stop()
	fmt.Println("started")
	<-ctx.Done()
	fmt.Println(context.Cause(ctx))
	time.Sleep(time.Minute) // as if requests were in flight
}

// The first signal asks, the second ends: also in a process that was started with the signal ignored.
func TestTheSecondSignalEndsTheProcess(t *testing.T) {
	for name, before := range map[string]string{"as usual": "", "in the background of a shell": "trap '' INT; "} {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", before+`exec "$0"`, os.Args[0])
		cmd.Env = append(os.Environ(), asProcess+"=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for _, want := range []string{"started", "interrupt signal received"} {
			if !lines.Scan() || lines.Text() != want {
				t.Fatalf("%s: %q, want %q", name, lines.Text(), want)
			}
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		err = cmd.Wait()
		if cmd.ProcessState.ExitCode() != 130 || time.Since(began) > 30*time.Second {
			t.Errorf("%s: %v after %s", name, err, time.Since(began))
		}
	}
}
