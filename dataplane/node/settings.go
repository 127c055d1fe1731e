package node

import (
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/spool"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/logs"
	"github.com/hybridinference/gateway/shared/metrics"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/tracing"
)

// Settings are what a node in a process of its own is told by its environment
// and flags.
type Settings struct {
	Log     logs.Settings    `section:"log"`
	Metrics metrics.Settings `section:"log"`
	Tracing tracing.Settings `section:"tracing"`
	NATS    bus.Settings     `section:"NATS"`
	Trust   Trust            `section:"NATS"`
	Place   Place            `section:"data plane"`
	Serving Serving          `section:"data plane"`
}

// Trust is whose releases a node takes.
type Trust struct {
	Keys []string `env:"RELEASE_PUBLIC_KEY" help:"public keys, separated by commas; releases and key tables must be signed with one of them; if not set, unsigned ones are accepted"`
}

// Check implements env.Checker.
func (s *Trust) Check(problem func(format string, args ...any)) {
	if _, err := bus.NewVerifier(s.Keys); err != nil {
		problem("RELEASE_PUBLIC_KEY: %s", err)
	}
}

// verifier returns nil if there are no keys.
func (s *Trust) verifier() *bus.Verifier {
	if len(s.Keys) == 0 {
		return nil
	}
	v, _ := bus.NewVerifier(s.Keys) // Check has made one
	return v
}

// Place is which node this is, and where it keeps what must outlive it.
type Place struct {
	Node      string `env:"NODE_ID" help:"id of this node, unique in the fleet: a-z, 0-9 and -; the host's name if not set"`
	StateDir  string `env:"STATE_DIR" help:"directory for the last good release and for usage events that are not stored yet; without it a start needs NATS, and a crash loses the events in memory"`
	SharedDir bool   `env:"STATE_DIR_SHARED" default:"false" help:"share STATE_DIR between nodes such as container replicas: each uses its own slot and appends the slot's number to its NODE_ID"`
}

// Check implements env.Checker.
func (s *Settings) Check(problem func(format string, args ...any)) {
	if s.Place.Node == "" {
		s.Place.Node = hostname()
	}
	if !validNode(s.Place.Node) {
		problem("NODE_ID must be 1 to 40 of a-z, 0-9 and -, got %q", s.Place.Node)
	}
	if s.Place.SharedDir && (s.Place.StateDir == "" || len(s.Place.Node) > 36) {
		problem("STATE_DIR_SHARED needs STATE_DIR, and a NODE_ID of at most 36 characters")
	}
	if s.Serving.Auth && s.Serving.KeySecret.Empty() {
		problem("API_KEY_SECRET must be set while USER_AUTH_ENABLED is true")
	}
}

// Options returns the node's options; lookup finds providers' keys. Version and
// Log are the caller's.
func (s *Settings) Options(lookup env.Lookup) Options {
	o := s.Serving.Options(lookup)
	o.Trust = s.Trust.verifier()
	o.Node, o.NATS, o.StateDir, o.SharedDir = s.Place.Node, s.NATS.Options(), s.Place.StateDir, s.Place.SharedDir
	return o
}

// Serving are the settings of a node that do not depend on what other processes
// there are.
type Serving struct {
	Host        string        `env:"HOST" default:"0.0.0.0" help:"address to listen on"`
	Port        int           `env:"PORT" default:"8080" min:"0" max:"65535" help:"port of the API; 0 picks a free one"`
	Auth        bool          `env:"USER_AUTH_ENABLED" default:"true" help:"require API keys; if false, every request has the admin role"`
	KeySecret   secret.String `env:"API_KEY_SECRET" strong:"true" help:"secret for hashing API keys, the same on nodes and control plane"`
	Origins     []string      `env:"CORS_ALLOWED_ORIGINS" help:"origins allowed by CORS, separated by commas; if not set, all, without credentials; with USER_AUTH_ENABLED=false those of localhost; on a loopback address also the other names it may be called by then, such as http://host.docker.internal:8080"`
	Proxies     env.Proxies
	Content     bool          `env:"DB_STORE_FULL_CONTENT" default:"false" help:"store prompts and answers in the request log, up to 64 KiB each"`
	SpoolLimit  int64         `env:"SPOOL_LIMIT_BYTES" default:"1073741824" min:"1048576" max:"1099511627776" help:"maximum size of the usage events in STATE_DIR"`
	SpoolSync   string        `env:"SPOOL_SYNC" default:"never" oneof:"never,interval,always" help:"when usage events are forced to the disk: never, which loses what the kernel has not written when the power fails; interval, every 100 ms; or always, before each answer ends"`
	MaxBody     int           `env:"MAX_BODY_BYTES" default:"52428800" min:"1024" max:"1073741824" help:"maximum size of a request body"`
	MaxInFlight int64         `env:"MAX_IN_FLIGHT" default:"10000" min:"1" max:"1048576" help:"maximum concurrent requests; more are rejected with 503"`
	MaxHeld     int64         `env:"MAX_IN_FLIGHT_BYTES" default:"2147483648" min:"1048576" max:"1099511627776" help:"total bytes of request bodies in memory; more are rejected with 503"`
	MaxConns    int           `env:"MAX_CONNECTIONS" default:"100000" min:"1" max:"1048576" help:"maximum client connections"`
	MaxShadows  int64         `env:"SHADOW_MAX_IN_FLIGHT" default:"32" min:"0" max:"10000" help:"maximum concurrent copies of requests to shadow endpoints; more are dropped; 0 sends none"`
	Stall       time.Duration `env:"CLIENT_STALL_TIMEOUT_SECONDS" default:"30" min:"1" max:"1h" help:"how long a client may stop reading before it is dropped"`
	Deadline    time.Duration `env:"REQUEST_DEADLINE_SECONDS" default:"900" min:"0" max:"24h" help:"deadline for all attempts of a request together, for a stream until its first content; 0 disables"`
	Grace       time.Duration `env:"DRAIN_GRACE_SECONDS" default:"0" min:"0" max:"1h" help:"how long a stopping node still accepts requests after /health/ready fails, for load balancers to notice"`
	Drain       time.Duration `env:"DRAIN_TIMEOUT_SECONDS" default:"300" min:"0" max:"24h" help:"how long a stopping node waits for streams"`
	MetricTeams bool          `env:"METRICS_TEAMS" default:"false" help:"count requests, tokens and cost by team in the metrics, too"`
	Timeouts    Timeouts
	Breaker     Breaker
}

