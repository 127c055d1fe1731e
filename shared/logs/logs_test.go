package logs_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/logs"
)

func TestSettings(t *testing.T) {
	f := func(s logs.Settings, want string) {
		t.Helper()
		var out strings.Builder
		log := s.New(&out)
		log.Debug("one")
		log.Info("two")
		log.Warn("three")
		log.Error("four")
		said := ""
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, "{") != (s.Format == "json") {
				t.Errorf("%+v: %s", s, line)
			}
			for _, word := range []string{"one", "two", "three", "four"} {
				if strings.Contains(line, word) {
					said += word + " "
				}
			}
		}
		if said != want {
			t.Errorf("%+v: %q, want %q", s, said, want)
		}
	}
	f(logs.Settings{Format: "json", Level: "debug"}, "one two three four ")
	f(logs.Settings{Format: "text", Level: "info"}, "two three four ")
	f(logs.Settings{Format: "text", Level: "warn"}, "three four ")
	f(logs.Settings{Format: "json", Level: "error"}, "four ")
}
