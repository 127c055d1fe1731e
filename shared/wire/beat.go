package wire

import (
	"encoding/json"
	"fmt"
)

// Beat announces which documents are current. It is small and sent whether or
// not anything changed: a node that missed one change learns of it a second later.
type Beat struct {
	V     int    `json:"v"`
	Epoch uint64 `json:"epoch"`
	// Release and Keys are the current Release.Number and KeyTable.Version.
	Release uint64 `json:"release"`
	Keys    uint64 `json:"keys"`
	// Hash begins the Release's: a number that a node has refused may have
	// another content by now.
	Hash string `json:"hash,omitempty"`
	// Table is the sealed document of a key table that has just changed, if it is
	// small: nodes need not fetch it.
	Table []byte `json:"table,omitempty"`
	// Time of sending, milliseconds since 1970.
	Time int64 `json:"time_ms"`
	// Canary is a release that some nodes are to serve first, nil for none.
	Canary *CanaryNotice `json:"canary,omitempty"`
	// Watch are models, by id, whose endpoints' counts the nodes are to report.
	Watch []string `json:"watch,omitempty"`
}

// Encode returns the beat as JSON.
func (b *Beat) Encode() ([]byte, error) {
	b.V = Version
	out, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("encode beat: %w", err)
	}
	return out, nil
}

// DecodeBeat reads a beat.
func DecodeBeat(data []byte) (Beat, error) {
	var b Beat
	if err := decode(data, &b, &b.V); err != nil {
		return Beat{}, fmt.Errorf("beat: %w", err)
	}
	return b, nil
}
