package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
)

// admit decides whether a request may go on, and returns it with who makes it:
// /admin/ is for holders of ADMIN_TOKEN, for operators and for those who have
// signed in to the console, /api/v1/ for those of a management key.
func (s *Server) admit(header http.Header, r *http.Request) (*http.Request, error) {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, managementPath):
		return s.admitManager(r)
	case path == adminapi.SessionPath && !isRead(r):
		if s.o.Token.Empty() {
			return r, admitLocal(r)
		}
		return r, fromConsole(r) // to sign in or out
	case path == adminapi.SessionPath || path == playgroundPath || path == "/admin" || strings.HasPrefix(path, "/admin/"):
		return s.admitAdmin(header, r)
	}
	return r, nil
}

// ended reports whether the token or session of a request that was admitted is
// not valid any more. A database that is away ends nothing.
func (s *Server) ended(r *http.Request) bool {
	_, err := s.admit(http.Header{}, r)
	p, ok := errors.AsType[*problem](err)
	return ok && p.status == http.StatusUnauthorized
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func (s *Server) admitAdmin(header http.Header, r *http.Request) (*http.Request, error) {
	if s.o.Token.Empty() {
		return as(r, caller{Identity: adminapi.Identity{Role: adminapi.RoleAdmin}, method: adminapi.MethodLocal}), admitLocal(r)
	}
	const scheme = "bearer "
	given := r.Header.Get("Authorization")
	if cookie := s.cookie(r); given == "" && cookie != "" {
		return s.admitSession(header, r, cookie)
	}
	if len(given) <= len(scheme) || !strings.EqualFold(given[:len(scheme)], scheme) {
		header.Set("WWW-Authenticate", `Bearer realm="admin"`)
		return r, problemf(http.StatusUnauthorized, "missing header Authorization: Bearer $ADMIN_TOKEN")
	}
	who, err := s.authenticate(header, r, strings.TrimSpace(given[len(scheme):]))
	if err != nil {
		return r, err
	}
	return as(r, who), nil
}

// authenticate finds who a token belongs to. Wrong ones are counted by address.
func (s *Server) authenticate(header http.Header, r *http.Request, token string) (caller, error) {
	from, now := s.client(r), time.Now()
	who, ok := caller{Identity: adminapi.Identity{Role: adminapi.RoleAdmin}, method: adminapi.MethodAdminToken}, equal(token, s.o.Token.Reveal())
	if !ok {
		var err error
		if who, ok, err = s.operatorOf(r.Context(), token); err != nil {
			return caller{}, err
		}
	}
	if ok {
		s.lockout.succeeded(from) // also while the address is locked: its owner may share it with whoever guesses
		return who, nil
	}
	if wait := s.lockout.locked(from, now); wait > 0 {
		return caller{}, tooMany(from, wait)
	}
	header.Set("WWW-Authenticate", `Bearer realm="admin", error="invalid_token"`)
	s.noteFailure(r, from, s.lockout.failed(from, now))
	return caller{}, problemf(http.StatusUnauthorized, "invalid token: it is neither this control plane's ADMIN_TOKEN nor that of an operator, or it was revoked or has expired")
}

func tooMany(from netip.Addr, wait time.Duration) error {
	seconds := int(math.Ceil(wait.Seconds()))
	p := problemf(http.StatusTooManyRequests, "too many failed logins from %s; try again in %d s", from, seconds)
	p.retryAfter = seconds
	return p
}

const (
	// auditTime bounds the record of a failed login: the answer does not wait for
	// a database that is away.
	auditTime = time.Second
	// failureRows is how many failed logins are recorded at once, failureEvery
	// the pause after which there may be another one.
	failureRows  = 20
	failureEvery = 5 * time.Minute
)

// noteFailure records the first wrong token of a row, and those that lock. A
// guesser with many addresses must not fill the audit log either: what is not
// recorded is counted, and the next record says how much that was.
func (s *Server) noteFailure(r *http.Request, from netip.Addr, failures int) {
	if failures != 1 && failures < freeTries {
		return
	}
	if !s.failures.Allow() {
		s.unrecorded.Add(1)
		return
	}
	db, err := s.o.Publisher.State()
	if err == nil {
		ctx, cancel := context.WithTimeout(lasting(r.Context()), auditTime)
		defer cancel()
		err = db.Audit(ctx, controlstate.Entry{
			Author: "unknown", Action: "login.failed", Target: from.String(), Detail: fmt.Sprintf(`{"failures":%d,"unrecorded":%d}`, failures, s.unrecorded.Swap(0)),
		})
	}
	if err != nil {
		s.o.Log.WarnContext(r.Context(), "failed to record a failed login", slog.String("from", from.String()), slog.String("error", err.Error()))
	}
}

// client is the caller's address: the peer's, or what a trusted proxy says.
func (s *Server) client(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // an in-process caller
	}
	peer := at.Addr().Unmap()
	if !s.trusted(peer) {
		return peer
	}
	for _, hop := range slices.Backward(strings.Split(r.Header.Get("X-Forwarded-For"), ",")) {
		if addr, err := netip.ParseAddr(strings.TrimSpace(hop)); err == nil && !s.trusted(addr.Unmap()) {
			return addr.Unmap() // the nearest that is not a proxy of ours
		}
	}
	return peer
}

// trusted reports whether an address is that of a proxy whose headers are believed.
func (s *Server) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(s.o.Proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
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
		return problemf(http.StatusForbidden, "cross-site requests are rejected")
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
