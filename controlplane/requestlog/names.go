package requestlog

import (
	"cmp"
	"slices"
)

// Names are what requests are counted by, and selected by: as filters "" selects
// all.
type Names struct {
	Model    string `json:"model,omitempty"`
	Provider string `json:"provider,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	Node     string `json:"node,omitempty"`
	Key      string `json:"key,omitempty"`
	User     string `json:"user,omitempty"`
	Team     string `json:"team,omitempty"`
}

// UsageBy are the columns that usage can be summed up by.
func UsageBy() []string {
	return []string{"model", "provider", "endpoint", "node", "key", "user", "team"}
}

// field returns the field of a name of UsageBy, nil for any other.
func (n *Names) field(by string) *string {
	switch by {
	case "model":
		return &n.Model
	case "provider":
		return &n.Provider
	case "endpoint":
		return &n.Endpoint
	case "node":
		return &n.Node
	case "key":
		return &n.Key
	case "user":
		return &n.User
	case "team":
		return &n.Team
	}
	return nil
}

// dimension returns the one of UsageBy that figures by some of them, "" ignored, are about: that which is asked
// for or selected, of nothing any; false if there are several.
func (n *Names) dimension(by ...string) (string, bool) {
	found := ""
	for _, name := range UsageBy() {
		if *n.field(name) == "" && !slices.Contains(by, name) {
			continue
		}
		if found != "" {
			return "", false
		}
		found = name
	}
	return cmp.Or(found, "provider"), true // there are few of them
}

// conditions compares the names that are set with a table's columns.
func (n *Names) conditions(q *question, column func(by string) string) (list []string) {
	for _, by := range UsageBy() {
		if value := *n.field(by); value != "" {
			list = append(list, column(by)+" = "+q.param(value))
		}
	}
	return list
}

// usageColumn is the column of api_usage, logColumn the same of a row, and
// searchColumn what the log is searched by: the model as the client wrote it.
func usageColumn(by string) string {
	switch by {
	case "key", "user", "team":
		return by + "_id"
	default:
		return by
	}
}

func logColumn(by string) string {
	switch by {
	case "model":
		return "coalesce(model, '" + UnknownModel + "')"
	case "provider":
		return by
	default:
		return "coalesce(" + usageColumn(by) + ", '')"
	}
}

func searchColumn(by string) string {
	if by == "model" {
		return "model_id"
	}
	return usageColumn(by)
}
