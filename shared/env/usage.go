package env

import (
	"fmt"
	"io"
	"strings"
)

// WriteUsage lists every setting that was asked for, in that order.
func (r *Reader) WriteUsage(w io.Writer) error {
	for _, s := range r.settings {
		names := strings.ReplaceAll(s.name, "|", ", ")
		def := ""
		if s.def != "" {
			def = " (default " + s.def + ")"
		}
		_, err := fmt.Fprintf(w, "  %s, --%s %s\n        %s%s\n", names, flagName(strings.Split(s.name, "|")[0]), s.takes, s.about, def)
		if err != nil {
			return fmt.Errorf("write usage: %w", err)
		}
	}
	return nil
}
