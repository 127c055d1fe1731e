package node_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/node"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/env"
)

func settings(t *testing.T, vars map[string]string, args ...string) (*node.Settings, error) {
	t.Helper()
	s := new(node.Settings)
	return s, env.Parse(s, args, func(name string) (string, bool) {
		text, ok := vars[name]
		return text, ok
	})
}

const keySecret = "0123456789abcdef"

func TestSettingsBecomeOptions(t *testing.T) {
	s, err := settings(t, map[string]string{
		"API_KEY_SECRET": keySecret, "HOST": "::1", "PORT": "9", "SPOOL_LIMIT_BYTES": "2097152", "SPOOL_SYNC": "interval", "DRAIN_GRACE_SECONDS": "2", "STREAM_IDLE_TIMEOUT_SECONDS": "1m",
		"CIRCUIT_FAILURE_THRESHOLD": "9", "TRUSTED_PROXIES": "10.0.0.0/8", "DB_STORE_FULL_CONTENT": "1", "METRICS_TEAMS": "true", "DEEPSEEK_API_KEY": "sk",
	})
	if err != nil {
		t.Fatal(err)
	}
	o := s.Options(func(name string) (string, bool) { return name, true })
	if o.Gateway.Addr != "[::1]:9" || !o.Gateway.Auth || o.Gateway.KeySecret.Reveal() != keySecret || o.SpoolLimit != 2<<20 || o.Gateway.Grace != 2*time.Second ||
		o.Timeouts.Idle != time.Minute || o.Breaker.Threshold != 9 || len(o.Gateway.TrustProxies) != 1 || !o.Gateway.Content || !o.MetricTeams || o.Node == "" || o.NATS.URL == "" {
		t.Errorf("%+v", o)
	}
	if value, _ := o.Secret("DEEPSEEK_API_KEY"); value != "DEEPSEEK_API_KEY" {
		t.Errorf("secrets come from elsewhere: %q", value)
	}
}

// What a node in a test gets without settings and what a process gets by default are the same.
func TestDefaultsAreStatedOnce(t *testing.T) {
	s, err := settings(t, map[string]string{"API_KEY_SECRET": keySecret})
	if err != nil {
		t.Fatal(err)
	}
	if o := s.Options(nil); o.Breaker != upstream.DefaultBreaker() {
		t.Errorf("%+v, not %+v", o.Breaker, upstream.DefaultBreaker())
	}
}

func TestSettingsThatContradictAreRefused(t *testing.T) {
	f := func(want string, vars map[string]string) {
		t.Helper()
		if _, err := settings(t, vars); err == nil || strings.Count(err.Error(), "\n") > 0 || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", vars, err)
		}
	}
	f("API_KEY_SECRET must be set while USER_AUTH_ENABLED is true", nil)
	f("API_KEY_SECRET is too weak", map[string]string{"API_KEY_SECRET": "abc", "USER_AUTH_ENABLED": "0"})
	f("API_KEY_SECRET is too weak", map[string]string{"API_KEY_SECRET": "abc"})
	f("NATS_CERT must name a file", map[string]string{"NATS_CERT": "missing.pem", "NATS_KEY": "settings_test.go", "API_KEY_SECRET": keySecret})
	f("NODE_ID must be 1 to 40 of a-z, 0-9 and -", map[string]string{"NODE_ID": "Node 1", "API_KEY_SECRET": keySecret})
	f("STATE_DIR_SHARED needs STATE_DIR", map[string]string{"STATE_DIR_SHARED": "1", "NODE_ID": "n", "API_KEY_SECRET": keySecret})
	f("NATS_CERT and NATS_KEY must be set together", map[string]string{"NATS_CERT": "settings_test.go", "API_KEY_SECRET": keySecret})
}

func TestHealthAsksTheSamePort(t *testing.T) {
	var h node.Health
	if err := env.Parse(&h, []string{"--port", "9"}, func(string) (string, bool) { return "", false }); err != nil || h.URL() != "http://127.0.0.1:9/health/ready" {
		t.Errorf("%s %v", h.URL(), err)
	}
}
