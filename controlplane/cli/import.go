package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/controlplane/importer"
)

func importFilesCommand() *urfave.Command {
	to := func() urfave.Flag {
		return textFlag("to", "write to `FILE`, which must not exist yet", "the standard output")
	}
	return &urfave.Command{
		Name: "import", Usage: "turn other gateways' files into configuration",
		Description: help("Reads a file, - for the standard input, and changes nothing but the file that it writes. What cannot be carried over is listed on stderr,\nwith its line.",
			"gatewayctl import litellm config.yaml --to imported.yaml", "gatewayctl import prices models.json --dry-run"),
		Subcommands: []*urfave.Command{
			{
				Name: "litellm", Usage: "make a models.yaml of a LiteLLM proxy's config.yaml", ArgsUsage: "FILE",
				Description: help("Carries over models, weights, fallbacks (as endpoints of weight 0.01), prices, keys by name and the proxy's budget. Secrets stay\n"+
					"where they are: models.yaml names variables, and the command lists those to set.",
					"gatewayctl import litellm config.yaml", "gatewayctl import litellm config.yaml --to models.yaml"),
				Flags: []urfave.Flag{to()}, Action: run(importLiteLLM),
			},
			{
				Name: "openrouter-catalog", Usage: "make a models.yaml of a saved list of OpenRouter's models", ArgsUsage: "FILE",
				Description: help("FILE is a saved answer of https://openrouter.ai/api/v1/models.",
					"gatewayctl import openrouter-catalog models.json --only 'deepseek/*,qwen/*'"),
				Flags: []urfave.Flag{textFlag("only", "only models that match one of `PATTERNS`, such as deepseek/*, separated by commas", "all models"), to()}, Action: run(importCatalog),
			},
			{
				Name: "prices", Usage: "put prices and context sizes of a saved models list into models.yaml", ArgsUsage: "FILE",
				Description: help("FILE is a saved answer of https://openrouter.ai/api/v1/models, or of another gateway's in that form. Models are found by id, alias,\n"+
					"hugging_face_id, or id without the vendor. Everything else in models.yaml stays as it is written; `gatewayctl apply` brings it to the nodes.",
					"gatewayctl import prices models.json --dry-run", "gatewayctl import prices models.json --models models.yaml"),
				Flags:  []urfave.Flag{textFlag("models", "change `FILE` instead of MODELS_CONFIG", config.DefaultModelsPath), switchFlag("dry-run", "only show what would change")},
				Action: run(importPrices),
			},
			{
				Name: "python-env", Usage: "make an .env of the Python gateway's", ArgsUsage: "FILE",
				Description: help("Renames what has another name here and comments out what has no effect, with the reason. The result holds secrets, as FILE does.",
					"gatewayctl import python-env old.env --to .env"),
				Flags: []urfave.Flag{to()}, Action: run(importPythonEnv),
			},
		},
	}
}

// imported is what import prints with -o json or yaml.
type imported struct {
	Models    string              `json:"models"`
	Count     int                 `json:"model_count"`
	Endpoints int                 `json:"endpoint_count"`
	Variables []importer.Variable `json:"variables"`
	Commands  []string            `json:"commands"`
	Notes     []importer.Note     `json:"notes"`
}

func importLiteLLM(_ context.Context, in *invocation) error {
	return in.importModels(importer.LiteLLM)
}

func importCatalog(_ context.Context, in *invocation) error {
	return in.importModels(func(text []byte) (*importer.Result, error) { return importer.OpenRouterCatalog(text, in.items("only")) })
}

