package run_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/run"
)

func TestStackUnwindsLastFirstAndNamesFailures(t *testing.T) {
	var s run.Stack
	var order []string
	for _, name := range []string{"store", "listener", "meter"} {
		s.Push(name, func(context.Context) error {
			order = append(order, name)
			if name == "listener" {
				return errors.New("stuck")
			}
			return nil
		})
	}
	err := s.Unwind(t.Context())
	if got := strings.Join(order, " "); got != "meter listener store" {
		t.Errorf("order %q", got)
	}
	if err == nil || err.Error() != "stop listener: stuck" {
		t.Errorf("error %v", err)
	}
	if err := s.Unwind(t.Context()); err != nil || len(order) != 3 {
		t.Errorf("a second Unwind did something: %v %v", err, order)
	}
}

func TestGroupStopsAllWhenOneFails(t *testing.T) {
	var g run.Group
	g.Add("waits", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	g.Add("fails", func(context.Context) error { return errors.New("boom") })
	if err := g.Run(t.Context()); err == nil || err.Error() != "fails: boom" {
		t.Errorf("error %v", err)
	}
}

func TestGroupEndsQuietlyWhenToldTo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var g run.Group
	g.Add("waits", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	cancel()
	if err := g.Run(ctx); err != nil {
		t.Errorf("error %v", err)
	}
}

func TestALockIsWaitedForButNotForEver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	unlock, err := run.LockDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	// an flock belongs to the open file, so that one process can contend with itself
	if _, err := run.LockDir(dir, 50*time.Millisecond); !errors.Is(err, run.ErrInUse) || !strings.Contains(err.Error(), "pid "+strconv.Itoa(os.Getpid())) {
		t.Errorf("a held lock: %v", err)
	}
	time.AfterFunc(100*time.Millisecond, func() {
		if err := unlock(); err != nil {
			t.Error(err)
		}
	})
	again, err := run.LockDir(dir, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
}
