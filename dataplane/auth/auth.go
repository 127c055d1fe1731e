// Package auth authenticates requests. A node knows keys only by their
// HMAC: what it holds is of no use to a thief without API_KEY_SECRET.
package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
	"time"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/secret"
)

// Authenticator checks keys against the table of a snapshot.
type Authenticator struct {
	enabled bool
	macs    sync.Pool
}

// New returns an authenticator that hashes with secret. If enabled is false
// every request is an anonymous admin's.
func New(enabled bool, key secret.String) *Authenticator {
	a := &Authenticator{enabled: enabled}
	a.macs.New = func() any { return &mac{hash: hmac.New(sha256.New, []byte(key.Reveal()))} }
	return a
}

// Enabled reports whether keys are asked for.
func (a *Authenticator) Enabled() bool { return a.enabled }

// mac is a hash with room for its result; making one costs more than using it.
type mac struct {
	hash hash.Hash
	sum  [sha256.Size]byte
}

// Reason why a request was refused.
type Reason uint8

// The reasons; OK is none.
const (
	OK Reason = iota
	Missing
	Invalid
)

// Check returns the key of a request from its Authorization and X-API-Key
// headers. Bearer wins when both are there.
func (a *Authenticator) Check(keys *snapshot.Keys, authorization, apiKey []byte) (*snapshot.Key, Reason) {
	if !a.enabled {
		return keys.Anyone(), OK
	}
	if token, ok := bearer(authorization); ok {
		apiKey = token
	}
	if len(apiKey) == 0 {
		return nil, Missing
	}
	m := a.macs.Get().(*mac) //nolint:errcheck // the pool holds nothing else
	m.hash.Reset()
	_, _ = m.hash.Write(apiKey) // a hash never fails
	m.hash.Sum(m.sum[:0])
	key := keys.Find(&m.sum, time.Now())
	a.macs.Put(m)
	if key == nil {
		return nil, Invalid
	}
	return key, OK
}

func bearer(header []byte) ([]byte, bool) {
	const scheme = "bearer "
	if len(header) <= len(scheme) || !bytes.EqualFold(header[:len(scheme)], []byte(scheme)) {
		return nil, false
	}
	return bytes.TrimSpace(header[len(scheme):]), true
}
