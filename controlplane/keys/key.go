// Package keys makes API keys and checks what operators want of them. A key is
// shown once, when it is made; everywhere else there is only its hash.
package keys

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/hybridinference/gateway/shared/secret"
)

const (
	// mark begins every key, so that leaked ones can be searched for.
	mark        = "hyi-"
	randomBytes = 32
	prefixLen   = 12
)

// Key is a new key in the clear.
type Key struct {
	Plaintext secret.String
	// Prefix is its beginning, by which its owner recognizes it.
	Prefix string
	// Hash is HMAC-SHA256(plaintext, secret) in hex: what nodes compare with.
	Hash string
}

// Generate makes a key. hashSecret is API_KEY_SECRET.
func Generate(hashSecret secret.String) Key {
	raw := make([]byte, randomBytes)
	rand.Read(raw) // ends the process rather than fail
	text := mark + base64.RawURLEncoding.EncodeToString(raw)
	return Key{Plaintext: secret.New(text), Prefix: text[:prefixLen], Hash: Hash(hashSecret, text)}
}

// Hash returns what nodes know of a key, in hex.
func Hash(hashSecret secret.String, plaintext string) string {
	mac := hmac.New(sha256.New, []byte(hashSecret.Reveal()))
	mac.Write([]byte(plaintext))
	return hex.EncodeToString(mac.Sum(nil))
}

// IDFor returns the id that a request under this idempotency key gets, so that
// a repetition meets the key that it has made.
func IDFor(hashSecret secret.String, idempotencyKey string) string {
	mac := hmac.New(sha256.New, []byte(hashSecret.Reveal()))
	mac.Write([]byte("key id for\x00" + idempotencyKey))
	return "k_" + strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil))[:12])
}

// NewID returns an id for a key: "k_" and 12 letters and digits.
func NewID() string { return "k_" + strings.ToLower(rand.Text()[:12]) }

// NewTeamID returns an id for a team: "t_" and 12 letters and digits.
func NewTeamID() string { return "t_" + strings.ToLower(rand.Text()[:12]) }
