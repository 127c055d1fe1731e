package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/natssetup"
)

func natsCommand() *urfave.Command {
	return &urfave.Command{
		Name: "nats", Usage: "set up NATS servers and credentials",
		Description: help("", "gatewayctl nats setup --dir /tmp/gateway-nats-example"),
		Subcommands: []*urfave.Command{{
			Name: "setup", Usage: "write credentials for each role, certificates and server configurations",
			Description: help("Writes controlplane.creds, collector.creds and one file for each of --nodes, each with the least permissions its role\n"+
				"needs; release_signing_key for the control plane and release_signing_key.pub for the nodes; ca.pem, and a certificate and\n"+
				"a configuration for each of --hosts; and keys/, which belongs on no server. Existing files are kept, except the\n"+
				"configurations: run it again to add a node or a host. It works offline.",
				"gatewayctl nats setup --dir /tmp/gateway-nats-example --nodes node-1,node-2",
				"gatewayctl nats setup --dir /tmp/gateway-nats-cluster --hosts 10.0.0.1,10.0.0.2,10.0.0.3 --install-dir /etc/gateway/nats -o json"),
			Flags: []urfave.Flag{
				textFlag("dir", "output `DIR`", "nats"),
				textFlag("nodes", "NODE_IDs of the data-plane `NODES`, each of which gets its own credentials, separated by commas", "node-1,node-2,node-3; none with --shared"),
				switchFlag("shared", "write dataplane.creds, too, which any number of nodes can share"),
				textFlag("hosts", "host names or addresses of the 1, 3 or 5 NATS `SERVERS`, separated by commas", "localhost"),
				textFlag("install-dir", "`DIR` of the files on the servers", "that of --dir"),
				textFlag("store-dir", "JetStream storage `DIR` on the servers", defaultStoreDir),
			},
			Action: run(setUpNATS),
		}, {
			Name: "renew", Usage: "renew certificates of NATS servers before they end",
			Description: help("Replaces the certificates in --dir that end within --before, with new keys, for the same names and by the same authority.\n"+
				"Copy NAME.pem and NAME.key to their servers and have these reload (systemctl reload gateway-nats; Compose: make renew).\n"+
				"It works offline.",
				"gatewayctl nats renew --dir /tmp/gateway-nats-example"),
			Flags: []urfave.Flag{
				textFlag("dir", "`DIR` of nats setup, with keys/", "nats"),
				&urfave.DurationFlag{Name: "before", Usage: "renew those that end within `TIME`", Value: 90 * 24 * time.Hour},
			},
			Action: run(renewNATS),
		}},
	}
}

func renewNATS(_ context.Context, in *invocation) error {
	list, err := natssetup.Renew(cmp.Or(in.text("dir"), "nats"), in.Duration("before"))
	if err != nil {
		return fmt.Errorf("nats renew: %w", err)
	}
	if len(list) == 0 {
		return fmt.Errorf("nats renew: no certificate of a server is in %s", cmp.Or(in.text("dir"), "nats"))
	}
	return in.show(list, func(w io.Writer) error {
		for _, c := range list {
			state := "valid until"
			if c.Renewed {
				state = "renewed until"
			}
			_, _ = fmt.Fprintf(w, "%s: %s %s\n", c.File, state, c.Ends.Format(time.DateOnly))
		}
		return nil
	})
}

const defaultStoreDir = "/var/lib/nats"

func setUpNATS(_ context.Context, in *invocation) error {
	o := natssetup.Options{
		Dir: cmp.Or(in.text("dir"), "nats"), Nodes: in.items("nodes"), Shared: in.Bool("shared"), Hosts: in.items("hosts"),
		StoreDir: cmp.Or(in.text("store-dir"), defaultStoreDir), InstallDir: in.text("install-dir"),
	}
	if len(o.Nodes) == 0 && !o.Shared {
		o.Nodes = []string{"node-1", "node-2", "node-3"}
	}
	if len(o.Hosts) == 0 {
		o.Hosts = []string{"localhost"}
	}
	written, err := natssetup.Write(o)
	if err != nil {
		return fmt.Errorf("nats setup: %w", err)
	}
	if written == nil {
		written = []string{}
	}
	return in.show(written, func(w io.Writer) error {
		for _, path := range written {
			_, _ = fmt.Fprintln(w, path)
		}
		return nil
	})
}
