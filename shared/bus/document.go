package bus

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/hybridinference/gateway/shared/wire"
)

// A document is sealed as
//
//	"GWS1" | u32 length of the header, big endian | header (JSON) | body (zstd)
//
// where the header holds the body's hash, so that a copy on disk or in a
// bucket can be trusted or be seen to be damaged.
const magic = "GWS1"

const (
	// MaxSealed bounds a document on the wire: far below NATS' usable sizes, far
	// above any catalog (10,000 models with five endpoints each).
	MaxSealed = 4 << 20
	// maxBody bounds what a document may unpack to.
	maxBody   = 64 << 20
	maxHeader = 4096
)

type header struct {
	V     int    `json:"v"`
	Kind  string `json:"kind"`
	Epoch uint64 `json:"epoch"`
	Gen   uint64 `json:"gen"`
	// SHA256 is the hex hash of the unpacked body, Size its length.
	SHA256 string `json:"sha256"`
	Size   int    `json:"size"`
	// SignedBy is the public key of the signature, "" for none.
	SignedBy  string `json:"signed_by,omitempty"`
	Signature string `json:"signature,omitempty"`
}

// newer orders documents of one kind.
func (h header) newer(than header) bool {
	if h.Epoch != than.Epoch {
		return h.Epoch > than.Epoch
	}
	return h.Gen > than.Gen
}

// Version returns where a sealed document stands in the order of its kind,
// without unpacking it.
func Version(doc []byte) (epoch, gen uint64, err error) {
	h, _, err := split(doc)
	if err != nil {
		return 0, 0, fmt.Errorf("read document: %w", err)
	}
	return h.Epoch, h.Gen, nil
}

// Seal packs a document, without a signature. kind is its key in the bucket.
func Seal(kind string, epoch, gen uint64, body []byte) ([]byte, error) {
	sum := sha256.Sum256(body)
	return pack(header{Kind: kind, Epoch: epoch, Gen: gen, SHA256: hex.EncodeToString(sum[:]), Size: len(body)}, body)
}

func pack(h header, body []byte) ([]byte, error) {
	if len(body) > maxBody {
		return nil, fmt.Errorf("seal %s: %d bytes, at most %d can be distributed", h.Kind, len(body), maxBody)
	}
	h.V = wire.Version
	head, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", h.Kind, err)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", h.Kind, err)
	}
	out := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(head))) //nolint:gosec // a header is small
	out = enc.EncodeAll(body, append(out, head...))
	if len(out) > MaxSealed {
		return nil, fmt.Errorf("seal %s: %d bytes packed, at most %d can be distributed", h.Kind, len(out), MaxSealed)
	}
	return out, nil
}

// Open unpacks a document and checks that it is complete and of the kind that was asked for.
func Open(kind string, doc []byte) ([]byte, error) {
	h, packed, err := split(doc)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", kind, err)
	}
	if h.Kind != kind {
		return nil, fmt.Errorf("open %s: the document is a %q", kind, h.Kind)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBody))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", kind, err)
	}
	defer dec.Close()
	body, err := dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", kind, err)
	}
	if sum := sha256.Sum256(body); len(body) != h.Size || hex.EncodeToString(sum[:]) != h.SHA256 {
		return nil, fmt.Errorf("open %s: the content does not match its hash", kind)
	}
	return body, nil
}

func split(doc []byte) (header, []byte, error) {
	var h header
	rest, ok := bytes.CutPrefix(doc, []byte(magic))
	if !ok || len(rest) < 4 || len(doc) > MaxSealed {
		return h, nil, errors.New("not a sealed document")
	}
	n := binary.BigEndian.Uint32(rest)
	rest = rest[4:]
	if n > maxHeader || int(n) > len(rest) {
		return h, nil, errors.New("truncated header")
	}
	if err := json.Unmarshal(rest[:n], &h); err != nil {
		return h, nil, fmt.Errorf("header: %w", err)
	}
	if h.V < 1 || h.V > wire.Version {
		return h, nil, fmt.Errorf("version %d, this program reads up to %d", h.V, wire.Version)
	}
	if h.Size < 0 || h.Size > maxBody {
		return h, nil, fmt.Errorf("a body of %d bytes, at most %d are accepted", h.Size, maxBody)
	}
	return h, rest[n:], nil
}
