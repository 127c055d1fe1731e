package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/console"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/openid"
)

const (
	oidcPath = "/console/oidc"
	// flowCookie keeps what a sign-in must remember, flowTime bounds it.
	flowCookie = "gateway_oidc"
	flowTime   = 10 * time.Minute
	// maxReturn bounds the page of the console that a sign-in leads to.
	maxReturn = 500
)

// signInMethods answers GET /console/methods.
func (s *Server) signInMethods(context.Context, adminapi.None) (adminapi.SignInMethods, error) {
	out := adminapi.SignInMethods{Token: !s.o.Token.Empty()}
	if s.o.Console.OIDC != nil {
		name := s.o.Console.OIDC.Name()
		out.OIDC = &name
	}
	return out, nil
}

// serveOIDC answers the two addresses that a browser passes on its way through
// an identity provider, and reports whether it was one of them.
func (s *Server) serveOIDC(w http.ResponseWriter, r *http.Request) bool {
	if s.o.Console.OIDC == nil || !isRead(r) {
		return false
	}
	start, status := time.Now(), http.StatusSeeOther
	var err error
	switch r.URL.Path {
	case oidcPath + "/login":
		err = s.beginOIDC(w, r)
	case openid.CallbackPath:
		err = s.finishOIDC(w, r)
	default:
		return false
	}
	if err != nil {
		status = s.showFailure(w, err)
	}
	s.log(r, status, err, time.Since(start))
	return true
}

// flow is what the cookie has: openid.Flow, and the page to go to.
type flow struct {
	openid.Flow
	To string `json:"to"`
}

func (s *Server) beginOIDC(w http.ResponseWriter, r *http.Request) error {
	target, f, err := s.o.Console.OIDC.Begin(r.Context())
	if err != nil {
		return err
	}
	to := r.URL.Query().Get("to")
	if len(to) > maxReturn {
		to = ""
	}
	text, err := json.Marshal(flow{f, to})
	if err != nil {
		return problemf(http.StatusInternalServerError, "internal error")
	}
	s.setFlow(w, r, base64.RawURLEncoding.EncodeToString(text), int(flowTime.Seconds()))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// setFlow sets the cookie of a sign-in, or removes it if age is negative. It is
// Lax: the browser comes back from another site.
func (s *Server) setFlow(w http.ResponseWriter, r *http.Request, value string, age int) {
	name, secure := s.cookieName(r, flowCookie)
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: oidcPath, MaxAge: age, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode})
}

func (s *Server) finishOIDC(w http.ResponseWriter, r *http.Request) error {
	from, now := s.client(r), time.Now()
	if wait := s.lockout.locked(from, now); wait > 0 {
		return tooMany(from, wait)
	}
	var f flow
	name, _ := s.cookieName(r, flowCookie)
	if c, err := r.Cookie(name); err == nil {
		text, err := base64.RawURLEncoding.DecodeString(c.Value)
		if err != nil || json.Unmarshal(text, &f) != nil {
			f = flow{} // as without a cookie
		}
	}
	s.setFlow(w, r, "", -1)
	who, err := s.o.Console.OIDC.Finish(r.Context(), f.Flow, r.URL.Query())
	if errors.Is(err, openid.ErrRefused) {
		s.noteFailure(r, from, s.lockout.failed(from, now))
	}
	if errors.Is(err, openid.ErrNoRole) {
		s.noteRefusal(r, who)
	}
	if err != nil {
		return err
	}
	s.lockout.succeeded(from)
	n := controlstate.Session{Method: adminapi.MethodOIDC, Name: who.Name, Role: who.Role, Credential: s.o.Console.OIDC.Fingerprint()}
	if _, err := s.startSession(w.Header(), r, n, who.Subject, time.Time{}); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", console.Path+(&url.URL{Fragment: "/" + f.To}).String()) // which http.Redirect would clean
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// noteRefusal records that a person whom the provider knows was turned away.
func (s *Server) noteRefusal(r *http.Request, who openid.Person) {
	if !s.failures.Allow() {
		s.unrecorded.Add(1)
		return
	}
	db, err := s.o.Publisher.State()
	if err == nil {
		ctx, cancel := context.WithTimeout(lasting(r.Context()), auditTime)
		defer cancel()
		err = db.Audit(ctx, controlstate.Entry{Author: who.Name, Action: "login.refused", Target: s.client(r).String(), Detail: loginDetail(adminapi.MethodOIDC, who.Subject)})
	}
	if err != nil {
		s.o.Log.WarnContext(r.Context(), "failed to record a refused login", slog.String("error", err.Error()))
	}
}

// loginDetail is what the audit log has of how someone signed in.
func loginDetail(method, subject string) string {
	text, err := json.Marshal(struct {
		Method  string `json:"method"`
		Subject string `json:"subject,omitempty"`
	}{method, subject})
	if err != nil {
		return method // never: these are texts
	}
	return string(text)
}

// failurePage is what a browser shows that was not signed in. It has no script,
// and the console's style.
//
//nolint:gochecknoglobals // parsed once
var failurePage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign in · Gateway</title>
<link rel="icon" href="/console/icon.svg"><link rel="stylesheet" href="/console/app.css"></head>
<body><div id="app"><main class="signin"><div class="card"><img src="/console/icon.svg" alt="" width="44" height="44"><h1>You are not signed in</h1>
<p class="error" role="alert">{{.}}</p><a class="button" href="/console/">Back to the sign-in page</a></div></main></div></body>
</html>
`))

// showFailure answers with a page and returns its status.
func (s *Server) showFailure(w http.ResponseWriter, err error) int {
	var status int
	switch {
	case errors.Is(err, openid.ErrUnavailable):
		status = http.StatusBadGateway
	case errors.Is(err, openid.ErrRefused):
		status = http.StatusUnauthorized
	case errors.Is(err, openid.ErrNoRole):
		status = http.StatusForbidden
	default:
		p := toProblem(err)
		status, err = p.status, p
	}
	var text strings.Builder
	if failed := failurePage.Execute(&text, upperFirst(err.Error())); failed != nil {
		s.o.Log.Error("BUG: page of a failed sign-in", slog.String("error", failed.Error()))
	}
	console.Protect(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text.String())) // a browser that left needs no answer
	return status
}

func upperFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
