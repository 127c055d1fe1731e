package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/shared/run"
)

// maxPlaces is far more nodes than share a volume.
const maxPlaces = 1000

// lockWait is how long a node waits for STATE_DIR: one that was killed and
// started again may have to wait for its predecessor to be gone.
const lockWait = 2 * time.Second

// takePlace locks STATE_DIR. Nodes that share it, replicas of one container,
// each take the first place in it that no other holds, and its number into
// their name: what one left behind when it was killed, the next one sends.
func (n *Node) takePlace() error {
	if n.o.StateDir == "" {
		return nil
	}
	if !n.o.SharedDir {
		return n.lock(n.o.StateDir, lockWait)
	}
	for place := 1; place <= maxPlaces; place++ {
		number := strconv.Itoa(place)
		dir := filepath.Join(n.o.StateDir, number)
		err := n.lock(dir, 0)
		if errors.Is(err, run.ErrInUse) {
			continue
		}
		if err == nil {
			n.o.StateDir, n.o.Node = dir, n.o.Node+"-"+number
		}
		return err
	}
	return fmt.Errorf("STATE_DIR: all %d places in %s are taken", maxPlaces, n.o.StateDir)
}

func (n *Node) lock(dir string, wait time.Duration) error {
	unlock, err := run.LockDir(dir, wait)
	if err != nil {
		return fmt.Errorf("STATE_DIR: %w", err)
	}
	n.cleanups.Push("lock of STATE_DIR", func(context.Context) error { return unlock() })
	return nil
}
