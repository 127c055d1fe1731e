package run_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hybridinference/gateway/shared/run"
)

func TestTheLimitOfMemoryIsTheSmallestOfTheCgroups(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"a container, version 2":       {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "4294967296\n"}, 4 << 30},
		"a unit within a slice":        {map[string]string{"proc/self/cgroup": "0::/system.slice/gateway.service\n", "sys/fs/cgroup/system.slice/gateway.service/memory.max": "max\n", "sys/fs/cgroup/system.slice/memory.max": "1073741824\n"}, 1 << 30},
		"no limit":                     {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 0},
		"version 1":                    {map[string]string{"proc/self/cgroup": "5:cpu:/docker/1\n4:memory:/docker/1\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n"}, 512 << 20},
		"version 1 without a limit":    {map[string]string{"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		"a system without cgroups":     {nil, 0},
		"a line that cannot be parsed": {map[string]string{"proc/self/cgroup": "nonsense\n0::/\n", "sys/fs/cgroup/memory.max": "1024\n"}, 1024},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for path, text := range test.files {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := run.CgroupLimit(root); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
}
