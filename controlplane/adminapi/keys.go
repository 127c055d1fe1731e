package adminapi

import (
	"net/http"
	"time"
)

// ListKeys lists keys.
func ListKeys() Operation[KeyPage, []Key] {
	return get[KeyPage, []Key]("/admin/keys", tagKeys, "API keys, newest first, without their text")
}

// CreateKey makes a key.
func CreateKey() Operation[KeyCreation, NewKey] {
	return post[KeyCreation, NewKey]("/admin/keys", tagKeys, "Create a key; its text is shown only once").created()
}

// ImportKeys stores keys by their hashes.
func ImportKeys() Operation[KeyImport, ImportResult] {
	return post[KeyImport, ImportResult]("/admin/keys/import", tagKeys, "Import keys by their hashes, all or none").large()
}

// GetKey returns one key.
func GetKey() Operation[ByID, Key] {
	return get[ByID, Key]("/admin/keys/{id}", tagKeys, "One key")
}

// ChangeKey changes a key.
func ChangeKey() Operation[KeyPatch, UpdatedKey] {
	return operation[KeyPatch, UpdatedKey](http.MethodPatch, "/admin/keys/{id}", tagKeys, "Change a key")
}

// RevokeKey ends a key.
func RevokeKey() Operation[KeyRevocation, RevokedKey] {
	return operation[KeyRevocation, RevokedKey](http.MethodDelete, "/admin/keys/{id}", tagKeys, "Revoke a key on all nodes; repeating it is fine")
}

// RotateKey makes a key in the place of another one.
func RotateKey() Operation[KeyRotation, RotatedKey] {
	return post[KeyRotation, RotatedKey]("/admin/keys/{id}/rotate", tagKeys, "Rotate a key: create one that replaces it").created()
}

// KeysPage is how many keys a page holds at most.
const KeysPage = 1000

// KeyPage is a part of the list of keys.
type KeyPage struct {
	Limit int    `json:"-" query:"limit" min:"1" max:"1000" default:"1000"`
	After string `json:"-" query:"after" doc:"the id of the last key of the previous page"`
}

// Key is an API key without its text.
type Key struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	User string `json:"user"`
	Role string `json:"role" enum:"free,pro,internal,admin,management"`
	// Models are the only ones allowed; none means all that the role may use.
	Models   []string   `json:"models"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires"`
	Revoked  *time.Time `json:"revoked"`
	Prefix   string     `json:"prefix" doc:"the beginning of the key, to recognize it by"`
	Team     string     `json:"team,omitempty" doc:"the id of the key's own team; absent for that of its user"`
	Limits   []Limit    `json:"limits,omitempty" doc:"those of the key alone"`
	Priority int        `json:"priority,omitempty" min:"-1000" max:"1000" doc:"the requests of a higher priority go first in the queues of models"`
	// Disabled keys are refused, and can be enabled again.
	Disabled bool `json:"disabled,omitempty"`
	// LastUsed and Spent are the request log's; Spent is nil where it is not
	// asked or does not answer.
	LastUsed *time.Time `json:"last_used,omitempty" doc:"the last request; absent if there was none"`
	Spent    *Spent     `json:"spent,omitempty" doc:"absent if the request log is unavailable"`
}

// Spent is what a key has cost, exact decimals in USD. Days, weeks (from
// Monday) and months are UTC's.
type Spent struct {
	Total string `json:"total"`
	Day   string `json:"day"`
	Week  string `json:"week"`
	Month string `json:"month"`
}

// KeyChange holds the fields that every change of keys takes.
type KeyChange struct {
	ByAuthor
	Reason string `json:"reason,omitempty" maxlen:"1000" doc:"for the audit log"`
	// WaitMS is how long the daemon waits for all live nodes, nil for its default.
	WaitMS *int64 `json:"wait_ms,omitempty" min:"0" max:"600000" doc:"how long to wait for all live nodes"`
}

// WaitOr is WaitMS as a duration, def for nil.
func (c KeyChange) WaitOr(def time.Duration) time.Duration {
	if c.WaitMS == nil {
		return def
	}
	return time.Duration(*c.WaitMS) * time.Millisecond
}

// Wait is the time to wait for nodes that was asked for, 0 without one.
func (c KeyChange) Wait() time.Duration { return c.WaitOr(0) }

// Idempotency keeps a request that is sent again from taking effect twice.
type Idempotency struct {
	IdempotencyKey string `json:"-" header:"Idempotency-Key" maxlen:"200" doc:"a second request under the same value makes no second API key, and is a 409 with the id of the first"`
}

