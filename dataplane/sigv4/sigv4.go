// Package sigv4 signs calls with the access keys of AWS.
package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

// Signer signs for one service in one region. It is used concurrently.
type Signer struct {
	keys            aws.Credentials
	service, region string
	signer          *v4.Signer
}

// New returns the signer for an access key: its id, its secret and, for
// temporary ones, its session token, with colons between them.
func New(secret, service, region string) (*Signer, error) {
	k, err := parse(secret)
	if err != nil {
		return nil, err
	}
	if region == "" {
		return nil, errors.New("an access key needs the route's region, which the base_url does not tell")
	}
	return &Signer{keys: k, service: service, region: region, signer: v4.NewSigner()}, nil
}

// NewAmbient returns a signer without a key of its own, for SignWith.
func NewAmbient(service, region string) *Signer {
	return &Signer{service: service, region: region, signer: v4.NewSigner()}
}

func parse(secret string) (k aws.Credentials, err error) {
	parts := strings.SplitN(strings.TrimSpace(secret), ":", 3)
	if len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return k, errors.New("must be ACCESS_KEY_ID:SECRET_ACCESS_KEY, with :SESSION_TOKEN for a temporary one")
	}
	k = aws.Credentials{AccessKeyID: parts[0], SecretAccessKey: parts[1]}
	if len(parts) == 3 {
		k.SessionToken = parts[2]
	}
	return k, nil
}

// SignWith signs with another key, in the form that New takes.
func (s *Signer) SignWith(key string, call *codec.Call, now time.Time) error {
	k, err := parse(key)
	if err != nil {
		return &fault.Error{Kind: fault.Unavailable, Message: "The request cannot be signed", Err: err}
	}
	return s.sign(k, call, now)
}

// Sign adds the signature's headers to the call, in place of those of an earlier
// one. The error is a *fault.Error.
func (s *Signer) Sign(call *codec.Call, now time.Time) error { return s.sign(s.keys, call, now) }

func (s *Signer) sign(k aws.Credentials, call *codec.Call, now time.Time) error {
	req, err := http.NewRequest(http.MethodPost, call.URL, http.NoBody) //nolint:noctx // it is signed, not sent
	if err != nil {
		return &fault.Error{Kind: fault.Unavailable, Message: "The upstream's address cannot be signed", Err: err}
	}
	sum := sha256.Sum256(call.Body)
	if err := s.signer.SignHTTP(context.Background(), k, req, hex.EncodeToString(sum[:]), s.service, s.region, now); err != nil { //nolint:forbidigo // computes only
		return &fault.Error{Kind: fault.Unavailable, Message: "The request cannot be signed", Err: fmt.Errorf("sign: %w", err)}
	}
	headers := make([]codec.Header, 0, 3)
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		if value := req.Header.Get(name); value != "" {
			headers = append(headers, codec.Header{Name: name, Value: value})
		}
	}
	call.Override(headers)
	return nil
}

// Secrets are the parts of the key that no one may be shown.
func (s *Signer) Secrets() []string { return []string{s.keys.SecretAccessKey, s.keys.SessionToken} }
