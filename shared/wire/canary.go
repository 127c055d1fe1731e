package wire

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Canary is a release that some nodes serve before all others. It is a document
// of its own, so that programs that do not know of it never take it. Its number is the one after the
// current release's: the release of that number, or of a later one, ends it.
type Canary struct {
	V int `json:"v"`
	// Nodes are those that it is for, by name. Others leave it alone, whatever a
	// beat says.
	Nodes []string `json:"nodes"`
	// Release is a Release as it is encoded.
	Release json.RawMessage `json:"release"`
}

// For reports whether the canary is for a node.
func (c *Canary) For(node string) bool { return slices.Contains(c.Nodes, node) }

// EncodeCanary returns the document that gives nodes a release first.
func EncodeCanary(r *Release, nodes []string) ([]byte, error) {
	body, err := r.Encode()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(Canary{V: Version, Nodes: nodes, Release: body})
	if err != nil {
		return nil, fmt.Errorf("encode canary %d: %w", r.Number, err)
	}
	return b, nil
}

// DecodeCanary reads a canary, but not its release.
func DecodeCanary(b []byte) (*Canary, error) {
	c := new(Canary)
	if err := decode(b, c, &c.V); err != nil {
		return nil, fmt.Errorf("canary: %w", err)
	}
	return c, nil
}

// CanaryNotice announces a canary in a Beat.
type CanaryNotice struct {
	Number uint64 `json:"number"`
	// Hash begins the release's.
	Hash  string   `json:"hash"`
	Nodes []string `json:"nodes"`
}

// CanaryStatus is what a node says of the canary that was announced to it last.
type CanaryStatus struct {
	// Number is 0 if there is none.
	Number uint64 `json:"number,omitempty"`
	Hash   string `json:"hash,omitempty"`
	// State is applied while the node serves it, and rejected with a Reason.
	State  string `json:"state,omitempty"`
	Reason string `json:"reason,omitempty"`
}
