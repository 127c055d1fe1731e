// Package buildinfo says which build a program is.
package buildinfo

import (
	"fmt"
	"runtime"
	"strings"
)

// commit and its date are set by the linker; a build by hand has neither. The time of the build would make builds differ.
var commit, date string //nolint:gochecknoglobals // the linker sets variables of packages only

// Line is what PROGRAM --version prints: "dataplane v1.2.3 (commit 0a1b2c3, 2026-11-29T12:00:00Z, go1.26.8 linux/amd64)".
func Line(program, version string) string {
	return fmt.Sprintf("%s %s (%s)", program, version, About())
}

// About is what is known of the build beside its version.
func About() string {
	var known []string
	if commit != "" {
		known = append(known, "commit "+commit)
	}
	if date != "" {
		known = append(known, date)
	}
	return strings.Join(append(known, runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH), ", ")
}
