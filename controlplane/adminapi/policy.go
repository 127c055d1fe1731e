package adminapi

import "net/http"

// ListPolicies lists how the endpoints of models are chosen.
func ListPolicies() Operation[OfModel, []Policy] {
	return get[OfModel, []Policy]("/admin/policies", tagTraffic, "The routing policy and affinity of each model")
}

// SetPolicy overrides the policy or affinity of a model.
func SetPolicy() Operation[PolicyChange, Rollout] {
	return operation[PolicyChange, Rollout](http.MethodPut, "/admin/policies", tagTraffic, "Override the routing policy or affinity of a model")
}

// ResetPolicy drops overrides.
func ResetPolicy() Operation[PolicyReset, Rollout] {
	return operation[PolicyReset, Rollout](http.MethodDelete, "/admin/policies", tagTraffic, "Return to the routing policies of the files")
}

// Policy is how the endpoints of a model are chosen.
type Policy struct {
	Model    string `json:"model"`
	Policy   string `json:"policy" enum:"weighted,priority,least_busy,latency,cost"`
	Affinity string `json:"affinity" enum:"prefix,session,none"`
	// ConfiguredPolicy and ConfiguredAffinity are those of the files, with their
	// defaults.
	ConfiguredPolicy   string `json:"configured_policy" enum:"weighted,priority,least_busy,latency,cost"`
	ConfiguredAffinity string `json:"configured_affinity" enum:"prefix,session,none"`
	Override           bool   `json:"override"`
}

// PolicyChange sets the policy of a model, its affinity or both.
type PolicyChange struct {
	Change
	Model    string `json:"model"`
	Policy   string `json:"policy,omitempty" doc:"weighted, priority, least_busy, latency or cost; unchanged without it"`
	Affinity string `json:"affinity,omitempty" doc:"prefix, session or none; unchanged without it"`
}

// PolicyReset drops the overrides of one model, or of all for "".
type PolicyReset struct {
	Change
	Model string `json:"model,omitempty" query:"model" doc:"id or alias of a model; all without it"`
}
