package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/config"
)

// defaultControl is where gatewayctl looks for the control plane by itself.
const defaultControl = "127.0.0.1:8081"

// controlReady bounds how long the greeting waits for the control plane.
const controlReady = 5 * time.Second

// greet prints, once the first release is in service, where the gateway listens,
// how many models it serves, and what to try.
func (p *process) greet(ctx context.Context) {
	for p.node.Current().Release == 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	select {
	case <-ctx.Done():
		return
	case <-p.control.Ready(): // the configuration has been read
	case <-time.After(controlReady):
	}
	var b strings.Builder
	api, s := reachable(p.node.Addr()), p.node.Current()
	admin := reachable(p.control.Addr())
	fmt.Fprintf(&b, "\nThe gateway is up (release %d).\n  API      http://%s/v1\n  admin    http://%s (gatewayctl)\n  console  http://%s/console/\n", s.Release, api, admin, admin)
	serving := 0
	for _, m := range s.Models {
		if len(m.Endpoints) > 0 {
			serving++
		}
	}
	fmt.Fprintf(&b, "  models   %d of %d in service", serving, len(s.Models))
	if serving < len(s.Models) {
		b.WriteString("; `" + p.ctl("endpoints list --out") + "` says why")
	}
	if _, _, err := config.Load(p.settings.Files.Models, p.settings.Files.Routing, p.vars.Lookup); err != nil {
		b.WriteString("\n  The configuration is invalid and not in service; `" + p.ctl("validate") + "` lists what is wrong")
	}
	key := ""
	if p.settings.Serving.Auth {
		key = ` -H "Authorization: Bearer $KEY"`
		b.WriteString("\n\nMake a key:\n  " + p.ctl("keys create --name first"))
	}
	fmt.Fprintf(&b, "\n\nTry it:\n  curl http://%s/v1/chat/completions%s -H 'Content-Type: application/json' -d '{\"messages\":[{\"role\":\"user\",\"content\":\"Ping\"}]}'\n\n", api, key)
	_, _ = fmt.Fprint(p.out, b.String())
}

// ctl returns a command line of the gatewayctl beside this program.
func (p *process) ctl(args string) string {
	program := "gatewayctl"
	if dir, _ := filepath.Split(os.Args[0]); dir != "" {
		program = dir + program
	}
	if a := reachable(p.control.Addr()); a != defaultControl {
		args += " --url http://" + a
	}
	return program + " " + args
}

// reachable returns the address at which a program on this machine finds a
// listener: one on all addresses ("[::]:8080") answers on localhost.
func reachable(listener string) string {
	a, err := netip.ParseAddrPort(listener)
	if err != nil || !a.Addr().IsUnspecified() {
		return listener
	}
	return fmt.Sprintf("localhost:%d", a.Port())
}
