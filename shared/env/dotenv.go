package env

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/joho/godotenv"
)

// LoadFile puts the variables of a .env file into the process's environment,
// and then those secrets that are in files: ADMIN_TOKEN from the file that
// ADMIN_TOKEN_FILE names. It never overrides one that is set, and a .env that is
// not there is fine. For main alone, before New.
func LoadFile(path string) error {
	if err := loadDotenv(path); err != nil {
		return err
	}
	return loadSecrets()
}

func loadDotenv(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read variables: %w", err)
	}
	vars, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		// the parser's own message would show what is written there
		return fmt.Errorf("%s:%d: not a line NAME=value", path, brokenLine(string(text)))
	}
	for name, value := range vars {
		if _, set := os.LookupEnv(name); set { //nolint:forbidigo // this is main's reading of the environment
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s of %s: %w", name, path, err)
		}
	}
	return nil
}

// brokenLine returns the number of the line after the longest readable beginning.
func brokenLine(text string) int {
	lines := strings.SplitAfter(text, "\n")
	for n := len(lines) - 1; n > 0; n-- {
		if _, err := godotenv.Unmarshal(strings.Join(lines[:n], "")); err == nil {
			return n + 1
		}
	}
	return 1
}
