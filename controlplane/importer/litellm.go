package importer

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hybridinference/gateway/shared/wire"
)

const liteLLMHeader = `# From a LiteLLM configuration, by "gatewayctl import litellm". Clients' tools, images and
# parameters are passed on as LiteLLM does: narrow supports_tools, input_modalities and
# supported_params to what a model can do.
`

// lastResort is the weight of the routes of a fallback, which are only there when the others fail: next to
// nothing as a share of the traffic.
const lastResort = 0.01

// liteLLM is a configuration while it is read.
type liteLLM struct {
	Result

	out    catalog
	groups map[string]*model
	// orders are the deployments' order, where they have one.
	orders   map[*route]float64
	settings *yaml.Node // litellm_settings
	// rates are requests or tokens a minute, which LiteLLM takes as weights.
	rates map[*route]float64
}

// LiteLLM reads the config.yaml of LiteLLM's proxy: models, weights, fallbacks,
// keys by name, router settings and the proxy's budget. The error says that it
// is no such file, or that nothing in it can be carried over.
func LiteLLM(config []byte) (*Result, error) {
	top, err := parse(config)
	if err != nil {
		return nil, err
	}
	if lookup(top, "model_list") == nil {
		return nil, fmt.Errorf("it has no model_list: not a configuration of LiteLLM's proxy, or its models are in a database")
	}
	r := &liteLLM{groups: map[string]*model{}, orders: map[*route]float64{}, rates: map[*route]float64{}}
	r.settings = lookup(top, "litellm_settings")
	for i, n := range items(lookup(top, "model_list")) {
		r.deployment(n, fmt.Sprintf("model_list[%d]", i))
	}
	r.weigh()
	for e := range entries(top, "") {
		switch e.name {
		case "model_list":
		case "router_settings":
			r.section(e, r.routerSetting)
		case "litellm_settings":
			r.section(e, r.moduleSetting)
		case "general_settings":
			r.section(e, r.generalSetting)
		case "environment_variables":
			for v := range entries(e.value, e.path) {
				r.needs(v.name, fmt.Sprintf("its value is on line %d of the file", v.line))
			}
		default:
			r.notef(e.line, e.path, "has no equivalent")
		}
	}
	return &r.Result, r.finish(&r.out, liteLLMHeader)
}

func (r *liteLLM) section(s entry, read func(entry) bool) {
	for e := range entries(s.value, s.path) {
		if !read(e) {
			r.notef(e.line, e.path, "has no equivalent")
		}
	}
}

// deployment adds an entry of model_list to its model.
func (r *liteLLM) deployment(n *yaml.Node, path string) {
	name, params := text(lookup(n, "model_name")), lookup(n, "litellm_params")
	upstream := text(lookup(params, "model"))
	line := 0
	if n != nil {
		line = n.Line
	}
	switch {
	case name == "" || upstream == "":
		r.notef(line, path, "skipped: it has no model_name or no litellm_params.model")
		return
	case strings.Contains(name, "*") || strings.Contains(upstream, "*"):
		r.notef(line, path, "skipped: a wildcard stands for models that only the provider knows; list those that clients use")
		return
	}
	mode := text(lookup(lookup(n, "model_info"), "mode"))
	if !slices.Contains([]string{"", "chat", "completion", "responses", "embedding", "audio_transcription"}, mode) {
		r.notef(line, path, "skipped: the gateway does not serve mode %s", mode)
		return
	}
	prefix, rest, known, ok := split(upstream, text(lookup(params, "custom_llm_provider")))
	if !ok {
		if text(lookup(params, "api_base")) == "" {
			r.notef(line, path, "skipped: there is no kind for %s; set api_base if its API is OpenAI-compatible", prefix)
			return
		}
		known = provider{kind: "openai_compat"}
		r.notef(line, path, "%s is taken for an OpenAI-compatible server", prefix)
	}
	m := r.model(name, mode)
	e := &route{Kind: known.kind, BaseURL: known.baseURL, ProviderModelID: rest}
	if !r.address(e, known, params, line, path) {
		return
	}
	m.Routes = append(m.Routes, e)
	r.params(e, params, path+".litellm_params")
	r.info(m, e, lookup(n, "model_info"), path+".model_info")
	share(m, e)
	for other := range entries(n, path) {
		if !slices.Contains([]string{"model_name", "litellm_params", "model_info"}, other.name) {
			r.notef(other.line, other.path, "has no equivalent")
		}
	}
}

