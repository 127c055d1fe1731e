package bus

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/hybridinference/gateway/shared/secret"
)

// ErrUntrusted is wrapped by the error of Verifier.Open for a document that no
// trusted key has signed.
var ErrUntrusted = errors.New("not signed by a key of RELEASE_PUBLIC_KEY")

// encoding is that of keys and signatures in text.
func encoding() *base64.Encoding { return base64.RawURLEncoding }

// NewSigningKey makes a pair of keys: the control plane signs with the private
// one, nodes check with the public one.
func NewSigningKey() (private secret.String, public string) {
	pub, key, _ := ed25519.GenerateKey(rand.Reader) // never fails
	return secret.New(encoding().EncodeToString(key.Seed())), encoding().EncodeToString(pub)
}

// Signer signs documents. A nil Signer leaves them unsigned.
type Signer struct{ key ed25519.PrivateKey }

// NewSigner returns the signer of a private key of NewSigningKey.
func NewSigner(private secret.String) (*Signer, error) {
	seed, err := encoding().DecodeString(private.Reveal())
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.New("is not a private key: generate one with: controlplane signing-key")
	}
	return &Signer{ed25519.NewKeyFromSeed(seed)}, nil
}

// Public is the key that nodes check with.
func (s *Signer) Public() string {
	return encoding().EncodeToString(s.key.Public().(ed25519.PublicKey)) //nolint:errcheck,forcetypeassert // it is one
}

// Name is Public for messages; a nil Signer has one, too.
func (s *Signer) Name() string {
	if s == nil {
		return signerName("")
	}
	return signerName(s.Public())
}

func signerName(public string) string {
	if public == "" {
		return "no key"
	}
	return "the key " + public
}

// OtherSigner reports whether two documents are signed with different keys, and
// names that of the first. One that cannot be read has no signer.
func OtherSigner(doc, ours []byte) (name string, other bool) {
	a, _, err := split(doc)
	b, _, failed := split(ours)
	if err != nil || failed != nil || a.SignedBy == b.SignedBy {
		return "", false
	}
	return signerName(a.SignedBy), true
}

// Seal is Seal with a signature.
func (s *Signer) Seal(kind string, epoch, gen uint64, body []byte) ([]byte, error) {
	if s == nil {
		return Seal(kind, epoch, gen, body)
	}
	sum := sha256.Sum256(body)
	h := header{Kind: kind, Epoch: epoch, Gen: gen, SHA256: hex.EncodeToString(sum[:]), Size: len(body), SignedBy: s.Public()}
	h.Signature = encoding().EncodeToString(ed25519.Sign(s.key, h.signed()))
	return pack(h, body)
}

// signed is what a signature covers: all that says which document it is and
// what is in it.
func (h *header) signed() []byte {
	return fmt.Appendf(nil, "gateway document\n%s\n%d\n%d\n%s\n%d\n", h.Kind, h.Epoch, h.Gen, h.SHA256, h.Size)
}

// verify reports whether the key that the header names has signed it.
func (h *header) verify() bool {
	key, err := encoding().DecodeString(h.SignedBy)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return false
	}
	signature, err := encoding().DecodeString(h.Signature)
	return err == nil && ed25519.Verify(key, h.signed(), signature)
}

// Verifier opens documents that a trusted key has signed. A nil Verifier opens
// all, signed or not.
type Verifier struct{ keys []string }

// NewVerifier returns the verifier that trusts these public keys.
func NewVerifier(keys []string) (*Verifier, error) {
	for _, key := range keys {
		if b, err := encoding().DecodeString(key); err != nil || len(b) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%q is not a public key: `controlplane signing-key` generates a pair", key)
		}
	}
	return &Verifier{slices.Clone(keys)}, nil
}

// Open is Open for a document with a signature.
func (v *Verifier) Open(kind string, doc []byte) ([]byte, error) {
	h, _, err := split(doc)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", kind, err)
	}
	if v != nil && (!slices.Contains(v.keys, h.SignedBy) || !h.verify()) {
		return nil, fmt.Errorf("open %s: %w", kind, ErrUntrusted)
	}
	return Open(kind, doc)
}
