package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

const (
	// completeTime is how long a shell waits for a control plane.
	completeTime = 2 * time.Second
	// completeFlag ends a command line whose last word, which may be empty, is
	// to be completed: the library's convention.
	completeFlag = "--generate-bash-completion"
)

// completing returns the words of a line that a shell wants completed.
func completing(argv []string) (words []string, ok bool) {
	if len(argv) < 2 || argv[len(argv)-1] != completeFlag {
		return nil, false
	}
	return argv[:len(argv)-1], true
}

// completion is the sorted line as the library takes it for completion.
func (l line) completion() []string {
	flags := l.flags
	if l.open != nil {
		flags = flags[:len(flags)-1]
	}
	return slices.Concat([]string{program}, l.commands, flags, l.args, []string{completeFlag})
}

// suggester lists what could be the argument after those of the invocation. What
// goes wrong it keeps to itself: the shell is in the middle of a line.
type suggester func(ctx context.Context, client *adminclient.Client, args []string) []string

// completer lists the words of a command that may come next: values of a flag
// and arguments are ours, flags and commands the library's.
func completer(suggest suggester) urfave.BashCompleteFunc {
	return func(c *urfave.Context) {
		l := sessionOf(c).line
		name, _, given := strings.Cut(l.last, "=")
		switch {
		case l.open != nil:
			writeWords(c, "", choices(l.open))
		case strings.HasPrefix(l.last, "-") && given:
			for _, f := range c.Command.Flags {
				if slices.Contains(f.Names(), strings.TrimLeft(name, "-")) {
					writeWords(c, name+"=", choices(f))
				}
			}
		case strings.HasPrefix(l.last, "-") || suggest == nil && !c.Args().Present():
			urfave.DefaultCompleteWithFlags(c.Command)(c)
		case suggest != nil:
			suggestArgument(c, suggest)
		}
	}
}

func suggestArgument(c *urfave.Context, suggest suggester) {
	client, err := newInvocation(c).client()
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.Context, completeTime)
	defer cancel()
	writeWords(c, "", suggest(ctx, client, c.Args().Slice()))
}

func writeWords(c *urfave.Context, prefix string, words []string) {
	for _, word := range words {
		_, _ = fmt.Fprintln(c.App.Writer, prefix+printable(word))
	}
}

// choices are the only values that a flag takes, if there are any.
func choices(f urfave.Flag) []string {
	if g, ok := f.(*urfave.GenericFlag); ok {
		if v, ok := g.Value.(interface{ choices() []string }); ok {
			return v.choices()
		}
	}
	return nil
}

func suggestModel(ctx context.Context, client *adminclient.Client, args []string) []string {
	if len(args) > 0 {
		return nil
	}
	rows, _ := client.Models(ctx)
	return each(rows, func(m adminapi.Model) string { return m.Model })
}

func suggestEndpoint(ctx context.Context, client *adminclient.Client, args []string) []string {
	if len(args) == 0 {
		return suggestModel(ctx, client, args)
	}
	rows, _ := client.Weights(ctx, args[0])
	return each(rows, func(w adminapi.Weight) string { return strings.TrimPrefix(w.Endpoint, w.Model+":") + "=" })
}

func suggestEndpointID(ctx context.Context, client *adminclient.Client, _ []string) []string {
	rows, _ := client.Endpoints(ctx, adminapi.EndpointQuery{})
	return each(rows, func(e adminapi.Endpoint) string { return e.Endpoint })
}

func suggestNode(ctx context.Context, client *adminclient.Client, args []string) []string {
	if len(args) > 0 {
		return nil
	}
	rows, _ := client.Nodes(ctx)
	return each(rows, func(n adminapi.Node) string { return n.Node })
}

func suggestRelease(ctx context.Context, client *adminclient.Client, args []string) []string {
	if len(args) > 1 {
		return nil
	}
	rows, _ := client.Releases(ctx, adminapi.Page{Limit: defaultLimit})
	return each(rows, func(r adminapi.ReleaseInfo) string { return natural(r.Release) })
}

func suggestKey(ctx context.Context, client *adminclient.Client, args []string) []string {
	if len(args) > 0 {
		return nil
	}
	rows, _ := client.Keys(ctx)
	return each(rows, func(k adminapi.Key) string { return k.ID })
}

func each[T any](rows []T, text func(T) string) []string {
	var out []string
	for _, row := range rows {
		out = append(out, text(row))
	}
	return out
}
