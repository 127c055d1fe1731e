package cli

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminclient"
	"github.com/hybridinference/gateway/shared/secret"
)

// invocation is one command that runs: its flags and arguments.
type invocation struct {
	opts *Options
	// value returns that of a flag as text, "" if it is not given.
	value func(name string) string
	// given tells a flag with an empty value from none.
	given func(name string) bool
	args  []string
}

func (in *invocation) text(name string) string { return in.value(name) }

// on reports whether a flag without value is given.
func (in *invocation) on(name string) bool { return in.value(name) == "true" }

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
	timeout, err := in.span("timeout", adminclient.DefaultTimeout)
	if err != nil {
		return nil, err
	}
	if timeout == 0 {
		return nil, usagef("--timeout must be more than nothing")
	}
	url, urlFrom := in.setting("url", urlVariable)
	token, tokenFrom := in.token()
	author, authorFrom := in.setting("author", "USER")
	transport, err := in.transport()
	if err != nil {
		return nil, err
	}
	client, err := adminclient.New(adminclient.Options{
		URL: url, Token: token, Author: author, Timeout: timeout, UserAgent: "gatewayctl/" + in.opts.Version, Transport: transport,
	})
	if bad, ok := adminclient.AsInvalid(err); ok {
		from := map[adminclient.Option]string{adminclient.OptionURL: urlFrom, adminclient.OptionToken: tokenFrom, adminclient.OptionAuthor: authorFrom}
		return nil, usagef("%s %s", from[bad.Option], bad.Must)
	}
	return client, err
}

// transport believes, beside the system's authorities, those of --ca. It is
// nil without.
func (in *invocation) transport() (http.RoundTripper, error) {
	path, from := in.setting("ca", caVariable)
	if path == "" {
		return nil, nil //nolint:nilnil // the client's default
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, usagef("%s must name a PEM file: %s", from, err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, usagef("%s: there is no certificate in %s", from, path)
	}
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck,forcetypeassert // nobody replaces it
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	return t, nil
}

// span returns the value of a flag that is a time span.
func (in *invocation) span(name string, def time.Duration) (time.Duration, error) {
	text := in.text(name)
	if text == "" {
		return def, nil
	}
	return parseSpan(name, text)
}

// wait is how long to wait for nodes, 0 for not at all.
func (in *invocation) wait() (time.Duration, error) { return in.span("wait", 0) }

// change returns the flags of changeFlags.
func (in *invocation) change() (adminclient.Change, error) {
	wait, err := in.wait()
	if err != nil {
		return adminclient.Change{}, err
	}
	c := adminclient.Change{Reason: in.text("reason"), Wait: wait}
	if text := in.text("if-release"); text != "" {
		c.IfRelease, err = parseNumber("--if-release", text)
	}
	return c, err
}

// page returns the flags of pageFlags.
func (in *invocation) page(limit int) (p adminclient.Page, err error) {
	if p.Limit, err = in.count("limit", limit, maxLimit); err != nil {
		return p, err
	}
	if text := in.text("before"); text != "" {
		p.Before, err = parseNumber("--before", text)
	}
	return p, err
}

// count returns the value of a flag that is a whole number.
func (in *invocation) count(name string, def, most int) (int, error) {
	text := in.text(name)
	if text == "" {
		return def, nil
	}
	return parseCount(name, text, 1, most)
}

// items returns the values of a flag that takes several, with commas between.
func (in *invocation) items(name string) []string {
	var out []string
	for item := range strings.SplitSeq(in.text(name), ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

func (in *invocation) format() string {
	if text := in.text("output"); text != "" {
		return text
	}
	return formatTable
}

func (in *invocation) checkFormat() error {
	if all := []string{formatTable, formatJSON, formatYAML}; !slices.Contains(all, in.format()) {
		return usagef("--output must be one of %s, got %q", strings.Join(all, ", "), in.format())
	}
	return nil
}

// colour is for people who look at a terminal and did not object.
func (in *invocation) colour() bool {
	return in.opts.StdoutTerminal && in.opts.env("NO_COLOR") == "" && in.opts.env("TERM") != "dumb"
}

// first returns the first argument, "" if there is none.
func (in *invocation) first() string {
	if len(in.args) == 0 {
		return ""
	}
	return in.args[0]
}
