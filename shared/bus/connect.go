// Package bus is how the planes meet: a connection to NATS that outlives every
// outage, the sealed documents of the configuration, and the stream of usage
// events.
package bus

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

// The roles under which processes connect. What each may do is a matter of the
// server's permissions, which tell roles apart by their inboxes, too.
const (
	RoleDataPlane    = "dataplane"
	RoleControlPlane = "controlplane"
	RoleCollector    = "collector"
)

// InboxPrefix begins the subjects on which a role's processes get answers; a
// dot and the name of the process follow.
func InboxPrefix(role string) string { return inboxPrefix + role }

// inboxPrefix begins every role's.
const inboxPrefix = "_INBOX_"

// Options say where NATS is.
type Options struct {
	// URL lists servers, comma-separated; tls:// insists on TLS.
	URL string
	// Creds is a credentials file, "" for none.
	Creds string
	// CA is a PEM file with the authorities whose certificates are believed, ""
	// for those of the system. Cert and Key are PEM files with a certificate
	// for servers that ask for one, "" for none.
	CA, Cert, Key string
	// Role is one of the constants above, Name that of the process: a-z, 0-9
	// and -. It shows in the server's list of connections.
	Role, Name string
	// InProcess is a server in this process; URL and Creds are then not used.
	InProcess nats.InProcessConnProvider
	Log       *slog.Logger
}

const (
	dialTime      = 2 * time.Second
	reconnectWait = 250 * time.Millisecond
	pingEvery     = 5 * time.Second
)

// Connect returns a connection that keeps trying for ever. A server that is
// not there is no error: the connection then is in state RECONNECTING. Only
// options that can never work are an error.
func Connect(o Options) (*nats.Conn, error) {
	opts := []nats.Option{
		nats.Name(o.Name),
		nats.CustomInboxPrefix(InboxPrefix(o.Role) + "." + o.Name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectWait/2, reconnectWait/2),
		nats.Timeout(dialTime),
		nats.PingInterval(pingEvery),
		nats.MaxPingsOutstanding(2),
		nats.ReconnectBufSize(-1), // what cannot be sent now is kept by its owner, not by the client
		nats.IgnoreAuthErrorAbort(),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				o.Log.Warn("NATS connection lost", slog.String("error", err.Error()))
			}
		}),
		nats.ConnectHandler(func(c *nats.Conn) {
			if o.InProcess == nil { // else there is nothing to tell: it cannot be elsewhere
				o.Log.Info("NATS connected", slog.String("server", c.ConnectedUrlRedacted()))
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) {
			o.Log.Info("NATS reconnected", slog.String("server", c.ConnectedUrlRedacted()))
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			o.Log.Warn("NATS reports an error", slog.String("error", err.Error())) // refused permissions show only here
		}),
	}
	if o.Creds != "" {
		opts = append(opts, nats.UserCredentials(o.Creds))
	}
	if o.CA != "" {
		opts = append(opts, nats.RootCAs(o.CA))
	}
	if o.Cert != "" {
		opts = append(opts, nats.ClientCert(o.Cert, o.Key))
	}
	if o.InProcess != nil {
		opts = append(opts, nats.InProcessServer(o.InProcess))
	}
	c, err := nats.Connect(o.URL, opts...)
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	if !c.IsConnected() {
		o.Log.Warn("NATS is unreachable; retrying", slog.String("error", lastError(c)))
	}
	return c, nil
}

func lastError(c *nats.Conn) string {
	if err := c.LastError(); err != nil {
		return err.Error()
	}
	return "no answer"
}