// model returns the model of a name, which it makes the first time.
func (r *liteLLM) model(name, mode string) *model {
	if m := r.groups[name]; m != nil {
		return m
	}
	m := &model{
		ID: name, InputModalities: []string{"text", "image"}, Tools: true, Structured: true,
		Params: []string{"temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs", "reasoning", "thinking"},
	}
	if mode == "embedding" {
		*m = model{ID: name, Type: "embedding", InputModalities: []string{"text"}, OutputModalities: []string{"embeddings"}}
	}
	r.groups[name] = m
	r.out.Models = append(r.out.Models, m)
	return m
}

// address fills in where the deployment is, and its key.
func (r *liteLLM) address(e *route, known provider, params *yaml.Node, line int, path string) bool {
	if base := text(lookup(params, "api_base")); base != "" {
		e.BaseURL = r.variable(base, "an address")
	}
	switch e.Kind {
	case "openai": // with an address of its own it is some other server
		if e.BaseURL != "" && !strings.Contains(e.BaseURL, "api.openai.com") {
			e.Kind = "openai_compat"
		}
	case "vertex_ai":
		return r.vertex(e, params, line, path)
	case "bedrock":
		for _, word := range []string{"converse/", "invoke/"} {
			e.ProviderModelID = strings.TrimPrefix(e.ProviderModelID, word)
		}
		if lookup(params, "aws_access_key_id") != nil {
			known.key = ""
		}
		if e.Region = r.variable(text(lookup(params, "aws_region_name")), "an AWS region"); e.Region == "" && e.BaseURL == "" {
			r.needs("AWS_REGION", "the AWS region, as LiteLLM takes it")
			e.Region = "${AWS_REGION}"
		}
	case "azure":
		e.APIVersion = r.variable(text(lookup(params, "api_version")), "the version of Azure's API")
	}
	if e.BaseURL == "" && slices.Contains([]string{"vllm", "azure", "openai_compat"}, e.Kind) {
		r.notef(line, path, "skipped: it has no api_base")
		return r.dropped()
	}
	e.APIKey = r.key(text(lookup(params, "api_key")), known.key, line)
	return true
}

// dropped removes a model that was made for a deployment that is skipped, and reports that it is not ok.
func (r *liteLLM) dropped() bool {
	r.out.Models = slices.DeleteFunc(r.out.Models, func(m *model) bool {
		if len(m.Routes) == 0 {
			delete(r.groups, m.ID)
		}
		return len(m.Routes) == 0
	})
	return false
}

// vertex fills in Google's cloud, where the model says which kind it is.
func (r *liteLLM) vertex(e *route, params *yaml.Node, line int, path string) bool {
	part := func(name, variable string) string {
		if given := r.variable(text(lookup(params, name)), "Google's cloud"); given != "" {
			return given
		}
		r.needs(variable, "Google's cloud, as LiteLLM takes it")
		return "${" + variable + "}"
	}
	switch {
	case strings.HasPrefix(e.ProviderModelID, "claude"):
		e.Kind = "claude"
	case strings.HasPrefix(e.ProviderModelID, "gemini"):
		e.Kind = "gemini"
	default:
		r.notef(line, path, "skipped: on Vertex AI the gateway serves Claude and Gemini")
		return r.dropped()
	}
	if e.BaseURL == "" {
		project, region := part("vertex_project", "VERTEXAI_PROJECT"), part("vertex_location", "VERTEXAI_LOCATION")
		e.BaseURL = fmt.Sprintf("https://%[1]s-aiplatform.googleapis.com/v1/projects/%[2]s/locations/%[1]s", region, project)
	}
	if lookup(params, "vertex_credentials") != nil {
		r.needs("GOOGLE_CREDENTIALS", "the service account's JSON")
		e.APIKey = "${GOOGLE_CREDENTIALS}"
	}
	return true
}

var reference = regexp.MustCompile(`^os\.environ/([A-Za-z_][A-Za-z0-9_]*)$`)

