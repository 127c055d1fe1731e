package requestlog_test

import (
	"math"
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

func TestPico(t *testing.T) {
	f := func(in string, want int64) {
		t.Helper()
		got, err := requestlog.ParsePico(in)
		if err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", in, got, err, want)
		}
	}
	f("0", 0)
	f("1", 1e12)
	f("0.000123", 123e6)
	f(".5", 5e11)
	f("5.", 5e12)
	f("-2.25", -225e10)
	f("0.000000000001", 1)
	f("9223372.036854775807", math.MaxInt64)
	// finer than a pico-dollar: the nearest
	f("0.0000000000014", 1)
	f("0.0000000000015", 2)
	f("-0.0000000000015", -2)
	f("0.00014200000000000000000001", 142e6)
	// as floats are written
	f("1.42e-05", 142e5)
	f("1E2", 1e14)
}

func TestFormatPico(t *testing.T) {
	f := func(in int64, want string) {
		t.Helper()
		if got := requestlog.FormatPico(in); got != want {
			t.Errorf("%d: %s, want %s", in, got, want)
		}
	}
	f(0, "0")
	f(1, "0.000000000001")
	f(-225e10, "-2.25")
	f(100e12, "100")
	f(math.MaxInt64, "9223372.036854775807")
}

func FuzzPico(f *testing.F) {
	f.Add("0.1")
	f.Add("-1e-3")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := requestlog.ParsePico(s)
		if err != nil {
			return
		}
		if back, err := requestlog.ParsePico(requestlog.FormatPico(n)); err != nil || back != n {
			t.Errorf("%q is %d, written and read again %d, %v", s, n, back, err)
		}
	})
}
