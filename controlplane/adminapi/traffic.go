package adminapi

import (
	"encoding/json"
	"net/http"

	"github.com/hybridinference/gateway/shared/wire"
)

// GetRouting lists the endpoints by model.
func GetRouting() Operation[None, Routing] {
	return get[None, Routing]("/admin/routing", tagTraffic, "The endpoints of each model")
}

// ListModels lists the models in service.
func ListModels() Operation[None, []Model] {
	return get[None, []Model]("/admin/models", tagTraffic, "Models in service")
}

// ListEndpoints lists the endpoints with their state.
func ListEndpoints() Operation[EndpointQuery, []Endpoint] {
	return get[EndpointQuery, []Endpoint]("/admin/endpoints", tagTraffic, "Endpoints with their state over the live nodes")
}

// DisableEndpoints takes endpoints out of service.
func DisableEndpoints() Operation[EndpointSwitch, Rollout] {
	return post[EndpointSwitch, Rollout]("/admin/endpoints/disable", tagTraffic, "Take endpoints out of service")
}

// EnableEndpoints puts endpoints back into service.
func EnableEndpoints() Operation[EndpointSwitch, Rollout] {
	return post[EndpointSwitch, Rollout]("/admin/endpoints/enable", tagTraffic, "Put endpoints back into service")
}

// Explain asks a node what it would do with a request.
func Explain() Operation[Question, wire.Explanation] {
	return post[Question, wire.Explanation]("/admin/explain", tagTraffic, "Which endpoints a request would be sent to").forRole(RoleViewer)
}

// ListWeights lists the weights.
func ListWeights() Operation[OfModel, []Weight] {
	return get[OfModel, []Weight]("/admin/weights", tagTraffic, "The weight of each endpoint")
}

// SetWeights overrides configured weights.
func SetWeights() Operation[WeightChange, Rollout] {
	return operation[WeightChange, Rollout](http.MethodPut, "/admin/weights", tagTraffic, "Override the weights of a model's endpoints")
}

// ResetWeights drops overrides.
func ResetWeights() Operation[WeightReset, Rollout] {
	return operation[WeightReset, Rollout](http.MethodDelete, "/admin/weights", tagTraffic, "Return to the weights of the files")
}

// OfModel selects a model.
type OfModel struct {
	Model string `json:"-" query:"model" doc:"id or alias of a model; all without it"`
}

// EndpointQuery selects endpoints.
type EndpointQuery struct {
	Model string `json:"-" query:"model" doc:"id or alias of a model; all without it"`
	Out   bool   `json:"-" query:"out" doc:"only endpoints that are not up, and with them the entries of the configuration files that are skipped because a variable is not set"`
}

// Routing is where the requests for each model go.
type Routing struct {
	Release uint64             `json:"release"`
	Routes  map[string][]Route `json:"routes"`
}

// Route is one endpoint of a model.
type Route struct {
	Endpoint string `json:"endpoint"`
	Provider string `json:"provider"`
	Kind     string `json:"kind"`
	Weight   string `json:"weight" doc:"share of the model's traffic in whole percent, such as 70%; of a shadow its share of copies, such as shadow 5%"`
	BaseURL  string `json:"base_url"`
	// Configured is the weight in the files, Override the operators', nil if
	// there is none.
	Configured float64  `json:"configured"`
	Override   *float64 `json:"override"`
	Disabled   bool     `json:"disabled"`
}

// Model is one model of the release in service.
type Model struct {
	Model         string `json:"model"`
	Name          string `json:"name"`
	Type          string `json:"type"`
	Endpoints     int    `json:"endpoints"`
	Role          string `json:"role"`
	ContextLength int    `json:"context_length"`
	Prompt        string `json:"prompt" doc:"USD per million tokens, an exact decimal"`
	Completion    string `json:"completion" doc:"USD per million tokens, an exact decimal"`
}