// variable turns a reference of LiteLLM's into one of models.yaml's.
func (r *liteLLM) variable(value, about string) string {
	if m := reference.FindStringSubmatch(value); m != nil {
		r.needs(m[1], about)
		return "${" + m[1] + "}"
	}
	return value
}

// key returns a reference to the variable that holds a key. What stands in the
// file itself gets the provider's variable, or one of its own.
func (r *liteLLM) key(value, usual string, line int) string {
	name, about := usual, "an API key"
	switch m := reference.FindStringSubmatch(value); {
	case m != nil:
		name = m[1]
	case slices.Contains([]string{"none", "empty", "fake-key", "dummy"}, strings.ToLower(value)), value == "" && usual == "":
		return ""
	case value != "":
		name, about = "IMPORTED_API_KEY_"+strconv.Itoa(line), fmt.Sprintf("an API key: it is in the file, in the entry of line %d", line)
	}
	r.needs(name, about)
	return "${" + name + "}"
}

// weigh settles weights: LiteLLM's own, else what it takes for them: rates where
// each deployment has one.
func (r *liteLLM) weigh() {
	for _, m := range r.out.Models {
		weighted := slices.ContainsFunc(m.Routes, func(e *route) bool { return e.Weight > 0 })
		rated := !slices.ContainsFunc(m.Routes, func(e *route) bool { return r.rates[e] == 0 })
		r.rank(m)
		for _, e := range m.Routes {
			switch {
			case !weighted && rated && len(m.Routes) > 1:
				e.Weight = r.rates[e]
			case e.Weight == 0 && len(m.Routes) > 1:
				e.Weight = 1
			}
		}
		name(m)
	}
}

// rank turns the order of a model's deployments into priorities. Those without an
// order come last.
func (r *liteLLM) rank(m *model) {
	var orders []float64
	for _, e := range m.Routes {
		if o := r.orders[e]; o > 0 {
			orders = append(orders, o)
		}
	}
	if len(orders) == 0 || len(m.Routes) < 2 {
		return
	}
	slices.Sort(orders)
	orders = slices.Compact(orders)
	m.Policy = wire.PolicyPriority
	for _, e := range m.Routes {
		e.Priority = len(orders) + 1
		if i, ok := slices.BinarySearch(orders, r.orders[e]); ok {
			e.Priority = i + 1
		}
	}
}

// last is the priority of what comes after all routes of a model, 0 where priorities
// do not count.
func (m *model) last() (priority int) {
	if m.Policy != wire.PolicyPriority {
		return 0
	}
	for _, e := range m.Routes {
		priority = max(priority, e.Priority+1)
	}
	return priority
}

// name gives ids to a model's routes where the address does not tell them apart.
func name(m *model) {
	if len(m.Routes) < 2 {
		return
	}
	count := map[string]int{}
	for _, e := range m.Routes {
		count[e.Kind]++
		e.ID = e.Kind
		if count[e.Kind] > 1 {
			e.ID = fmt.Sprintf("%s-%d", e.Kind, count[e.Kind])
		}
	}
}

// fallBack adds the routes of other models as the last resort of one.
func (r *liteLLM) fallBack(name string, others []*yaml.Node, key string, line int) {
	m := r.groups[name]
	if m == nil {
		r.notef(line, key, "the model %s is not in this configuration", name)
		return
	}
	for _, n := range others {
		other := r.groups[text(n)]
		if other == nil || other == m {
			r.notef(line, key, "the fallback %s is not in this configuration", text(n))
			continue
		}
		own := slices.DeleteFunc(slices.Clone(other.Routes), func(e *route) bool { return strings.HasPrefix(e.ID, "fallback-") })
		priority := m.last() // fallbacks are tried in turn
		for i, e := range own {
			copied := *e
			copied.Priority = priority
			copied.Weight, copied.ID, copied.Headers, copied.Body = lastResort, fmt.Sprintf("fallback-%s-%d", unsafeInID.ReplaceAllString(other.ID, "-"), i+1), maps.Clone(e.Headers), maps.Clone(e.Body)
			if copied.Pricing == nil {
				copied.Pricing = other.Pricing
			}
			m.Routes = append(m.Routes, &copied)
		}
	}
}

var unsafeInID = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