func (in *invocation) importModels(read func([]byte) (*importer.Result, error)) error {
	name, text, err := in.source()
	if err != nil {
		return err
	}
	r, err := read(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := in.deliver(r.Models, imported{string(r.Models), r.Count, r.Endpoints, r.Variables, r.Commands, r.Notes}); err != nil || in.format() != formatTable {
		return err
	}
	in.warn(name, r.Notes)
	_, _ = fmt.Fprintf(in.opts.Stderr, "%d %s with %d %s, %d %s not carried over\n", r.Count, plural("model", r.Count), r.Endpoints, plural("endpoint", r.Endpoints),
		len(r.Notes), plural("setting", len(r.Notes)))
	for _, v := range r.Variables {
		_, _ = fmt.Fprintf(in.opts.Stderr, "set %s: %s\n", v.Name, printable(v.About))
	}
	for _, c := range r.Commands {
		_, _ = fmt.Fprintf(in.opts.Stderr, "then run: %s\n", printable(c))
	}
	return nil
}

// source reads the file that is the argument.
func (in *invocation) source() (name string, text []byte, err error) {
	const most = 64 << 20
	name = in.first()
	reader := in.opts.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return name, nil, err
		}
		defer func() { _ = f.Close() }() // only read
		reader = f
	}
	text, err = io.ReadAll(io.LimitReader(reader, most+1))
	if err == nil && len(text) > most {
		err = fmt.Errorf("%s: the file exceeds %d bytes", name, most)
	}
	return name, text, err
}

// deliver writes text to --to or the standard output, or all there is as an object.
func (in *invocation) deliver(text []byte, all any) error {
	path := in.text("to")
	if path == "" {
		return in.show(all, func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		})
	}
	if err := writeNew(path, text); err != nil {
		return err
	}
	return in.show(all, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "wrote "+printable(path))
		return err
	})
}

// writeNew writes a file that is not there yet, readable by its owner only: it
// may hold secrets.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usagef("--to %s: the file exists", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

func (in *invocation) warn(name string, notes []importer.Note) {
	for _, n := range notes {
		place := config.Place{File: name, Line: n.Line, Key: n.Key}
		_, _ = fmt.Fprintln(in.opts.Stderr, "warning: "+printable(place.String()+": "+n.Message))
	}
}

// repriced is what import prices prints with -o json or yaml.
type repriced struct {
	Changes []importer.Change `json:"changes"`
	Notes   []importer.Note   `json:"notes"`
}

func importPrices(_ context.Context, in *invocation) error {
	name, list, err := in.source()
	if err != nil {
		return err
	}
	path, _ := in.setting("models", "MODELS_CONFIG")
	path = cmp.Or(path, config.DefaultModelsPath)
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	u, err := importer.Prices(list, before)
	if err != nil {
		return fmt.Errorf("%s into %s: %w", name, path, err)
	}
	if !in.Bool("dry-run") && len(u.Changes) > 0 {
		if err := replace(path, u.Text); err != nil {
			return err
		}
	}
	return in.show(repriced{u.Changes, u.Notes}, func(w io.Writer) error {
		in.warn(path, u.Notes)
		if len(u.Changes) == 0 {
			_, err := fmt.Fprintln(w, "nothing to change: no model of "+printable(path)+" has other prices or sizes in the list")
			return err
		}
		return writeTable(w, in.look(), u.Changes, []column[importer.Change]{
			{name: "line", text: func(c importer.Change) string { return fmt.Sprint(c.Line) }, number: true},
			{name: "model", text: func(c importer.Change) string { return c.Model }},
			{name: "key", text: func(c importer.Change) string { return c.Key }},
			{name: "old", text: func(c importer.Change) string { return c.Old }, number: true},
			{name: "new", text: func(c importer.Change) string { return c.New }, number: true},
		})
	})
}

// replace puts a new file in the place of one, whole or not at all, with its mode.
func replace(path string, text []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err = os.WriteFile(temp, text, info.Mode().Perm()); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp) // it may not be there; why it failed is what counts
	}
	return err
}

// environment is what import python-env prints with -o json or yaml.
type environment struct {
	Env     string   `json:"env"`
	Kept    []string `json:"kept"`
	Renamed []string `json:"renamed"`
	Dropped []string `json:"dropped"`
}

func importPythonEnv(_ context.Context, in *invocation) error {
	name, text, err := in.source()
	if err != nil {
		return err
	}
	e, err := importer.PythonEnv(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := in.deliver(e.Text, environment{string(e.Text), e.Kept, e.Renamed, e.Dropped}); err != nil || in.format() != formatTable {
		return err
	}
	for _, list := range []struct {
		what  string
		names []string
	}{{"renamed", e.Renamed}, {"without effect here", e.Dropped}} {
		if len(list.names) > 0 {
			_, _ = fmt.Fprintf(in.opts.Stderr, "%s: %s\n", list.what, strings.Join(list.names, ", "))
		}
	}
	return nil
}
