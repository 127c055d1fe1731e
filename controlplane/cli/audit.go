package cli

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

const defaultAudit = 50

func auditCommand() *command {
	return &command{
		name: "audit", about: "list who changed what, and why",
		examples: []string{"gatewayctl audit", "gatewayctl audit --limit 5 -o json"},
		flags:    pageFlags(defaultAudit),
		run:      audit,
	}
}

func audit(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	page, err := in.page(defaultAudit)
	if err != nil {
		return err
	}
	rows, err := client.Audit(ctx, page)
	if err != nil {
		return err
	}
	return list(in, rows, []column[adminclient.AuditEntry]{
		{name: "id", text: func(e adminclient.AuditEntry) string { return natural(e.ID) }, number: true},
		{name: "time", text: func(e adminclient.AuditEntry) string { return stamp(e.Time) }},
		{name: "author", text: func(e adminclient.AuditEntry) string { return e.Author }},
		{name: "action", text: func(e adminclient.AuditEntry) string { return e.Action }},
		{name: "target", text: func(e adminclient.AuditEntry) string { return e.Target }},
		{name: "reason", text: func(e adminclient.AuditEntry) string { return e.Reason }},
		{name: "detail", text: func(e adminclient.AuditEntry) string { return detail(e.Detail) }},
	})
}

// detail writes a text as it is and anything else as JSON on one line.
func detail(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil { // null too
		return text
	}
	var line bytes.Buffer
	if err := json.Compact(&line, raw); err != nil {
		return string(raw)
	}
	return line.String()
}
