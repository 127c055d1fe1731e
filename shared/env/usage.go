package env

import (
	"fmt"
	"io"
	"strings"
)

// WriteUsage lists the settings of a process, in the order of its struct.
func WriteUsage(w io.Writer, settings any) error {
	for _, s := range Describe(settings) {
		names := strings.Join(append([]string{s.Name}, s.Aliases...), ", ")
		def := ""
		if s.Default != "" {
			def = " (default " + s.Default + ")"
		}
		_, err := fmt.Fprintf(w, "  %s, --%s %s\n        %s%s\n", names, flagName(s.Name), s.Takes, s.Help, def)
		if err != nil {
			return fmt.Errorf("write usage: %w", err)
		}
	}
	return nil
}
