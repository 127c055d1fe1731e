package run

import (
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// memoryShare of a container's limit is what the Go runtime may use before it
// collects garbage harder; the rest is for stacks of the kernel and page cache
// that count, too.
const memoryShare = 0.9

// LimitMemory sets the runtime's memory limit to 90 % of what the process's
// cgroup allows, as a container, a pod or a systemd unit has it, and returns it
// in bytes. It returns 0 and changes nothing if there is no such limit or
// GOMEMLIMIT is set.
func LimitMemory() int64 {
	if debug.SetMemoryLimit(-1) != math.MaxInt64 { // the runtime has read GOMEMLIMIT
		return 0
	}
	limit := cgroupLimit("/")
	if limit == 0 {
		return 0
	}
	limit = int64(float64(limit) * memoryShare)
	debug.SetMemoryLimit(limit)
	return limit
}

// cgroupLimit is the smallest memory limit of the process's cgroup and those
// around it, in bytes; 0 if there is none. root is "/" but in tests.
func cgroupLimit(root string) int64 {
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0 // not Linux
	}
	limit := int64(math.MaxInt64)
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch parts[1] { // version 2 has one hierarchy without controllers, version 1 one for each
		case "":
			limit = min(limit, smallest(filepath.Join(root, "sys/fs/cgroup"), parts[2], "memory.max"))
		case "memory":
			limit = min(limit, smallest(filepath.Join(root, "sys/fs/cgroup/memory"), parts[2], "memory.limit_in_bytes"))
		}
	}
	if limit > maxMemory {
		return 0
	}
	return limit
}

// maxMemory is above every real limit; version 1 says "none" with a larger number.
const maxMemory = 1 << 60

// smallest reads a limit in a cgroup and in each that it is in. A container
// that sees only its own finds it at the top.
func smallest(hierarchy, group, file string) int64 {
	limit := int64(math.MaxInt64)
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		text, err := os.ReadFile(filepath.Join(hierarchy, group, file))
		if err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
				limit = min(limit, n)
			}
		}
		if group == "/" {
			return limit
		}
	}
}
