package env

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// secretFile is a variable that names a file with a secret in it.
var secretFile = regexp.MustCompile(`^([A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|URL)[0-9]*)_FILE=(.+)$`)

// loadSecrets sets NAME to what the file NAME_FILE has, for every variable that
// can hold a secret and is not set itself.
func loadSecrets() error {
	for _, pair := range os.Environ() {
		m := secretFile.FindStringSubmatch(pair)
		if m == nil {
			continue
		}
		name, path := m[1], m[2]
		if text, set := os.LookupEnv(name); set && text != "" { //nolint:forbidigo // this is main's reading of the environment
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("%s_FILE: %w", name, err)
		}
		if err := os.Setenv(name, strings.TrimSpace(string(text))); err != nil {
			return fmt.Errorf("set %s from %s_FILE: %w", name, name, err)
		}
	}
	return nil
}
