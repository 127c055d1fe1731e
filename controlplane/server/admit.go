package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// admit decides whether a request may go on. Only /admin/ is guarded.
func (s *Server) admit(header http.Header, r *http.Request) error {
	if r.URL.Path != "/admin" && !strings.HasPrefix(r.URL.Path, "/admin/") {
		return nil
	}
	if s.o.Token.Empty() {
		return admitLocal(r)
	}
	const scheme = "bearer "
	given := r.Header.Get("Authorization")
	if len(given) <= len(scheme) || !strings.EqualFold(given[:len(scheme)], scheme) {
		header.Set("WWW-Authenticate", `Bearer realm="admin"`)
		return problemf(http.StatusUnauthorized, "the header Authorization: Bearer $ADMIN_TOKEN is missing")
	}
	if !equal(strings.TrimSpace(given[len(scheme):]), s.o.Token.Reveal()) {
		header.Set("WWW-Authenticate", `Bearer realm="admin", error="invalid_token"`)
		return problemf(http.StatusUnauthorized, "the token is not this control plane's ADMIN_TOKEN")
	}
	return nil
}

// equal takes the same time for every wrong text, whatever its length.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// admitLocal guards an API without a token against what a browser on this
// machine could be made to do: a foreign page that posts here, and one whose
// name was pointed at this address.
func admitLocal(r *http.Request) error {
	if !isLoopback(r.Host) {
		return problemf(http.StatusForbidden, "without ADMIN_TOKEN the admin API answers on localhost only, not as %q", r.Host)
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return problemf(http.StatusForbidden, "requests from other sites' pages are refused")
	}
	return nil
}

func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
