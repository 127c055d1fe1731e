// Package disk reports how much room there is where a directory is.
package disk

import (
	"fmt"
	"syscall"
)

const (
	// lowPart is the part of a disk that must be free, lowMost the most that is
	// asked for: a large disk with a few gigabytes left is not full.
	lowPart = 20
	lowMost = 5 << 30
)

// Low reports in words that the disk under dir is full, or nearly so: less than
// 5 % and less than 5 GiB are free. It is "" for a disk with room, and for one
// that cannot be asked.
func Low(dir string) string {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return ""
	}
	block := uint64(st.Bsize) //nolint:gosec // its type differs between systems; it is positive
	return low(dir, st.Bavail*block, st.Blocks*block)
}

func low(dir string, free, total uint64) string {
	switch {
	case total == 0 || free >= min(total/lowPart, lowMost):
		return ""
	case free == 0:
		return fmt.Sprintf("the disk under %s is full: nothing of %s is free", dir, size(total))
	}
	return fmt.Sprintf("the disk under %s is nearly full: %s of %s are free", dir, size(free), size(total))
}

func size(n uint64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
