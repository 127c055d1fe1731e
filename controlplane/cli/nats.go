package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/hybridinference/gateway/controlplane/natssetup"
)

func natsCommand() *command {
	return &command{
		name: "nats", about: "make what NATS servers and their clients need",
		examples: []string{"gatewayctl nats setup --dir /tmp/gateway-nats-example"},
		subs: []*command{{
			name: "setup", about: "write credentials for each role, certificates, and the servers' configurations",
			details: "Makes controlplane.creds, collector.creds, dataplane.creds and one file for each of --nodes, each allowed no more than its\n" +
				"role needs; ca.pem and a certificate and a configuration for each of --hosts; and keys/, which belongs on no server.\n" +
				"What is there already is kept, but for the configurations: call it again to add a node or a host. No control plane is asked.",
			examples: []string{
				"gatewayctl nats setup --dir /tmp/gateway-nats-example --nodes node-1,node-2",
				"gatewayctl nats setup --dir /tmp/gateway-nats-cluster --hosts 10.0.0.1,10.0.0.2,10.0.0.3 --install-dir /etc/gateway/nats -o json",
			},
			flags: []flag{
				{name: "dir", about: "write to `DIR`", def: "nats"},
				{name: "nodes", about: "data-plane `NODES` that get credentials of their own, with commas between"},
				{name: "hosts", about: "names or addresses of the NATS `HOSTS`: 1, 3 or 5, with commas between", def: "localhost"},
				{name: "install-dir", about: "where the files will be on the servers", def: "DIR"},
				{name: "store-dir", about: "where a server keeps its data", def: defaultStoreDir},
			},
			run: setUpNATS,
		}},
	}
}

const defaultStoreDir = "/var/lib/nats"

func setUpNATS(_ context.Context, in *invocation) error {
	o := natssetup.Options{
		Dir: cmp.Or(in.text("dir"), "nats"), Nodes: in.items("nodes"), Hosts: in.items("hosts"),
		StoreDir: cmp.Or(in.text("store-dir"), defaultStoreDir), InstallDir: in.text("install-dir"),
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
