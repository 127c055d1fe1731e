package node

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/hybridinference/gateway/shared/run"
)

// maxPlaces is far more nodes than share a volume.
const maxPlaces = 1000

// takePlace locks STATE_DIR. Nodes that share it, replicas of one container,
// each take the first place in it that no other holds, and its number into
// their name: what one left behind when it was killed, the next one sends.
func (n *Node) takePlace() (err error) {
	if n.o.StateDir == "" {
		return nil
	}
	if !n.o.SharedDir {
		if n.unlock, err = run.LockDir(n.o.StateDir); err != nil {
			return fmt.Errorf("STATE_DIR: %w", err)
		}
		return nil
	}
	for place := 1; place <= maxPlaces; place++ {
		number := strconv.Itoa(place)
		dir := filepath.Join(n.o.StateDir, number)
		n.unlock, err = run.LockDir(dir)
		if errors.Is(err, run.ErrInUse) {
			continue
		}
		if err != nil {
			return fmt.Errorf("STATE_DIR: %w", err)
		}
		n.o.StateDir, n.o.Node = dir, n.o.Node+"-"+number
		return nil
	}
	return fmt.Errorf("STATE_DIR: all %d places in %s are taken", maxPlaces, n.o.StateDir)
}
