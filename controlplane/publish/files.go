package publish

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/controlplane/compile"
	"github.com/hybridinference/gateway/controlplane/config"
)

// Files says where the configuration is and what ${NAME} in it means.
type Files struct {
	Models, Routing string
	Env             func(string) (string, bool)
	// Variables are those that configuration which is sent may refer to, beside
	// those that the files themselves refer to.
	Variables []string
}

// Source is configuration that was sent rather than read; nil is what the
// file has.
type Source struct {
	Models, Routing *string
	// PaidShadows lets endpoints that cost money be shadows.
	PaidShadows bool
}

// load returns the configuration, its warnings, or a config.Problems.
func (f Files) load(models, routing *string) (*config.Files, []config.Warning, error) {
	if models == nil && routing == nil {
		return config.Load(f.Models, f.Routing, f.Env)
	}
	m, err := source("models.yaml", f.Models, models)
	if err != nil {
		return nil, nil, err
	}
	r, err := source("routing.yaml", f.Routing, routing)
	if err != nil && !f.optional() {
		return nil, nil, err
	}
	return config.ParseSent(m, r, f.Env, f.allowed())
}

// allowed says which variables configuration that is sent may use: whoever may
// change the configuration need not know all secrets of the hosts.
func (f Files) allowed() func(name string) bool {
	known := f.Variables
	if files, _, err := config.Load(f.Models, f.Routing, f.Env); err == nil {
		known = append(slices.Clone(known), files.Variables...)
	}
	return func(name string) bool { return slices.Contains(known, name) }
}

// optional: there is no routing.yaml, and none was configured.
func (f Files) optional() bool {
	_, err := os.Stat(f.Routing)
	return f.Routing == config.DefaultRoutingPath && errors.Is(err, fs.ErrNotExist)
}

func unwrapped(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return err.Error()
}

func source(sent, path string, text *string) (config.Source, error) {
	if text != nil {
		return config.Source{Name: sent, Text: []byte(*text)}, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return config.Source{Name: path}, config.Problems{{File: path, Message: "cannot be read: " + unwrapped(err)}}
	}
	return config.Source{Name: path, Text: b}, nil
}

// compiled makes the snapshot that files and overrides give.
func compiled(files *config.Files, b *basis, paidShadows bool) (compile.Output, error) {
	return compile.Snapshot(compile.Input{Files: files, Overrides: b.Weights, Disabled: b.Disabled, Selections: b.Selections, Previous: b.snapshot(), PaidShadows: paidShadows, Now: time.Now()})
}

// digest is a number that changes with what the files say. It is made from the
// compiled content, so that a changed variable counts and a comment does not.
func digest(files *config.Files) (int64, error) {
	out, err := compile.Snapshot(compile.Input{Files: files, PaidShadows: true, Now: time.Unix(0, 0)})
	if err != nil {
		return 0, err
	}
	sum, err := out.Snapshot.Sum()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(sum[:16], 16, 64)
	return int64(n >> 11), err
}

// Skipped returns what the files leave out because a variable is not set,
// nothing of files that have mistakes.
func (p *Publisher) Skipped() []config.Warning {
	_, warnings, err := p.o.Files.load(nil, nil)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(warnings, func(w config.Warning) bool { return len(w.Unset) == 0 })
}

// Check reads and compiles the configuration and says what it holds. What is
// wrong with it is a config.Problems.
func (f Files) Check() (summary string, warnings []config.Warning, err error) {
	files, warnings, err := f.load(nil, nil)
	if err != nil {
		return "", warnings, err
	}
	out, err := compiled(files, &basis{}, false)
	if err != nil {
		return "", warnings, err
	}
	return compile.Describe(&out.Snapshot), warnings, nil
}