// KeySpec is a key to be made.
type KeySpec struct {
	Name string `json:"name" maxlen:"200"`
	// User is Name if empty, Role the least one.
	User     string   `json:"user,omitempty" maxlen:"200" doc:"by default the name"`
	Role     string   `json:"role,omitempty" doc:"free, pro, internal, admin or management; by default free"`
	Models   []string `json:"models,omitempty" doc:"the only models allowed; none means all that the role may use"`
	Expires  string   `json:"expires,omitempty" doc:"a time such as 2030-01-31T00:00:00Z, a duration such as 720h or 30d, or never"`
	Team     string   `json:"team,omitempty" maxlen:"200" doc:"a team's id or name; by default that of the user"`
	Limits   []Limit  `json:"limits,omitempty"`
	Priority int      `json:"priority,omitempty" min:"-1000" max:"1000" doc:"the requests of a higher priority go first in the queues of models; by default 0"`
}

// KeyCreation makes a key.
type KeyCreation struct {
	KeySpec
	KeyChange
	Idempotency
}

// NewKey is a key that was just made. Its text is known here and never again.
type NewKey struct {
	Plaintext string `json:"key" doc:"the key's text"`
	Key
	Nodes []NodeResult `json:"nodes"`
}

// KeyUpdate is what to change of a key; nil leaves a part as it is.
type KeyUpdate struct {
	Name     *string   `json:"name,omitempty" maxlen:"200"`
	User     *string   `json:"user,omitempty" maxlen:"200"`
	Role     *string   `json:"role,omitempty" doc:"free, pro, internal, admin or management"`
	Models   *[]string `json:"models,omitempty" doc:"the only models allowed; none means all that the role may use"`
	Expires  *string   `json:"expires,omitempty" doc:"a time such as 2030-01-31T00:00:00Z, a duration such as 720h or 30d, or never"`
	Team     *string   `json:"team,omitempty" maxlen:"200" doc:"a team's id or name; empty for that of the user"`
	Limits   []Limit   `json:"limits,omitempty" doc:"limits to set; the key's others stay"`
	Priority *int      `json:"priority,omitempty" min:"-1000" max:"1000" doc:"the requests of a higher priority go first in the queues of models"`
	// Disabled keys are refused by all nodes until they are enabled.
	Disabled *bool `json:"disabled,omitempty" doc:"true refuses the key on all nodes until it is enabled again with false"`
}

// KeyPatch changes a key.
type KeyPatch struct {
	ByID
	KeyUpdate
	KeyChange
}

// UpdatedKey is a key after a change, and what the nodes did with it.
type UpdatedKey struct {
	Key
	Nodes []NodeResult `json:"nodes"`
}

// KeyRevocation ends a key.
type KeyRevocation struct {
	ByID
	KeyChange
}

// RevokedKey is a key that was revoked.
type RevokedKey struct {
	ID      string       `json:"id"`
	Revoked time.Time    `json:"revoked"`
	Nodes   []NodeResult `json:"nodes"`
}

// KeyRotation makes a key like another one, which ends after Overlap.
type KeyRotation struct {
	ByID
	KeyChange
	Idempotency
	Overlap string `json:"overlap,omitempty" doc:"how long the old key still works, from 0s to 90d; by default 24h"`
}

// RotatedKey is a key that replaces another one.
type RotatedKey struct {
	NewKey
	// Replaces is the old key, with the moment at which it ends.
	Replaces Key `json:"replaces"`
}

// KeyImport stores up to 5,000 keys, all or none.
type KeyImport struct {
	KeyChange
	Keys []ImportedKey `json:"keys" doc:"1 to 5000"`
}

// ImportedKey is a key that is known by its hash.
type ImportedKey struct {
	Hash    string   `json:"hash" doc:"HMAC-SHA256(key, API_KEY_SECRET), 64 hex digits"`
	Prefix  string   `json:"prefix,omitempty" doc:"the beginning of the key, to recognize it by"`
	Name    string   `json:"name,omitempty"`
	User    string   `json:"user,omitempty"`
	Role    string   `json:"role,omitempty" doc:"free, pro, internal, admin or management; by default free"`
	Models  []string `json:"models,omitempty"`
	Expires string   `json:"expires,omitempty" doc:"a time such as 2030-01-31T00:00:00Z, a duration such as 720h or 30d, or never"`
}

// ImportResult is what became of imported keys.
type ImportResult struct {
	Imported int          `json:"imported" doc:"keys that are new"`
	Known    int          `json:"known" doc:"keys that already exist and are left unchanged"`
	Nodes    []NodeResult `json:"nodes"`
}
