package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

// completeTime is how long a shell waits for a control plane.
const completeTime = 2 * time.Second

// completeCommand answers the scripts of completion: a line for each word that
// may stand where the last one does.
func completeCommand() *command {
	return &command{
		name: "complete", about: "list the words that complete a command line", args: "[WORD]...", hidden: true,
		details:  "The scripts of gatewayctl completion call it. The last word is the one to complete and may be empty.",
		examples: []string{"gatewayctl complete -- weights s"},
		run: func(ctx context.Context, in *invocation) error {
			found := candidates(ctx, in.opts, in.args)
			return in.show(found, func(w io.Writer) error {
				for _, word := range found {
					_, _ = fmt.Fprintln(w, printable(word))
				}
				return nil
			})
		},
	}
}

// candidates completes the last word. A line that makes no sense has none.
func candidates(ctx context.Context, opts *Options, words []string) []string {
	found := []string{}
	if len(words) == 0 {
		return found
	}
	before, last := words[:len(words)-1], words[len(words)-1]
	for _, word := range possible(ctx, opts, before, last) {
		if strings.HasPrefix(word, last) {
			found = append(found, word)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func possible(ctx context.Context, opts *Options, before []string, last string) []string {
	root := tree()
	s := scanner{known: knownFlags(root)}
	if err := s.scan(before); err != nil {
		return s.known[s.open].words // of no flag: none
	}
	l := line{cmd: root, args: s.args}
	if l.descend() != nil {
		return nil
	}
	switch {
	case strings.HasPrefix(last, "-") && !slices.Contains(before, "--"):
		return flagWords(l.cmd, last)
	case len(l.cmd.subs) > 0:
		return l.cmd.visible()
	case l.cmd.suggest == nil:
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	in := &invocation{opts: opts, value: s.value, given: s.given, args: l.args}
	return l.cmd.suggest(ctx, in, l.args)
}

// flagWords lists the flags of a command, or what may follow --flag=.
func flagWords(c *command, last string) []string {
	name, _, given := strings.Cut(last, "=")
	var out []string
	for _, f := range c.allFlags() {
		switch {
		case !given:
			out = append(out, "--"+f.name)
		case "--"+f.name == name || "-"+f.short == name:
			for _, word := range f.words {
				out = append(out, name+"="+word)
			}
		}
	}
	return out
}

// value returns the value of a flag that was scanned, the last one if it
// stands there twice.
func (s *scanner) value(name string) string {
	for _, f := range slices.Backward(s.flags) {
		if value, ok := strings.CutPrefix(f, "--"+name+"="); ok {
			return value
		}
	}
	return ""
}

func (s *scanner) given(name string) bool { return slices.Contains(s.names, name) }

// The functions below suggest arguments. What goes wrong they keep silent
// about: the shell is in the middle of a line.

func suggestModel(ctx context.Context, in *invocation, args []string) []string {
	client, err := in.client()
	if err != nil || len(args) > 0 {
		return nil
	}
	rows, _ := client.Models(ctx)
	return each(rows, func(m adminclient.Model) string { return m.Model })
}

func suggestEndpoint(ctx context.Context, in *invocation, args []string) []string {
	if len(args) == 0 {
		return suggestModel(ctx, in, args)
	}
	client, err := in.client()
	if err != nil {
		return nil
	}
	rows, _ := client.Weights(ctx, args[0])
	return each(rows, func(w adminclient.Weight) string { return strings.TrimPrefix(w.Endpoint, w.Model+":") + "=" })
}

func suggestEndpointID(ctx context.Context, in *invocation, _ []string) []string {
	client, err := in.client()
	if err != nil {
		return nil
	}
	rows, _ := client.Endpoints(ctx, "")
	return each(rows, func(e adminclient.Endpoint) string { return e.Endpoint })
}

func suggestNode(ctx context.Context, in *invocation, args []string) []string {
	client, err := in.client()
	if err != nil || len(args) > 0 {
		return nil
	}
	rows, _ := client.Nodes(ctx)
	return each(rows, func(n adminclient.Node) string { return n.Node })
}

func suggestRelease(ctx context.Context, in *invocation, args []string) []string {
	client, err := in.client()
	if err != nil || len(args) > 0 {
		return nil
	}
	rows, _ := client.Releases(ctx, adminclient.Page{Limit: defaultLimit})
	return each(rows, func(r adminclient.ReleaseInfo) string { return natural(r.Release) })
}

func suggestKey(ctx context.Context, in *invocation, args []string) []string {
	client, err := in.client()
	if err != nil || len(args) > 0 {
		return nil
	}
	rows, _ := client.Keys(ctx)
	return each(rows, func(k adminclient.Key) string { return k.ID })
}

func each[T any](rows []T, text func(T) string) []string {
	var out []string
	for _, row := range rows {
		out = append(out, text(row))
	}
	return out
}
