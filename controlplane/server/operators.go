package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/keys"
)

// tokenMark begins every operator's token.
const tokenMark = "hyo-"

// callerKey is where a request's context has who makes it.
type callerKey struct{}

// callerOf is who makes the request.
func callerOf(ctx context.Context) caller {
	who, ok := ctx.Value(callerKey{}).(caller)
	if !ok {
		return caller{} // of no role
	}
	return who
}

func identity(ctx context.Context) adminapi.Identity { return callerOf(ctx).Identity }

func as(r *http.Request, who caller) *http.Request {
	if who.Name != "" { // no one signs for someone else
		r.Header.Set("X-Gateway-Author", who.Name)
	}
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, who))
}

// allow refuses an operation that the caller's role is too small for.
func allow(ctx context.Context, o *adminapi.Description) error {
	if o.Role == "" {
		return nil
	}
	who := identity(ctx)
	return requireRole(who, o.Role, o.Method+" "+o.Path)
}

func requireRole(who adminapi.Identity, role, what string) error {
	rank := func(role string) int { return slices.Index(adminapi.Roles(), role) }
	if rank(who.Role) >= rank(role) {
		return nil
	}
	return problemf(http.StatusForbidden, "%s needs the role %s; %s has the role %s", what, role, who.Name, who.Role)
}

// operatorOf finds the operator of a token; false if it is no one's, or not
// valid any more.
func (s *Server) operatorOf(ctx context.Context, token string) (who caller, ok bool, err error) {
	if !strings.HasPrefix(token, tokenMark) {
		return who, false, nil
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return who, false, err
	}
	o, err := db.OperatorByHash(ctx, hashToken(token))
	if errors.Is(err, controlstate.ErrNotFound) {
		return who, false, nil
	}
	if err != nil {
		return who, false, err
	}
	valid := o.Revoked.IsZero() && (o.Expires.IsZero() || time.Now().Before(o.Expires))
	return caller{Identity: adminapi.Identity{Name: o.Name, Role: o.Role}, method: adminapi.MethodOperator, operator: o}, valid, nil
}

// newSecret returns 256 random bits behind a mark, by which leaked ones can be
// searched for.
func newSecret(mark string) string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // ends the process rather than fail
	return mark + base64.RawURLEncoding.EncodeToString(raw)
}

// hashToken is what is kept of a token. It is random enough to need no secret.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func showOperator(o *controlstate.Operator) adminapi.Operator {
	out := adminapi.Operator{ID: o.ID, Name: o.Name, Role: o.Role, Created: o.Created}
	if !o.Expires.IsZero() {
		out.Expires = &o.Expires
	}
	if !o.Revoked.IsZero() {
		out.Revoked = &o.Revoked
	}
	return out
}

func (s *Server) whoami(ctx context.Context, _ adminapi.None) (adminapi.Identity, error) {
	return identity(ctx), nil
}

func (s *Server) operators(ctx context.Context, _ adminapi.None) ([]adminapi.Operator, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	list, err := db.Operators(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]adminapi.Operator, len(list))
	for i := range list {
		out[i] = showOperator(&list[i])
	}
	return out, nil
}

func (s *Server) createOperator(ctx context.Context, in adminapi.OperatorCreation) (out adminapi.NewOperator, err error) {
	if s.o.Token.Empty() {
		return out, problemf(http.StatusConflict, "operators need ADMIN_TOKEN: without it everybody on this machine is an admin")
	}
	name := strings.TrimSpace(in.Name)
	if name == "" || strings.ContainsFunc(name, unicode.IsControl) || strings.HasPrefix(name, operatorID) {
		return out, badRequest("name: must have 1 to 200 bytes, no control characters, and not begin with %s, got %q", operatorID, in.Name)
	}
	if !slices.Contains(adminapi.Roles(), in.Role) {
		return out, badRequest("role: must be %s, got %q", strings.Join(adminapi.Roles(), ", "), in.Role)
	}
	expires, err := keys.ParseExpiry(in.Expires, time.Now())
	if err != nil {
		return out, badRequest("expires: %s", err)
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return out, err
	}
	token := newSecret(tokenMark)
	o := controlstate.Operator{
		ID: operatorID + strings.ToLower(rand.Text()[:12]), Name: name, Role: in.Role, Hash: hashToken(token),
		Created: time.Now().UTC().Truncate(time.Second), Expires: expires,
	}
	err = db.CreateOperator(lasting(ctx), o, entry(in.ByAuthor, in.Reason, "operator.create", o.Name+" "+o.Role))
	if errors.Is(err, controlstate.ErrExists) {
		return out, problemf(http.StatusConflict, "name: there is, or was, an operator %q; a name is used once, so that the audit log says who it was", name)
	}
	return adminapi.NewOperator{Token: token, Operator: showOperator(&o)}, err
}

// operatorID begins the ids of operators.
const operatorID = "op_"

func (s *Server) rotateOperator(ctx context.Context, in adminapi.OperatorChange) (out adminapi.NewOperator, err error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return out, err
	}
	o, err := db.Operator(ctx, in.ID)
	if err != nil {
		return out, err
	}
	if !o.Revoked.IsZero() {
		return out, problemf(http.StatusConflict, "operator %s is revoked", o.Name)
	}
	token := newSecret(tokenMark)
	err = db.RotateOperator(lasting(ctx), o.ID, hashToken(token), entry(in.ByAuthor, in.Reason, "operator.rotate", o.Name))
	return adminapi.NewOperator{Token: token, Operator: showOperator(&o)}, err
}

func (s *Server) revokeOperator(ctx context.Context, in adminapi.OperatorChange) (out adminapi.Operator, err error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return out, err
	}
	o, err := db.Operator(ctx, in.ID)
	if err != nil {
		return out, err
	}
	err = db.RevokeOperator(lasting(ctx), o.ID, time.Now(), entry(in.ByAuthor, in.Reason, "operator.revoke", o.Name))
	if err != nil && !errors.Is(err, controlstate.ErrChanged) { // it was revoked before
		return out, err
	}
	if o, err = db.Operator(ctx, o.ID); err != nil {
		return out, err
	}
	return showOperator(&o), nil
}
