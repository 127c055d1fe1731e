package config

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// settleBaseURL fills in the address. Not ok: it is wrong, or it expands to
// nothing, which only takes the endpoint out.
func (r *routeEntry) settleBaseURL(at value) (host *url.URL, ok bool) {
	if r.source.BuiltIn {
		return &url.URL{}, true // it answers by itself
	}
	if !r.baseURL.given() {
		return r.publicURL(at)
	}
	x, ok := r.baseURL.expanded("an http(s) URL")
	if !ok {
		return nil, false
	}
	// a variable that is missing in one part of the address spoils the whole of it
	if strings.TrimSpace(x.text) == "" || len(x.empty) > 0 {
		if !r.Optional {
			at.skipped("endpoint", "base_url", x.empty)
		}
		return nil, false
	}
	host, ok = r.baseURL.checkURL(x.text)
	if ok {
		r.BaseURL = host.String()
	}
	return host, ok
}

// publicURL is the kind's well-known address.
func (r *routeEntry) publicURL(at value) (*url.URL, bool) {
	if r.source.BaseURL == "" {
		if r.Kind != "" { // else the kind is the mistake
			at.needs("base_url", "kind "+r.Kind+" has no public address")
		}
		return nil, false
	}
	address := r.source.BaseURL
	if r.source.Regional {
		if r.Region == "" {
			at.needs("region", "kind "+r.Kind+" has an address for each region")
			return nil, false
		}
		address = strings.Replace(address, "REGION", r.Region, 1)
	}
	host, err := url.Parse(address)
	if err != nil {
		at.problemf("region: %q is not a region", r.Region) // no other address depends on the file
		return nil, false
	}
	if r.source.KeyRequired && !r.anyKey {
		at.warnf("has no api_key: %s rejects requests without one", address)
	}
	r.BaseURL = address
	return host, true
}

// skipped warns that something without an address is ignored.
func (v value) skipped(what, key string, missing []string) {
	why := key + " is empty"
	if len(missing) > 0 {
		why = unset(missing)
	}
	w := v.place().warning("%s skipped: %s", what, why)
	w.Unset = missing
	v.run.warn(w)
}

// checkURL returns an http(s) URL without a slash at its end.
func (v value) checkURL(text string) (*url.URL, bool) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(text), "/"))
	switch {
	case err != nil && strings.Contains(text, "@"), err == nil && u.User != nil:
		// not shown: what stands before the @ may be a password
		v.problemf("must not contain a user name or password: set api_key to ${NAME} instead")
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", !validPort(u.Port()):
		v.problemf("must be an http(s) URL with a host, such as http://localhost:8000/v1, got %s", v.got(text))
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		v.problemf("must not contain a query or fragment, got %s", v.got(text))
	case strings.HasSuffix(u.Path, "/chat/completions"):
		v.problemf("must not include /chat/completions, which is appended, got %s", v.got(text))
	default:
		return u, true
	}
	return nil, false
}

func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// derivedID names a route that has no id: local-<port> on this machine,
// <first label of the host>-api where the kind says nothing about whose server
// it is, and <kind>-api otherwise.
func (r *routeEntry) derivedID(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if isLocal(host) {
		return "local-" + portOf(u)
	}
	switch {
	case r.Slug != "":
		return r.Kind + "[" + r.Slug + "]-api"
	case r.source.AnyHost:
		return label(host) + "-api"
	default:
		return r.Kind + "-api"
	}
}

func isLocal(host string) bool {
	switch host {
	case "localhost", "127.0.0.1", "0.0.0.0", "::1", "host.docker.internal":
		return true
	}
	return false
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// label returns what tells a host from others. An IP address has no labels; all
// of it is needed, without the colons that part a model from its endpoint.
func label(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return strings.ReplaceAll(host, ":", "-")
	}
	for _, prefix := range []string{"api.", "llm."} {
		if rest, ok := strings.CutPrefix(host, prefix); ok && rest != "" {
			host = rest
			break
		}
	}
	first, _, _ := strings.Cut(host, ".")
	return first
}
