package node

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/env"
)

// Read takes a node's options from its settings. What is wrong with them the
// reader tells.
func Read(r *env.Reader) Options {
	o := Options{
		NATS:     bus.Read(r),
		Node:     r.String("NODE_ID", hostname(), "id of this node, unique in the fleet: a-z, 0-9 and -"),
		StateDir: r.String("STATE_DIR", "", "directory of the last good release and of usage events that are not stored yet; without it a start needs NATS, and a crash loses the events in memory"),
		Secret:   r.Lookup,
	}
	o.SharedDir = r.Bool("STATE_DIR_SHARED", false, "several nodes share STATE_DIR, such as replicas of a container: each takes a free place in it, and the place's number into its NODE_ID")
	o.SpoolLimit = int64(r.Int("SPOOL_LIMIT_BYTES", 1<<30, env.Bounds[int]{Min: 1 << 20, Max: 1 << 40}, "largest size of the usage events in STATE_DIR"))
	if !validNode(o.Node) {
		r.Problemf("NODE_ID must be 1 to 40 of a-z, 0-9 and -, got %q", o.Node)
	}
	if o.SharedDir && (o.StateDir == "" || len(o.Node) > 36) {
		r.Problemf("STATE_DIR_SHARED needs STATE_DIR, and a NODE_ID of at most 36 characters")
	}
	host := r.String("HOST", "0.0.0.0", "address to listen on")
	o.Gateway = ReadGateway(r)
	o.Gateway.Addr = host + ":" + strconv.Itoa(r.Int("PORT", 8080, env.Port(), "port of the API"))
	o.Timeouts, o.Breaker = ReadTimeouts(r), ReadBreaker(r)
	o.Gateway.Grace = r.Duration("DRAIN_GRACE_SECONDS", 0, env.Bounds[time.Duration]{Min: 0, Max: time.Hour}, "how long a stop goes on taking requests, for a balancer to notice")
	o.Gateway.Auth = r.Bool("USER_AUTH_ENABLED", true, "false makes every request an anonymous admin's")
	o.Gateway.KeySecret = r.Secret("API_KEY_SECRET", "secret under which API keys are hashed, the same as the control plane's")
	if o.Gateway.Auth && o.Gateway.KeySecret.Empty() {
		r.Problemf("API_KEY_SECRET must be set while USER_AUTH_ENABLED is true")
	}
	return o
}

// ReadTimeouts takes the limits of upstream calls from their settings.
func ReadTimeouts(r *env.Reader) upstream.Timeouts {
	day := env.Bounds[time.Duration]{Min: 0, Max: 24 * time.Hour}
	return upstream.Timeouts{
		FirstByte: r.Duration("STREAM_FIRST_BYTE_TIMEOUT_SECONDS", 5*time.Minute, day, "longest wait for a stream's first content, 0 for ever"),
		Idle:      r.Duration("STREAM_IDLE_TIMEOUT_SECONDS", 3*time.Minute, day, "longest silence within a stream, 0 for ever"),
		Total:     r.Duration("UPSTREAM_COMPLETION_TIMEOUT_S", 10*time.Minute, day, "longest wait for an answer that is not streamed, 0 for ever"),
	}
}

// ReadBreaker takes the limits of the circuit breakers from their settings.
func ReadBreaker(r *env.Reader) upstream.BreakerSettings {
	def := upstream.DefaultBreaker()
	share := env.Bounds[float64]{Min: 0, Max: 1}
	return upstream.BreakerSettings{
		Threshold:       r.Int("CIRCUIT_FAILURE_THRESHOLD", def.Threshold, env.Bounds[int]{Min: 1, Max: 1000}, "failures in a row after which an endpoint is left alone"),
		MinAvailability: r.Float("CIRCUIT_MIN_AVAILABILITY", def.MinAvailability, share, "average of successes below which an endpoint is left alone"),
		Alpha:           r.Float("ROUTER_HEALTH_EWMA_ALPHA", def.Alpha, share, "weight of the newest attempt in that average"),
		Cooldown:        r.Duration("CIRCUIT_COOLDOWN_SECONDS", def.Cooldown, env.Bounds[time.Duration]{Min: time.Second, Max: time.Hour}, "how long an endpoint is left alone at first"),
	}
}

// ReadGateway takes the options of the HTTP surface from their settings.
func ReadGateway(r *env.Reader) gateway.Options {
	o := gateway.Options{
		Origins:     r.List("CORS_ALLOWED_ORIGINS", "origins that browsers may call from; all if not set"),
		MaxBody:     r.Int("MAX_BODY_BYTES", 50<<20, env.Bounds[int]{Min: 1 << 10, Max: 1 << 30}, "largest request body"),
		MaxInFlight: int64(r.Int("MAX_IN_FLIGHT", 10_000, env.Bounds[int]{Min: 1, Max: 1 << 20}, "requests that are answered at a time; more are refused with 503")),
		MaxHeld:     int64(r.Int("MAX_IN_FLIGHT_BYTES", 2<<30, env.Bounds[int]{Min: 1 << 20, Max: 1 << 40}, "bytes of their bodies together; more are refused with 503")),
		Stall:       r.Duration("CLIENT_STALL_TIMEOUT_SECONDS", 30*time.Second, env.Bounds[time.Duration]{Min: time.Second, Max: time.Hour}, "how long a client may stop reading before it is dropped"),
		MaxConns:    r.Int("MAX_CONNECTIONS", 100_000, env.Bounds[int]{Min: 1, Max: 1 << 20}, "connections of clients at a time"),
		Deadline:    r.Duration("REQUEST_DEADLINE_SECONDS", 15*time.Minute, env.Bounds[time.Duration]{Min: 0, Max: 24 * time.Hour}, "bound on all attempts of a request together, 0 for none"),
		Drain:       r.Duration("DRAIN_TIMEOUT_SECONDS", 5*time.Minute, env.Bounds[time.Duration]{Min: 0, Max: 24 * time.Hour}, "how long a stop waits for streams"),
	}
	o.TrustProxies = r.Proxies()
	o.Content = r.Bool("DB_STORE_FULL_CONTENT", false, "keep prompts and answers in the request log, 64 KiB each")
	return o
}

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
