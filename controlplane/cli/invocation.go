package cli

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
	"github.com/hybridinference/gateway/shared/secret"
)

// invocation is one command that runs: its flags and arguments.
type invocation struct {
	*urfave.Context

	opts *Options
	args []string
}

func newInvocation(c *urfave.Context) *invocation {
	return &invocation{Context: c, opts: sessionOf(c).opts, args: c.Args().Slice()}
}

func (in *invocation) text(name string) string { return in.String(name) }

// setting returns a flag's value, or a variable's, and the name of the one that had it.
func (in *invocation) setting(name, variable string) (value, from string) {
	if value = in.text(name); value != "" {
		return value, "--" + name
	}
	if value = in.opts.env(variable); value != "" {
		return value, variable
	}
	return "", ""
}

func (in *invocation) token() (token secret.String, from string) {
	text, from := in.setting("token", tokenVariable)
	return secret.New(text), from
}

// client returns a client as flags and variables describe it.
func (in *invocation) client() (*adminclient.Client, error) {
	url, urlFrom := in.setting("url", urlVariable)
	token, tokenFrom := in.token()
	author, authorFrom := in.setting("author", "USER")
	transport, err := in.transport()
	if err != nil {
		return nil, err
	}
	client, err := adminclient.New(adminclient.Options{
		URL: url, Token: token, Author: author, Timeout: valueOf(in, "timeout", adminclient.DefaultTimeout), UserAgent: "gatewayctl/" + in.opts.Version, Transport: transport,
	})
	if bad, ok := adminclient.AsInvalid(err); ok {
		from := map[adminclient.Option]string{adminclient.OptionURL: urlFrom, adminclient.OptionToken: tokenFrom, adminclient.OptionAuthor: authorFrom}
		return nil, usagef("%s %s", from[bad.Option], bad.Must)
	}
	return client, err
}

// transport trusts the CA certificates of --ca besides the system's. It is nil
// without that flag.
func (in *invocation) transport() (http.RoundTripper, error) {
	path, from := in.setting("ca", caVariable)
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usagef("%s must name a PEM file: %w", from, err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, usagef("%s: no certificate in %s", from, path)
	}
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // it is never replaced
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	return t, nil
}

// wait is how long to wait for nodes, 0 for not at all.
func (in *invocation) wait() time.Duration { return valueOf(in, "wait", time.Duration(0)) }

// change returns the flags of changeFlags.
func (in *invocation) change() adminapi.Change {
	return adminapi.Change{Reason: in.text("reason"), WaitMS: in.wait().Milliseconds(), IfRelease: valueOf(in, "if-release", uint64(0)), DryRun: in.Bool("dry-run")}
}

// page returns the flags of pageFlags.
func (in *invocation) page(limit int) adminapi.Page {
	return adminapi.Page{Limit: valueOf(in, "limit", limit), Before: valueOf(in, "before", uint64(0))}
}

// items returns the values of a flag that takes several, separated by commas.
func (in *invocation) items(name string) []string {
	var out []string
	for item := range strings.SplitSeq(in.text(name), ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// format returns how to print; wide is a table.
func (in *invocation) format() string {
	if f := valueOf(in, "output", formatTable); f != formatWide {
		return f
	}
	return formatTable
}

// look is how tables are printed.
type look struct {
	// colour is for people who look at a terminal and did not object.
	colour bool
	// width is how many columns a line may have, 0 for any.
	width int
}

// look fits tables into a terminal, unless -o wide asks for all of them. A pipe gets all.
func (in *invocation) look() look {
	l := look{colour: in.opts.StdoutTerminal && in.opts.env("NO_COLOR") == "" && in.opts.env("TERM") != "dumb"}
	if in.opts.StdoutTerminal && valueOf(in, "output", formatTable) != formatWide {
		l.width = in.opts.Width
	}
	return l
}

// first returns the first argument, "" if there is none.
func (in *invocation) first() string {
	if len(in.args) == 0 {
		return ""
	}
	return in.args[0]
}
