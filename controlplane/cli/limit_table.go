package cli

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/shared/wire"
)

// limitText is such as "600", or "$50 per month for model demo".
func limitText(l adminapi.Limit) string {
	text := l.Value
	if l.Kind == wire.LimitBudget {
		text = "$" + text
	}
	return text + (&wire.Limit{Reset: l.Reset, Model: l.Model, Provider: l.Provider}).Name()
}

// limitColumns are those of limits show; nodes is for those of one holder.
func limitColumns(nodes bool) []column[adminapi.HeldLimit] {
	type row = adminapi.HeldLimit
	columns := []column[row]{
		{name: "holder", text: func(l row) string { return l.Holder }},
		{name: "id", spare: true, text: func(l row) string { return l.ID }},
		{name: "name", text: func(l row) string { return l.Name }},
		{name: "kind", text: func(l row) string { return l.Kind }},
		{name: "value", text: func(l row) string { return l.Value }, number: true},
		{name: "reset", spare: true, text: func(l row) string { return l.Reset }},
		{name: "model", spare: true, text: func(l row) string { return cmp.Or(l.Model, "all") }},
		{name: "provider", spare: true, text: func(l row) string { return cmp.Or(l.Provider, "all") }},
		{name: "state", text: limitState, tint: limitTint},
		{name: "used", text: func(l row) string { return l.Used }, number: true},
		{name: "leased", spare: true, text: func(l row) string { return l.Leased }, number: true},
		{name: "left", text: func(l row) string { return l.Left }, number: true},
		{name: "refused", spare: true, text: func(l row) string { return strconv.FormatInt(l.Refused, 10) }, number: true},
		{name: "alert", spare: true, text: limitAlert, tint: func(adminapi.HeldLimit) tint { return doubt }},
		{name: "resets_at", spare: true, text: func(l row) string { return moment(l.ResetsAt) }},
	}
	if nodes {
		columns = append(columns, column[row]{name: "nodes", head: "USED+LEASED BY NODE", text: limitNodes})
	}
	return columns
}

// limitState is a limit's state; in an outage, also what nodes do.
func limitState(l adminapi.HeldLimit) string {
	if l.State != adminapi.LimitOutage {
		return l.State
	}
	return l.State + ": " + (&wire.Limit{Kind: l.Kind, OnOutage: l.OnOutage}).Outage()
}

func limitTint(l adminapi.HeldLimit) tint {
	switch l.State {
	case adminapi.LimitOK:
		return good
	case adminapi.LimitSpent, adminapi.LimitOutage:
		return bad
	default:
		return doubt
	}
}

// limitAlert is such as "80%", with what is wrong with its delivery.
func limitAlert(l adminapi.HeldLimit) string {
	if l.Alert == nil {
		return ""
	}
	text := strconv.Itoa(l.Alert.Percent) + "%"
	if l.Alert.Delivery == "pending" || l.Alert.Delivery == "failed" {
		text += " (webhook " + l.Alert.Delivery + ")"
	}
	return text
}

// limitNodes is such as "node-1 120+40, node-2 7+0".
func limitNodes(l adminapi.HeldLimit) string {
	return strings.Join(each(l.Nodes, func(n adminapi.NodeLimit) string { return n.Node + " " + n.Used + "+" + n.Leased }), ", ")
}

// limitOutcome is what the table shows of a holder after a change.
func limitOutcome(out adminapi.ChangedLimits) keyOutcome {
	o := keyOutcome{nodes: out.Nodes}
	for _, l := range out.Limits {
		f := field{name: l.Kind, text: limitText(l.Limit)}
		if l.State == adminapi.LimitSpent {
			f.text += ": spent, requests are refused"
			if l.ResetsAt != nil {
				f.text += " until " + moment(l.ResetsAt)
			}
			f.tint = bad
		}
		o.fields = append(o.fields, f)
	}
	if len(o.fields) == 0 {
		o.fields = []field{{name: "limits", text: "none"}}
	}
	return o
}
