package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cluster is three NATS servers with TLS and a credential for each role, as
// gatewayctl nats setup makes them.
type cluster struct {
	f       *fleet
	configs []string
	servers []*process
}

// newClusterFleet starts a cluster and creates a database.
func newClusterFleet(t *testing.T, models string, nodes ...string) (*fleet, *cluster) {
	t.Helper()
	f := &fleet{t: t, config: t.TempDir(), database: newDatabase(t), credentials: t.TempDir()}
	f.writeModels(models)
	c := &cluster{f: f}
	hosts := []string{"nats-1", "nats-2", "nats-3"}
	f.ctl("nats", "setup", "--dir", f.credentials, "--hosts", strings.Join(hosts, ","), "--nodes", strings.Join(nodes, ","))
	// all of them are on this machine here
	replace := []string{}
	var urls []string
	ports := map[string]string{}
	for _, host := range hosts {
		client, route := freePort(t), freePort(t)
		ports[host] = client
		urls = append(urls, "tls://127.0.0.1:"+client)
		replace = append(replace, `"tls://`+host+`:6222"`, `"tls://127.0.0.1:`+route+`"`, "listen-"+host, route)
	}
	for _, host := range hosts {
		path := filepath.Join(f.credentials, host+".conf")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		own := strings.NewReplacer(`"127.0.0.1:8222"`, `"127.0.0.1:-1"`, `"0.0.0.0:4222"`, `"127.0.0.1:`+ports[host]+`"`, `"0.0.0.0:6222"`, `"127.0.0.1:listen-`+host+`"`, `"/var/lib/nats"`, fmt.Sprintf("%q", t.TempDir())).Replace(string(text))
		if err := os.WriteFile(path, []byte(strings.NewReplacer(replace...).Replace(own)), 0o600); err != nil {
			t.Fatal(err)
		}
		c.configs = append(c.configs, path)
		c.servers = append(c.servers, nil)
	}
	f.common = append(f.databaseEnv(), "NATS_URL="+strings.Join(urls, ","), "NATS_REPLICAS=3", "ADMIN_TOKEN="+adminToken, "API_KEY_SECRET="+keySecret, "LOG_LEVEL=info")
	for i := range c.servers {
		c.start(i)
	}
	return f, c
}

func (c *cluster) start(i int) {
	c.f.t.Helper()
	c.servers[i] = launch(c.f.t, "nats-server", nil, "-c", c.configs[i])
}
