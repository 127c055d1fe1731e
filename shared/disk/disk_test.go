package disk

import "testing"

func TestLow(t *testing.T) {
	f := func(free, total uint64, want string) {
		t.Helper()
		if got := low("/var/lib/gateway", free, total); got != want {
			t.Errorf("%d of %d free: %q, want %q", free, total, got, want)
		}
	}
	const gib = 1 << 30
	f(gib, 20*gib, "")
	f(gib-1<<20, 20*gib, "the disk under /var/lib/gateway is nearly full: 1023.0 MiB of 20.0 GiB are free")
	f(5*gib, 10_000*gib, "")
	f(4*gib, 10_000*gib, "the disk under /var/lib/gateway is nearly full: 4.0 GiB of 10000.0 GiB are free")
	f(0, 16<<20, "the disk under /var/lib/gateway is full: nothing of 16.0 MiB is free")
	f(0, 0, "") // as /proc says of itself
	if got := Low(t.TempDir() + "/missing"); got != "" {
		t.Errorf("of a directory that does not exist: %q", got)
	}
}
