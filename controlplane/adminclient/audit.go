package adminclient

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// AuditEntry is one change by an operator, or one try.
type AuditEntry struct {
	// ID counts up.
	ID     uint64    `json:"id"`
	Time   time.Time `json:"time"`
	Author string    `json:"author"`
	Action string    `json:"action"`
	Target string    `json:"target"`
	Reason string    `json:"reason"`
	// Detail is JSON of any form.
	Detail json.RawMessage `json:"detail"`
}

// Audit lists the audit log.
func (c *Client) Audit(ctx context.Context, page Page) ([]AuditEntry, error) {
	return listOf[AuditEntry](ctx, c, call{method: http.MethodGet, path: "audit", query: page.query()})
}
