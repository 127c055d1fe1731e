package snapshot

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/sigv4"
	"github.com/hybridinference/gateway/dataplane/token"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/secret"
)

// Credential authorizes the calls of an endpoint: by a header that stays, or
// by an access token that is kept fresh.
type Credential struct {
	header codec.Header
	tokens *token.Source
	// signer signs each call, nil for none. With tokens it signs with the keys
	// that they are.
	signer *sigv4.Signer
	// State outlives the snapshot.
	State *upstream.Key
}

// Header returns the header to send. It waits for a token only if there is no
// valid one. The error is a *fault.Error.
func (c *Credential) Header(ctx context.Context) (codec.Header, error) {
	if c.tokens == nil {
		return c.header, nil
	}
	text, err := c.tokens.Token(ctx)
	if err != nil {
		return codec.Header{}, err
	}
	if c.signer != nil {
		return codec.Header{Value: text}, nil
	}
	return codec.Header{Name: "Authorization", Value: bearer + text}, nil
}

// HeaderSecrets returns what in a result of Header no one may be shown.
func HeaderSecrets(h codec.Header) []string {
	if h.Name == "" { // ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]
		return strings.SplitN(h.Value, ":", 3)[1:]
	}
	return []string{strings.TrimPrefix(h.Value, bearer)}
}

// Sign adds a signature to a call where the secret is a key for that; auth is
// what Header returned, which without a name is for Sign only. The error is a
// *fault.Error.
func (c *Credential) Sign(call *codec.Call, auth codec.Header, now time.Time) error {
	switch {
	case c.signer == nil:
		return nil
	case c.tokens == nil:
		return c.signer.Sign(call, now)
	}
	return c.signer.SignWith(auth.Value, call, now)
}

const bearer = "Bearer "

// Refused takes note of an upstream's status for a header of this credential:
// 401, of AWS 403. It reports whether another one may do.
func (c *Credential) Refused(status int, h codec.Header) bool {
	refusal := http.StatusUnauthorized
	if c.signer != nil {
		refusal = http.StatusForbidden
	}
	token := strings.TrimPrefix(h.Value, bearer)
	return c.tokens != nil && status == refusal && token != "" && c.tokens.Invalidate(token)
}

// credential makes the credential of one of an endpoint's secrets; "" is none.
func (b *Builder) credential(e *Endpoint, text string) (*Credential, error) {
	if signed, ok := e.Adapter.(codec.Signed); ok {
		if service, region, ok := signed.Signs(text); ok {
			return b.signing(e, text, service, region)
		}
	}
	entra := e.Source.TakesEntraTokens(text)
	switch {
	case entra, e.Source.TakesGoogleTokens(e.BaseURL):
		s, err := b.source(text, token.Options{Secret: secret.New(text), Entra: entra, Variable: b.Secret})
		return &Credential{tokens: s}, err
	case text == "":
		return &Credential{}, nil
	}
	return &Credential{header: e.Adapter.Authorize(text)}, nil
}

// signing makes a credential that signs: with the access key in text, without
// one with those that this machine has.
func (b *Builder) signing(e *Endpoint, text, service, region string) (*Credential, error) {
	if text == "" {
		s, err := b.source("aws "+region, token.Options{Region: region})
		return &Credential{tokens: s, signer: sigv4.NewAmbient(service, region)}, err
	}
	s, err := sigv4.New(text, service, region)
	if err != nil {
		return nil, err
	}
	e.Hidden = append(e.Hidden, s.Secrets()...)
	return &Credential{signer: s}, nil
}

// source returns the source of a name, which lives as long as the process: the
// next release finds its token.
func (b *Builder) source(name string, o token.Options) (*token.Source, error) {
	if s := b.tokens[name]; s != nil {
		return s, nil
	}
	o.Log = b.Log
	s, err := token.New(context.Background(), o) //nolint:forbidigo // see above
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	if b.tokens == nil {
		b.tokens = map[string]*token.Source{}
	}
	b.tokens[name] = s
	return s, nil
}