// The states of an endpoint over all live nodes.
const (
	EndpointUp       = "up"       // at all of them
	EndpointPartly   = "partly"   // at some
	EndpointDown     = "down"     // at none
	EndpointOff      = "off"      // it has no weight and is no shadow
	EndpointDisabled = "disabled" // an operator took it out of service
	EndpointSkipped  = "skipped"  // an address in the configuration files is not set
)

// Endpoint is an endpoint with its state over the live nodes.
type Endpoint struct {
	Model    string  `json:"model"`
	Endpoint string  `json:"endpoint" doc:"its full id; of a skipped one FILE:LINE, without model and kind"`
	Kind     string  `json:"kind"`
	Weight   float64 `json:"weight"`
	Share    string  `json:"share" doc:"share of the model's traffic in whole percent, such as 70%; of a shadow its share of copies, such as shadow 5%"`
	State    string  `json:"state" enum:"up,partly,down,off,disabled,skipped"`
	// Nodes are those at which it does not work as it should; of a skipped one
	// the entry has no node and says which variable is not set.
	Nodes []Trouble `json:"nodes"`
}

// MissingSecret is the Trouble.State of an endpoint whose secret a node does
// not have.
const MissingSecret = "missing_secret"

// Unprobed is the Trouble.State of an endpoint that works and whose server has
// no health check at the path that is asked for.
const Unprobed = "unprobed"

// Trouble is what a node finds wrong with an endpoint.
type Trouble struct {
	Node     string `json:"node"`
	State    string `json:"state" enum:"open,half_open,cooling,probe_failed,full,unprobed,missing_secret,skipped"`
	Reason   string `json:"reason"`
	UntilMS  int64  `json:"until_ms" doc:"when it is tried again, milliseconds since 1970; 0 if not known"`
	InFlight int64  `json:"in_flight"`
}

// EndpointSwitch takes endpoints out of service, or puts them back.
type EndpointSwitch struct {
	Change
	Endpoints []string `json:"endpoints" doc:"full ids, such as glm-4.6:zhipu-api"`
}

// Weight is the weight of one endpoint.
type Weight struct {
	Model      string  `json:"model"`
	Endpoint   string  `json:"endpoint"`
	Weight     float64 `json:"weight" doc:"of a disabled endpoint, the weight it gets when it is enabled"`
	Share      string  `json:"share" doc:"share of the model's traffic in whole percent while all endpoints are up, such as 70%; of a shadow its share of copies, such as shadow 5%"`
	Serving    string  `json:"serving" doc:"share of the model's traffic at present: endpoints that are down leave theirs to the others; empty without a live node"`
	State      string  `json:"state" enum:"up,partly,down,off,disabled"`
	Configured float64 `json:"configured" doc:"the weight in the files"`
	Override   bool    `json:"override" doc:"whether an operator's weight replaces the configured one"`
	Disabled   bool    `json:"disabled"`
	// Rollout is that to the endpoint, if it has not ended.
	Rollout string `json:"rollout,omitempty" doc:"running or paused, while a rollout moves traffic to the endpoint"`
}

// WeightChange sets weights of one model. Endpoints that are not named keep theirs.
type WeightChange struct {
	Change
	Model   string             `json:"model"`
	Weights map[string]float64 `json:"weights" doc:"by endpoint id, or the part of it after the colon"`
}

// WeightReset drops the overrides of one model, or of all for "".
type WeightReset struct {
	Change
	Model string `json:"model,omitempty" query:"model" doc:"id or alias of a model; all without it"`
}

// Question is a request of which to say what would become of it.
type Question struct {
	Request json.RawMessage   `json:"request" doc:"the request's body"`
	Path    string            `json:"path,omitempty" doc:"the API below /v1; by default chat/completions"`
	Key     string            `json:"key,omitempty" doc:"the id of an API key; by default an anonymous administrator"`
	Node    string            `json:"node,omitempty" doc:"the node to ask; any by default"`
	Headers map[string]string `json:"headers,omitempty"`
}
