package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/config"
)

// greet says, once the first release is in service, where the gateway listens,
// what is out of service and why, and what to try.
func (p *process) greet(ctx context.Context) {
	for p.node.Current().Release == 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	s := p.node.Current()
	var b strings.Builder
	fmt.Fprintf(&b, "\nThe gateway is up (release %d).\n  API    http://%s/v1\n  admin  http://%s (gatewayctl)\n", s.Release, p.node.Addr(), p.control.Addr())
	serving := 0
	for _, m := range s.Models {
		if len(m.Endpoints) > 0 {
			serving++
		}
	}
	fmt.Fprintf(&b, "  models %d of %d are in service\n", serving, len(s.Models))
	for _, missing := range s.Missing {
		fmt.Fprintf(&b, "    out: %-38s %s is not set\n", missing.Endpoint, missing.Variable)
	}
	for _, w := range p.absent() {
		fmt.Fprintf(&b, "    out: %s\n", w)
	}
	fmt.Fprintf(&b, "\nTry it:\n  curl http://%s/v1/chat/completions -H 'Content-Type: application/json' -d '{\"messages\":[{\"role\":\"user\",\"content\":\"Ping\"}]}'\n\n", p.node.Addr())
	_, _ = fmt.Fprint(p.out, b.String())
}

// absent returns what the configuration leaves out because an address is not set.
func (p *process) absent() []string {
	_, warnings, err := config.Load(p.settings.Files.Models, p.settings.Files.Routing, p.vars.Lookup)
	if err != nil {
		return nil // it was loaded a moment ago; the log has what is wrong now
	}
	var out []string
	for _, w := range warnings {
		if len(w.Unset) > 0 {
			slices.Sort(w.Unset)
			place := fmt.Sprintf("%s:%d", w.File, w.Line)
			out = append(out, fmt.Sprintf("%-38s %s is not set", place, strings.Join(slices.Compact(w.Unset), ", ")))
		}
	}
	return out
}
