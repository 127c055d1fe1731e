package snapshot

import (
	"context"
	"fmt"
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
	// signer signs each call, nil for none.
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
	return codec.Header{Name: "Authorization", Value: bearer + text}, nil
}

// Sign adds a signature to a call where the secret is a key for that. The error
// is a *fault.Error.
func (c *Credential) Sign(call *codec.Call, now time.Time) error {
	if c.signer == nil {
		return nil
	}
	return c.signer.Sign(call, now)
}

const bearer = "Bearer "

// Refused takes note that the upstream answered 401 to a header of this
// credential. It reports whether another one may do.
func (c *Credential) Refused(h codec.Header) bool {
	return c.tokens != nil && len(h.Value) > len(bearer) && c.tokens.Invalidate(h.Value[len(bearer):])
}

// credential makes the credential of one of an endpoint's secrets; "" is none.
func (b *Builder) credential(e *Endpoint, text string) (*Credential, error) {
	entra := e.Source.Kind == "azure" && strings.HasPrefix(strings.TrimSpace(text), "{") // an application's JSON, not a key
	if !entra && !e.Source.TakesGoogleTokens(e.BaseURL) {
		if text == "" {
			return &Credential{}, nil
		}
		if signed, ok := e.Adapter.(codec.Signed); ok {
			if service, region, ok := signed.Signs(text); ok {
				s, err := sigv4.New(text, service, region)
				if err != nil {
					return nil, err
				}
				e.Hidden = append(e.Hidden, s.Secrets()...)
				return &Credential{signer: s}, nil
			}
		}
		return &Credential{header: e.Adapter.Authorize(text)}, nil
	}
	if s := b.tokens[text]; s != nil {
		return &Credential{tokens: s}, nil
	}
	// A source lives as long as the process: the next release finds its token.
	s, err := token.New(context.Background(), token.Options{Secret: secret.New(text), Entra: entra, Log: b.Log}) //nolint:forbidigo // see above
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	if b.tokens == nil {
		b.tokens = map[string]*token.Source{}
	}
	b.tokens[text] = s
	return &Credential{tokens: s}, nil
}
