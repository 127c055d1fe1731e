package cli

import (
	"bytes"
	"context"
	"encoding/json"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

const defaultAudit = 50

func auditCommand() *urfave.Command {
	return &urfave.Command{
		Name: "audit", Usage: "list changes: who made them, when and why",
		Description: help("", "gatewayctl audit", "gatewayctl audit --limit 5 -o json", "gatewayctl audit --since 7d"),
		Flags:       append(pageFlags(defaultAudit), spanFlags("the beginning")...),
		Action:      run(audit),
	}
}

func audit(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := client.Audit(ctx, adminapi.AuditQuery{Page: in.page(defaultAudit), Since: valueOf(in, "since", ""), Until: valueOf(in, "until", "")})
	if err != nil {
		return err
	}
	return list(in, rows, []column[adminapi.AuditEntry]{
		{name: "id", spare: true, text: func(e adminapi.AuditEntry) string { return natural(e.ID) }, number: true},
		{name: "time", text: func(e adminapi.AuditEntry) string { return stamp(e.Time) }},
		{name: "author", text: func(e adminapi.AuditEntry) string { return e.Author }},
		{name: "action", text: func(e adminapi.AuditEntry) string { return e.Action }},
		{name: "target", text: func(e adminapi.AuditEntry) string { return e.Target }},
		{name: "reason", text: func(e adminapi.AuditEntry) string { return e.Reason }},
		{name: "detail", spare: true, text: func(e adminapi.AuditEntry) string { return detail(e.Detail) }},
	})
}

// detail writes a text unchanged and anything else as JSON on one line.
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
