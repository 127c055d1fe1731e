package config

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// StrategyFixed is the one routing_strategy that does something.
const StrategyFixed = "fixed"

// Routing is the content of routing.yaml; without the file, its defaults.
type Routing struct {
	// Strategy is fixed if absent. Any other leaves the weights of models.yaml
	// alone; Split then only tells which endpoints are local.
	Strategy string
	// Timeout bounds one health probe, 2 s if absent or 0.
	Timeout     time.Duration
	HealthCheck HealthCheck
	Split       Split
}

// HealthCheck is how local endpoints are probed.
type HealthCheck struct {
	// Interval is the time between two probes, 0 for off.
	Interval time.Duration
	// Path is asked for; "" is /health, or / of an Ollama.
	Path string
	// Statuses are those of a healthy server; none is any from 200 to 299.
	Statuses []int
	// Metrics is the path of the servers' own metrics, from which their load is
	// read, "" if it is not.
	Metrics string
}

// Deployment is one entry of local_deployment or remote_deployment.
type Deployment struct {
	At Place
	// Endpoint is a base URL without a slash at its end.
	Endpoint string
	// Models are public ids or aliases, at least one.
	Models []string
}

const (
	defaultProbeTimeout = 2 * time.Second
	maxProbeTimeout     = 10 * time.Minute
	minProbeInterval    = 100 * time.Millisecond
	maxProbeInterval    = 24 * time.Hour
)

func routingKeys() []key[Routing] {
	return []key[Routing]{
		{"routing_strategy", readRoutingStrategy},
		{"default_router", readRoutingStrategy},
		{"routing_parameter", func(v value, r *Routing) { read(v, routingParameterKeys(), &r.Split) }},
		{"timeout", readProbeTimeout},
		{"health_check", readHealthCheck},
		{"local_deployment", func(v value, r *Routing) { r.Split.Local = v.deployments() }},
		{"remote_deployment", func(v value, r *Routing) { r.Split.Remote = v.deployments() }},
	}
}

func routingParameterKeys() []key[Split] {
	return []key[Split]{
		{"local_fraction", func(v value, s *Split) { v.number(&s.LocalFraction, 0, 1) }},
	}
}

func (r *reading) routing(src Source) Routing {
	out := Routing{Strategy: StrategyFixed, Timeout: defaultProbeTimeout, Split: Split{LocalFraction: 0.5}}
	root, ok := r.document(src)
	if !ok || root.null() {
		return out // nothing set: the defaults
	}
	read(root, slices.Concat(routingKeys(), anchorHolders[Routing](root), ignored[Routing]("logging")), &out)
	r.report(out.Split.conflicts()...)
	return out
}

func readRoutingStrategy(v value, r *Routing) {
	if v.text(&r.Strategy) && r.Strategy != StrategyFixed {
		v.warnf("only %s changes weights: those in models.yaml are used unchanged%s", StrategyFixed, suggest(r.Strategy, []string{StrategyFixed}))
	}
}

func readProbeTimeout(v value, r *Routing) {
	v.duration(&r.Timeout, 0, maxProbeTimeout)
	if r.Timeout == 0 {
		v.warnf("must be positive: using %v", defaultProbeTimeout)
		r.Timeout = defaultProbeTimeout
	}
}

// readHealthCheck reads an interval, or a mapping with one.
func readHealthCheck(v value, r *Routing) {
	if v.node.Kind != yaml.MappingNode {
		readProbeInterval(v, &r.HealthCheck)
		return
	}
	interval := false
	keys := []key[HealthCheck]{
		{"interval", func(v value, h *HealthCheck) {
			interval = true
			readProbeInterval(v, h)
		}},
		{"path", func(v value, h *HealthCheck) { v.probePath(&h.Path, "/health or /v1/models") }},
		{"metrics", func(v value, h *HealthCheck) { v.probePath(&h.Metrics, "/metrics") }},
		{"statuses", readProbeStatuses},
	}
	if read(v, keys, &r.HealthCheck) && !interval {
		v.needs("interval", "the seconds between two probes, or 0 for off")
	}
}

func readProbeInterval(v value, h *HealthCheck) {
	v.duration(&h.Interval, 0, maxProbeInterval)
	if 0 < h.Interval && h.Interval < minProbeInterval {
		v.problemf("must be 0 (off) or at least %v", minProbeInterval)
	}
}

// probePath reads the path of a request to a server, such as one of the examples.
func (v value) probePath(into *string, examples string) {
	if !v.text(into) {
		return
	}
	path := *into
	if u, err := url.Parse(path); err != nil || !strings.HasPrefix(path, "/") || u.Host != "" || u.Fragment != "" || strings.ContainsAny(path, " \t") {
		v.problemf("must be a path such as %s, got %s", examples, v.got(path))
	}
}

func readProbeStatuses(v value, h *HealthCheck) {
	items, ok := v.items()
	if ok && len(items) == 0 {
		v.problemf("must not be empty")
	}
	for _, item := range items {
		status := 0
		if item.integer(&status, 100, 599); status != 0 {
			h.Statuses = append(h.Statuses, status)
		}
	}
}

// deployments reads a list of entries. One whose endpoint expands to nothing is
// left out, as its route in models.yaml is.
func (v value) deployments() []Deployment {
	items, ok := v.items()
	if !ok {
		return nil
	}
	var out []Deployment
	for _, item := range items {
		if d, ok := item.deployment(); ok {
			out = append(out, d)
		}
	}
	return out
}

type deploymentEntry struct {
	endpoint, models value
}

func deploymentKeys() []key[deploymentEntry] {
	return []key[deploymentEntry]{
		{"endpoint", func(v value, d *deploymentEntry) { d.endpoint = v }},
		{"models", func(v value, d *deploymentEntry) { d.models = v }},
	}
}

func (v value) deployment() (Deployment, bool) {
	var e deploymentEntry
	if !read(v, deploymentKeys(), &e) {
		return Deployment{}, false
	}
	d := Deployment{At: v.place()}
	if e.models.given() {
		d.Models = e.models.modelNames()
	} else {
		v.needs("models", "the ids of the models that this endpoint serves")
	}
	if !e.endpoint.given() {
		v.needs("endpoint", "the base_url of routes in models.yaml")
		return d, false
	}
	x, ok := e.endpoint.expanded("an http(s) URL")
	if !ok {
		return d, false
	}
	if strings.TrimSpace(x.text) == "" || len(x.empty) > 0 {
		v.skipped("entry", "endpoint", x.empty)
		return d, false
	}
	u, ok := e.endpoint.checkURL(x.text)
	if ok {
		d.Endpoint = u.String()
	}
	return d, ok
}

func (v value) modelNames() []string {
	items, ok := v.items()
	if ok && len(items) == 0 {
		v.problemf("must not be empty")
	}
	var out []string
	for _, item := range items {
		var name string
		if item.name(&name, modelID, whatModelID) {
			out = append(out, name)
		}
	}
	return out
}
