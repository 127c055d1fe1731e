package wire

import (
	"encoding/json"
	"fmt"
	"time"
)

// LimitAlertSubject carries a LimitAlert each time that a threshold is crossed.
// Nothing stores it: who must not miss one takes the webhook or the audit log.
const LimitAlertSubject = "lim.v1.alert"

// LimitAlert says that a threshold of a limit was crossed. Amounts are exact
// decimals, in USD for budgets.
type LimitAlert struct {
	V int `json:"v"`
	// ID is the same for every delivery of the alert.
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	// Percent is the threshold.
	Percent int `json:"percent"`
	// Holder is key, user, team or gateway, HolderID which one, HolderName the
	// name of the key or the team.
	Holder     string `json:"holder"`
	HolderID   string `json:"holder_id"`
	HolderName string `json:"holder_name"`
	Kind       string `json:"kind"`
	Reset      string `json:"reset,omitempty"`
	Model      string `json:"model,omitempty"`
	Provider   string `json:"provider,omitempty"`
	Limit      string `json:"limit"`
	Used       string `json:"used"`
	// ResetsAt is when the period ends, null for never.
	ResetsAt *time.Time `json:"resets_at"`
}

// Encode returns the alert as JSON.
func (a *LimitAlert) Encode() ([]byte, error) {
	a.V = Version
	b, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("encode limit alert: %w", err)
	}
	return b, nil
}
