// Package natssetup makes what a NATS of several hosts needs: an operator and
// an account, credentials for each role, certificates, and a configuration for
// each server. What exists is kept, so that nodes and hosts can be added later.
package natssetup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/shared/bus"
)

// Options say what to make.
type Options struct {
	// Dir is where everything is written.
	Dir string
	// Nodes are data-plane nodes that get credentials of their own.
	Nodes []string
	// Shared makes dataplane.creds, too, for nodes that share theirs: any of them
	// can then hand in usage events as any other.
	Shared bool
	// Hosts are the names or addresses of NATS servers: one, or three for a cluster.
	Hosts []string
	// StoreDir is where a server keeps its data, InstallDir where Dir's content
	// will be on it; default Dir itself.
	StoreDir, InstallDir string
}

// The names that files are made of.
var (
	nodeName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252})$`)
)

func (o *Options) check() error {
	var errs []error
	if o.Dir == "" {
		errs = append(errs, errors.New("--dir is required"))
	}
	for _, n := range o.Nodes {
		if !nodeName.MatchString(n) || slices.Contains([]string{roleFile("dataplane"), roleFile("controlplane"), roleFile("collector"), "system"}, n) {
			errs = append(errs, fmt.Errorf("--nodes: a node name has 1 to 40 characters of a-z, 0-9 and -, and is not the name of a role, got %q", n))
		}
	}
	for _, h := range o.Hosts {
		if !hostName.MatchString(h) {
			errs = append(errs, fmt.Errorf("--hosts: must be host names or addresses, got %q", h))
		}
	}
	if n := len(o.Hosts); n != 1 && n != 3 && n != 5 {
		errs = append(errs, fmt.Errorf("--hosts: must be 1, 3 or 5 servers, got %d", n))
	}
	return errors.Join(errs...)
}

// Write makes all that is missing and returns the paths that it wrote.
func Write(o Options) (written []string, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.InstallDir == "" {
		if o.InstallDir, err = filepath.Abs(o.Dir); err != nil {
			return nil, fmt.Errorf("--dir: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, "keys"), 0o700); err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	s := setup{o: o}
	for _, step := range []func() error{s.accounts, s.signing, s.certificates, s.configs} {
		if err := step(); err != nil {
			return s.written, err
		}
	}
	return s.written, nil
}

// setup is one run.
type setup struct {
	o       Options
	written []string
}

func (s *setup) path(name string) string { return filepath.Join(s.o.Dir, name) }

// kept returns the content of a file that an earlier run has made, nil if there is none.
func (s *setup) kept(name string) ([]byte, error) {
	text, err := os.ReadFile(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// secretMode keeps a file to its owner.
const (
	secretMode = 0o600
	publicMode = 0o644
)

// write replaces a file, whole or not at all.
func (s *setup) write(name string, content []byte, mode fs.FileMode) error {
	path := s.path(name)
	if err := os.WriteFile(path+".new", content, mode); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	s.written = append(s.written, path)
	return nil
}

// roleFile is the name of a role's files.
func roleFile(role string) string { return strings.ToLower(role) }

// signing makes the pair of keys of releases: the private one is for the
// control plane, the public one for the nodes.
func (s *setup) signing() error {
	const file = "release_signing_key"
	if text, err := s.kept(file); err != nil || text != nil {
		return err
	}
	private, public := bus.NewSigningKey()
	if err := s.write(file+".pub", []byte(public+"\n"), publicMode); err != nil {
		return err
	}
	return s.write(file, []byte(private.Reveal()+"\n"), secretMode)
}
