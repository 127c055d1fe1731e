package wire

import (
	"encoding/json"
	"fmt"
)

// KeyTable is every API key that nodes accept. It travels like a release but
// by itself, so that a revocation does not wait for a release.
type KeyTable struct {
	V       int    `json:"v"`
	Epoch   uint64 `json:"epoch"`
	Version uint64 `json:"version"`
	Keys    []Key  `json:"keys"`
	// Users are the limits of users, by their names, which hold for all of a
	// user's keys together.
	Users map[string][]Limit `json:"users,omitempty"`
	// Teams are all teams.
	Teams []Team `json:"teams,omitempty"`
	// Gateway are the limits of everything that nodes serve.
	Gateway []Limit `json:"gateway,omitempty"`
}

// Team is a group of keys as nodes know it.
type Team struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Models are the only models allowed to the team's keys, whatever the keys
	// themselves say; empty means no restriction.
	Models []string `json:"models,omitempty"`
	Limits []Limit  `json:"limits,omitempty"`
}

// Key is one API key as nodes know it. The key itself is nowhere but with its user.
type Key struct {
	ID string `json:"id"`
	// Hash is HMAC-SHA256(key, API_KEY_SECRET) in hex.
	Hash string `json:"hash"`
	Name string `json:"name"`
	User string `json:"user"`
	// Role is free, pro, internal or admin.
	Role string `json:"role"`
	// Models are the only models allowed; empty means all that the role may use.
	Models []string `json:"models,omitempty"`
	// Expires in seconds since 1970, 0 for never.
	Expires int64 `json:"expires,omitempty"`
	// Team is the id of the team to which the key belongs, itself or through its
	// user; "" for none.
	Team   string  `json:"team,omitempty"`
	Limits []Limit `json:"limits,omitempty"`
	// Priority says whose requests go first in the queues of models: those of the
	// higher one.
	Priority int `json:"priority,omitempty"`
}

// Encode returns the table as JSON.
func (t *KeyTable) Encode() ([]byte, error) {
	t.V = Version
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encode key table %d: %w", t.Version, err)
	}
	return b, nil
}

// DecodeKeyTable reads a key table.
func DecodeKeyTable(b []byte) (*KeyTable, error) {
	t := new(KeyTable)
	if err := decode(b, t, &t.V); err != nil {
		return nil, fmt.Errorf("key table: %w", err)
	}
	return t, nil
}
