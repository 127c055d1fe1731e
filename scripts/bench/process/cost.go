package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the time that all threads of the process have spent on a processor,
// user and system, including threads that are gone. It is the kernel's own
// account in nanoseconds; utime and stime in /proc count in ticks of 10 ms.
func (p *Process) CPU() (time.Duration, error) { return cpuOf(p.Pid()) }

func cpuOf(pid int) (time.Duration, error) {
	// The clock id of another process, see clock_getcpuclockid(3): the
	// complement of its pid, and 2 for the scheduler's clock.
	const schedClock = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedClock), &ts); err != nil {
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// RSS is the memory of the process that is in RAM, in bytes.
func (p *Process) RSS() (int64, error) { return rssOf(p.Pid()) }

func rssOf(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory use: %w", err)
	}
	fields := bytes.Fields(text) // size resident shared ..., in pages
	if len(fields) < 2 {
		return 0, fmt.Errorf("read memory use of process %d: unexpected %q", pid, text)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read memory use of process %d: %w", pid, err)
	}
	return pages * int64(os.Getpagesize()), nil
}
