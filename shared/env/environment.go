package env

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/joho/godotenv"
)

// Environment is where a process finds its variables: its own environment, then
// the .env file, then the files that hold secrets (ADMIN_TOKEN from the file
// that ADMIN_TOKEN_FILE names). It can read both kinds of files again. It is
// safe for concurrent use.
type Environment struct {
	path string
	own  map[string]string

	mu   sync.RWMutex
	vars map[string]string
	// dotenv are the variables of the .env file.
	dotenv map[string]string
	// files are the secret files and what they looked like when they were read.
	files map[string]stamp
}

// stamp tells two states of a file apart.
type stamp struct {
	size    int64
	changed time.Time
}

// secretFile is a variable that names a file with a secret in it.
var secretFile = regexp.MustCompile(`^([A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS|URL)[0-9]*)_FILE$`)

// Open reads a .env file, which may be missing, and the secret files. environ
// is the environment of the process, as of os.Environ.
func Open(path string, environ []string) (*Environment, error) {
	e := &Environment{path: path, own: make(map[string]string, len(environ))}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		e.own[name] = value
	}
	if _, err := e.Reload(); err != nil {
		return nil, err
	}
	return e, nil
}

// Export puts the variables of the .env file into the environment of the
// process, for libraries that look there (HTTPS_PROXY, SSL_CERT_FILE).
func (e *Environment) Export() error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for name, value := range e.dotenv {
		if _, set := e.own[name]; set {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s of %s: %w", name, e.path, err)
		}
	}
	return nil
}

// Lookup returns the value of a variable.
func (e *Environment) Lookup(name string) (value string, found bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	value, found = e.vars[name]
	return value, found
}

// Reload reads the files again and returns the names of the variables that
// have changed. On an error everything stays as it was.
func (e *Environment) Reload() (changed []string, err error) {
	dotenv, err := readDotenv(e.path)
	if err != nil {
		return nil, err
	}
	vars := maps.Clone(dotenv)
	maps.Copy(vars, e.own)
	files, err := readSecretFiles(vars)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, value := range vars {
		if before, found := e.vars[name]; !found || before != value {
			changed = append(changed, name)
		}
	}
	for name := range e.vars {
		if _, found := vars[name]; !found {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	e.vars, e.dotenv, e.files = vars, dotenv, files
	return changed, nil
}

// Stale reports whether a secret file has changed since it was read, or since
// the last Stale: a change that cannot be read is not reported again. The .env
// file does not count: it is edited by hand, and may be half done.
func (e *Environment) Stale() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	stale := false
	for path, was := range e.files {
		if is, err := stampOf(path); err == nil && is != was {
			e.files[path] = is
			stale = true
		}
	}
	return stale
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stamp{info.Size(), info.ModTime()}, nil
}

// readSecretFiles sets NAME in vars to what the file NAME_FILE has, for every
// NAME that can hold a secret and is not set itself.
func readSecretFiles(vars map[string]string) (files map[string]stamp, err error) {
	files = make(map[string]stamp)
	for _, variable := range slices.Sorted(maps.Keys(vars)) {
		m := secretFile.FindStringSubmatch(variable)
		if m == nil || vars[variable] == "" || vars[m[1]] != "" {
			continue
		}
		path := vars[variable]
		// before the text: a file that changes in between is read once more
		if files[path], err = stampOf(path); err != nil {
			return nil, fmt.Errorf("%s: %w", variable, err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", variable, err)
		}
		value := strings.TrimSpace(string(text))
		if value == "" {
			return nil, fmt.Errorf("%s: %s is empty", variable, path)
		}
		vars[m[1]] = value
	}
	return files, nil
}

func readDotenv(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read variables: %w", err)
	}
	vars, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		// the parser's own message would show what is written there
		return nil, fmt.Errorf("%s:%d: must have the form NAME=value", path, brokenLine(string(text)))
	}
	return vars, nil
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
