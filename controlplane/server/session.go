package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/openid"
)

// Console is how people sign in to the console.
type Console struct {
	// Idle is after how long without use a session ends, default 1 h; Lifetime
	// after how long it ends in any case, default 12 h.
	Idle, Lifetime time.Duration
	// OIDC is the identity provider, nil without one.
	OIDC *openid.Client
	// API returns the URL of a node for the playground, "" for none; nil as well.
	API func() string
}

func (c Console) withDefaults() Console {
	c.Idle = cmp.Or(c.Idle, time.Hour)
	c.Lifetime = cmp.Or(c.Lifetime, 12*time.Hour)
	return c
}

const (
	// sessionMark begins every cookie.
	sessionMark = "hys-"
	cookieName  = "gateway_session"
	// seenEvery is how often it is recorded that a session is in use.
	seenEvery = time.Minute
)

// caller is who makes a request. session is nil for the bearer of a token.
type caller struct {
	adminapi.Identity
	method   string
	operator controlstate.Operator
	session  *controlstate.Session
}

// signIn answers POST /console/session.
func (s *Server) signIn(header http.Header, r *http.Request) (any, error) {
	var in adminapi.SignInRequest
	if err := adminapi.Decode(r, adminapi.SignIn().Description, &in); err != nil {
		return nil, err
	}
	if s.o.Token.Empty() {
		return nil, problemf(http.StatusConflict, "without ADMIN_TOKEN everybody on this machine is an admin; there is nothing to sign in with")
	}
	who, err := s.authenticate(header, r, strings.TrimSpace(in.Token))
	if err != nil {
		return nil, err
	}
	n := controlstate.Session{Method: who.method, Operator: who.operator.ID, Name: who.Name, Role: who.Role, Credential: who.operator.Hash}
	return s.startSession(header, r, n, "", who.operator.Expires)
}

// startSession stores a session, sets its cookie and returns what the client is told.
// A session ends before latest, unless that is zero. The subject is the identity
// provider's name of the person, for the audit log.
func (s *Server) startSession(header http.Header, r *http.Request, n controlstate.Session, subject string, latest time.Time) (adminapi.Session, error) {
	now := time.Now().UTC().Truncate(time.Second)
	n.Created, n.Seen, n.Expires = now, now, now.Add(s.o.Console.Lifetime)
	if !latest.IsZero() && latest.Before(n.Expires) {
		n.Expires = latest
	}
	cookie := newSecret(sessionMark)
	n.Hash = hashToken(cookie)
	if n.Method == adminapi.MethodAdminToken {
		n.Credential = bind(cookie, s.o.Token.Reveal())
	}
	err := s.storeSession(r, n, subject)
	if unavailable(err) && n.Method == adminapi.MethodAdminToken {
		s.o.Log.WarnContext(r.Context(), "signed in with ADMIN_TOKEN without the database", slog.String("from", s.client(r).String()), slog.String("error", err.Error()))
		n.Expires = now.Add(min(s.o.Console.Lifetime, emergencyTime))
		cookie, err = s.emergency.sign(n.Expires), nil
		n.Hash = "" // it is not stored
	}
	if err != nil {
		return adminapi.Session{}, err
	}
	s.setCookie(header, r, cookie, n.Expires)
	return s.show(caller{Identity: adminapi.Identity{Name: n.Name, Role: n.Role}, method: n.Method, session: &n}), nil
}

func (s *Server) storeSession(r *http.Request, n controlstate.Session, subject string) error {
	db, err := s.o.Publisher.State()
	if err != nil {
		return err
	}
	return db.CreateSession(lasting(r.Context()), n, n.Created.Add(-s.o.Console.Idle), controlstate.Entry{
		Author: cmp.Or(n.Name, defaultAuthor), Action: "login", Target: s.client(r).String(), Detail: loginDetail(n.Method, subject),
	})
}

// unavailable reports whether it is the database that failed.
func unavailable(err error) bool {
	return err != nil && !errors.Is(err, controlstate.ErrInvalid) && !errors.Is(err, context.Canceled)
}

