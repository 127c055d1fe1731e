package adminapi

import (
	"net/http"
	"time"
)

// SessionPath is where browsers sign in to the console.
const SessionPath = "/console/session"

// ConsoleHeader is a header that every request with a session's cookie must
// have if it changes something: pages of other sites cannot set it. The value
// PollValue says that the request was made without the user's doing, so that
// it does not keep the session alive.
const (
	ConsoleHeader = "X-Gateway-Console"
	PollValue     = "poll"
)

// How someone has signed in, as Session.Method.
const (
	// MethodOperator is the token of an operator.
	MethodOperator = "operator"
	// MethodAdminToken is ADMIN_TOKEN.
	MethodAdminToken = "admin_token"
	// MethodOIDC is an identity provider.
	MethodOIDC = "oidc"
	// MethodLocal is a control plane on loopback without ADMIN_TOKEN.
	MethodLocal = "local"
)

// GetSignInMethods says how one can sign in.
func GetSignInMethods() Operation[None, SignInMethods] {
	return get[None, SignInMethods]("/console/methods", tagSessions, "How one can sign in to the console").public()
}

// SignInMethods are the ways into the console. There is none where no one needs
// to sign in.
type SignInMethods struct {
	Token bool `json:"token" doc:"with ADMIN_TOKEN or an operator's token"`
	// OIDC is the host of the identity provider, nil without one.
	OIDC *string `json:"oidc" doc:"the host of the identity provider, to which /console/oidc/login leads; null without one"`
}

// GetSession says who is signed in.
func GetSession() Operation[None, Session] {
	return get[None, Session](SessionPath, tagSessions, "Who is signed in, and until when")
}

// SignIn trades a token for a cookie.
func SignIn() Operation[SignInRequest, Session] {
	return post[SignInRequest, Session](SessionPath, tagSessions, "Sign in to the console with ADMIN_TOKEN or an operator's token; the answer sets a cookie").public().created()
}

// SignOut ends a session.
func SignOut() Operation[None, None] {
	return operation[None, None](http.MethodDelete, SessionPath, tagSessions, "Sign out; repeating it is fine").public()
}

// SignInRequest has the token.
type SignInRequest struct {
	Token string `json:"token" maxlen:"1000" doc:"ADMIN_TOKEN or the token of an operator"`
}

// Session is a sign-in to the console, or the bearer of a token.
type Session struct {
	Identity
	Method string `json:"method" enum:"operator,admin_token,oidc,local" doc:"how they have signed in"`
	// Expires is when the session ends in any case, IdleExpires when it ends if it
	// is not used. Both are missing where nothing expires.
	Expires     *time.Time `json:"expires"`
	IdleExpires *time.Time `json:"idle_expires"`
}

// ListSessions lists sign-ins to the console.
func ListSessions() Operation[None, []ConsoleSession] {
	return get[None, []ConsoleSession]("/admin/sessions", tagSessions, "Sign-ins to the console that have not ended, the latest first").forRole(RoleAdmin)
}

// RevokeSessions ends one sign-in, or all of a person.
func RevokeSessions() Operation[SessionRevocation, []ConsoleSession] {
	return operation[SessionRevocation, []ConsoleSession](http.MethodDelete, "/admin/sessions/{id}", tagSessions, "End a sign-in to the console by its id, or all of a person by name; returns those that were ended")
}

// ConsoleSession is someone's sign-in to the console.
type ConsoleSession struct {
	ID string `json:"id"`
	Identity
	Method  string    `json:"method" enum:"operator,admin_token,oidc" doc:"how they have signed in"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen" doc:"when it was last used, to the minute"`
	// Expires is when the session ends in any case, IdleExpires when it ends if it
	// is not used.
	Expires     time.Time `json:"expires"`
	IdleExpires time.Time `json:"idle_expires"`
	Current     bool      `json:"current" doc:"whether it is the session that asks"`
}

// SessionRevocation ends sessions. ID is the id of one, or the name of a person.
type SessionRevocation struct {
	ByID
	ByAuthor
	Reason string `json:"reason,omitempty" maxlen:"1000" doc:"for the audit log"`
}