// Timeouts are the limits of calls to upstreams.
type Timeouts struct {
	FirstByte time.Duration `env:"STREAM_FIRST_BYTE_TIMEOUT_SECONDS" default:"300" min:"0" max:"24h" help:"maximum wait for a stream's first content; 0 disables"`
	Idle      time.Duration `env:"STREAM_IDLE_TIMEOUT_SECONDS" default:"180" min:"0" max:"24h" help:"maximum silence within a stream; 0 disables"`
	Total     time.Duration `env:"UPSTREAM_COMPLETION_TIMEOUT_S" default:"600" min:"0" max:"24h" help:"maximum duration of a non-streamed upstream request; 0 disables"`
}

// Breaker are the limits of the circuit breakers.
type Breaker struct {
	Threshold       int           `env:"CIRCUIT_FAILURE_THRESHOLD" default:"3" min:"1" max:"1000" help:"consecutive failures that open an endpoint's circuit breaker"`
	Cooldown        time.Duration `env:"CIRCUIT_COOLDOWN_SECONDS" default:"30" min:"1" max:"1h" help:"initial open time; doubles each time it opens again, up to 5 minutes or this if longer"`
	MinAvailability float64       `env:"CIRCUIT_MIN_AVAILABILITY" default:"0.7" min:"0" max:"1" help:"moving average of successes below which it also opens"`
	Alpha           float64       `env:"ROUTER_HEALTH_EWMA_ALPHA" default:"0.1" min:"0" max:"1" help:"weight of the newest attempt in that average"`
}

// Options returns what these settings say of a node.
func (s *Serving) Options(lookup env.Lookup) Options {
	return Options{
		Secret: lookup, MetricTeams: s.MetricTeams, SpoolLimit: s.SpoolLimit, SpoolSync: spool.Sync(s.SpoolSync),
		Timeouts: upstream.Timeouts{FirstByte: s.Timeouts.FirstByte, Idle: s.Timeouts.Idle, Total: s.Timeouts.Total},
		Breaker: upstream.BreakerSettings{
			Threshold: s.Breaker.Threshold, MinAvailability: s.Breaker.MinAvailability, Alpha: s.Breaker.Alpha, Cooldown: s.Breaker.Cooldown,
		},
		Gateway: gateway.Options{
			Addr: net.JoinHostPort(s.Host, strconv.Itoa(s.Port)), Auth: s.Auth, KeySecret: s.KeySecret, Origins: s.Origins, TrustProxies: s.Proxies.List(), Content: s.Content,
			MaxBody: s.MaxBody, MaxInFlight: s.MaxInFlight, MaxHeld: s.MaxHeld, MaxConns: s.MaxConns, MaxShadows: s.MaxShadows, Stall: s.Stall, Deadline: s.Deadline, Grace: s.Grace, Drain: s.Drain,
		},
	}
}

// Health are the settings of `dataplane health`.
type Health struct {
	Port int `env:"PORT" default:"8080" min:"1" max:"65535" help:"port of the API"`
}

// URL is where to ask.
func (s *Health) URL() string { return "http://127.0.0.1:" + strconv.Itoa(s.Port) + "/health/ready" }

// hostname makes a node id of the host's name.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	name = strings.Map(func(ch rune) rune {
		if ch >= 'a' && ch <= 'z' || ch >= '0' && ch <= '9' || ch == '-' {
			return ch
		}
		return '-'
	}, name)
	return name[:min(len(name), 40)]
}

func validNode(id string) bool {
	if id == "" || len(id) > 40 {
		return false
	}
	return strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