// signOut answers DELETE /console/session.
func (s *Server) signOut(header http.Header, r *http.Request) (any, error) {
	cookie := s.cookie(r)
	s.setCookie(header, r, "", time.Time{})
	if !strings.HasPrefix(cookie, sessionMark) {
		return adminapi.None{}, nil
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	who, err := s.session(r.Context(), cookie)
	if err != nil || who.session == nil {
		return adminapi.None{}, ignoreMissing(err)
	}
	return adminapi.None{}, db.EndSession(lasting(r.Context()), hashToken(cookie), controlstate.Entry{
		Author: cmp.Or(who.Name, defaultAuthor), Action: "logout", Target: s.client(r).String(),
	})
}

func ignoreMissing(err error) error {
	if errors.Is(err, controlstate.ErrNotFound) {
		return nil
	}
	return err
}

// getSession answers GET /console/session.
func (s *Server) getSession(ctx context.Context, _ adminapi.None) (adminapi.Session, error) {
	return s.show(callerOf(ctx)), nil
}

func (s *Server) show(who caller) adminapi.Session {
	out := adminapi.Session{Identity: who.Identity, Method: who.method}
	if n := who.session; n != nil {
		out.Expires = &n.Expires
		if n.Hash != "" {
			idle := n.Seen.Add(s.o.Console.Idle)
			out.IdleExpires = &idle
		}
	}
	return out
}

// admitSession lets a request in by its cookie.
func (s *Server) admitSession(header http.Header, r *http.Request, cookie string) (*http.Request, error) {
	if err := fromConsole(r); err != nil {
		return r, err
	}
	who, err := s.session(r.Context(), cookie)
	if errors.Is(err, controlstate.ErrNotFound) {
		s.setCookie(header, r, "", time.Time{})
		header.Set("WWW-Authenticate", `Bearer realm="admin"`)
		return r, problemf(http.StatusUnauthorized, "the session has ended or expired; sign in again")
	}
	if err != nil {
		return r, err
	}
	if now := time.Now(); who.session.Hash != "" && now.Sub(who.session.Seen) >= min(seenEvery, s.o.Console.Idle/4) && r.Header.Get(adminapi.ConsoleHeader) != adminapi.PollValue {
		s.seen(r.Context(), who.session, now)
	}
	return as(r, who), nil
}

// seen records that a session is in use. Who may read must not be kept out by a
// database that takes no writes.
func (s *Server) seen(ctx context.Context, n *controlstate.Session, now time.Time) {
	db, err := s.o.Publisher.State()
	if err == nil {
		err = db.SessionSeen(lasting(ctx), n.Hash, now)
	}
	if err != nil {
		s.o.Log.WarnContext(ctx, "failed to record that a session is in use", slog.String("error", err.Error()))
		return
	}
	n.Seen = now.UTC().Truncate(time.Second)
}

// session finds who a cookie belongs to, ErrNotFound for no one or not any more.
func (s *Server) session(ctx context.Context, cookie string) (caller, error) {
	if expires, ok := s.emergency.verify(cookie, time.Now()); ok {
		admin := adminapi.Identity{Role: adminapi.RoleAdmin}
		return caller{Identity: admin, method: adminapi.MethodAdminToken, session: &controlstate.Session{Expires: expires}}, nil
	}
	if !strings.HasPrefix(cookie, sessionMark) {
		return caller{}, controlstate.ErrNotFound
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return caller{}, err
	}
	now := time.Now()
	n, err := db.Session(ctx, hashToken(cookie), now, now.Add(-s.o.Console.Idle))
	if err != nil {
		return caller{}, err
	}
	if !s.valid(n, cookie) {
		return caller{}, controlstate.ErrNotFound
	}
	return caller{Identity: adminapi.Identity{Name: n.Name, Role: n.Role}, method: n.Method, session: &n}, nil
}

// valid reports whether what a session depends on is as it was. The database has
// compared operators' tokens.
func (s *Server) valid(n controlstate.Session, cookie string) bool {
	switch n.Method {
	case adminapi.MethodAdminToken:
		return equal(n.Credential, bind(cookie, s.o.Token.Reveal()))
	case adminapi.MethodOIDC:
		return s.o.Console.OIDC != nil && n.Credential == s.o.Console.OIDC.Fingerprint()
	default:
		return true
	}
}

// fromConsole refuses what a page of another site could make a browser send.
// SameSite=Strict has kept the cookie from most of that; what is left are pages
// of other hosts of the same site, and other ports of this one.
func fromConsole(r *http.Request) error {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return problemf(http.StatusForbidden, "cross-site requests are rejected")
	}
	if isRead(r) {
		return nil
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return problemf(http.StatusForbidden, "cross-site requests are rejected")
	}
	if r.Header.Get(adminapi.ConsoleHeader) == "" {
		return problemf(http.StatusForbidden, "missing header %s, which proves that the request is the console's", adminapi.ConsoleHeader)
	}
	return nil
}

// cookiePaths are where the browser sends the cookie: not to the nodes, which
// may be below the same host.
func cookiePaths() []string { return []string{"/admin", "/console"} }

// setCookie sets the session's cookie, or removes it if value is "".
func (s *Server) setCookie(header http.Header, r *http.Request, value string, expires time.Time) {
	name, secure := s.cookieName(r, cookieName)
	for _, path := range cookiePaths() {
		c := http.Cookie{Name: name, Value: value, Path: path, Expires: expires, HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode}
		if value == "" {
			c.MaxAge = -1
		}
		header.Add("Set-Cookie", c.String())
	}
}

// cookie returns the session's cookie, "" without one.
func (s *Server) cookie(r *http.Request) string {
	name, _ := s.cookieName(r, cookieName)
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// cookieName has a prefix where the browser uses https: then no page that came
// by plain http can replace the cookie.
func (s *Server) cookieName(r *http.Request, plain string) (name string, secure bool) {
	if s.isHTTPS(r) {
		return "__Secure-" + plain, true
	}
	return plain, false
}

// isHTTPS reports whether the browser came by https, perhaps to a trusted proxy.
func (s *Server) isHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && s.trusted(at.Addr().Unmap()) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
