package controlstate

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// checkText refuses what PostgreSQL cannot keep as text, whatever the backend.
func checkText(what string, values ...string) error {
	for _, v := range values {
		if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			return fmt.Errorf("%w: %s %q must be UTF-8 without NUL", ErrInvalid, what, v)
		}
	}
	return nil
}
