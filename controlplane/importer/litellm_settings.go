package importer

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/hybridinference/gateway/shared/wire"
)

// routerSetting takes over a key of router_settings. Fallbacks may be there or
// in litellm_settings.
func (r *liteLLM) routerSetting(e entry) bool {
	switch e.name {
	case "model_group_alias":
		for a := range entries(e.value, e.path) {
			r.alias(a)
		}
	case "routing_strategy":
		r.strategy(e)
	case "cooldown_time":
		r.needs("CIRCUIT_COOLDOWN_SECONDS", "how long a failing endpoint rests, in LiteLLM "+text(e.value)+" (default 30)")
	case "allowed_fails":
		r.needs("CIRCUIT_FAILURE_THRESHOLD", "failures after which an endpoint rests, in LiteLLM "+text(e.value)+" (default 3)")
	case "timeout":
		r.needs("UPSTREAM_COMPLETION_TIMEOUT_S", "limit of a request, in LiteLLM "+text(e.value)+" (default 600)")
	case "num_retries", "retry_after", "max_fallbacks":
		r.notef(e.line, e.path, "failed requests go on to the model's other endpoints; there is no setting for it")
	case "redis_host", "redis_port", "redis_password", "redis_url", "cache_responses", "cache_kwargs":
		r.notef(e.line, e.path, "not needed: nodes share limits and configuration without Redis")
	default:
		return r.fallbackSetting(e)
	}
	return true
}

// strategy turns LiteLLM's routing strategy into the policy of all models that
// have a choice.
func (r *liteLLM) strategy(e entry) {
	policy := ""
	switch s := text(e.value); s {
	case "simple-shuffle":
		return
	case "least-busy":
		policy = wire.PolicyLeastBusy
	case "latency-based-routing":
		policy = wire.PolicyLatency
	case "cost-based-routing":
		policy = wire.PolicyCost
	default:
		r.notef(e.line, e.path, "%s: endpoints are chosen by weight; rpm and tpm keep each within its limits", s)
		return
	}
	for _, m := range r.out.Models {
		switch {
		case m.Policy == wire.PolicyPriority:
			r.notef(e.line, e.path, "%s: its deployments have an order, so the policy is priority, by weight within one order", m.ID)
		case len(m.Routes) > 1:
			m.Policy = policy
		}
	}
}

func (r *liteLLM) alias(a entry) {
	target := text(a.value)
	if target == "" {
		target = text(lookup(a.value, "model"))
	}
	if truth(lookup(a.value, "hidden")) {
		r.notef(a.line, a.path, "aliases are never listed to clients, so hidden is not needed")
	}
	if m := r.groups[target]; m != nil && r.groups[a.name] == nil {
		m.Aliases = append(m.Aliases, a.name)
		return
	}
	r.notef(a.line, a.path, "the model %s is not in this configuration, or %s is a model itself", target, a.name)
}

func (r *liteLLM) fallbackSetting(e entry) bool {
	switch e.name {
	case "fallbacks":
		for _, n := range items(e.value) {
			for f := range entries(n, e.path) {
				r.fallBack(f.name, items(f.value), e.path, f.line)
			}
		}
	case "default_fallbacks":
		for _, m := range r.out.Models {
			others := []*yaml.Node{}
			for _, n := range items(e.value) {
				if text(n) != m.ID {
					others = append(others, n)
				}
			}
			r.fallBack(m.ID, others, e.path, e.line)
		}
	case "context_window_fallbacks", "content_policy_fallbacks":
		r.notef(e.line, e.path, "a client may list other models in `models`: the next is tried when one refuses the request")
	default:
		return false
	}
	return true
}

// moduleSetting takes over a key of litellm_settings.
func (r *liteLLM) moduleSetting(e entry) bool {
	switch e.name {
	case "max_budget":
		r.budget(e)
	case "budget_duration": // with max_budget
	case "drop_params", "modify_params", "set_verbose", "json_logs", "telemetry":
		return true // as it is here anyway, or of no consequence
	case "request_timeout":
		r.needs("UPSTREAM_COMPLETION_TIMEOUT_S", "limit of a request, in LiteLLM "+text(e.value)+" (default 600)")
	case "num_retries", "allowed_fails", "cooldown_time":
		return r.routerSetting(e)
	case "callbacks", "success_callback", "failure_callback", "service_callbacks":
		r.notef(e.line, e.path, "every request is in the request log, and every process has Prometheus metrics; other callbacks have no equivalent")
	case "cache", "cache_params":
		r.notef(e.line, e.path, "responses are not cached")
	case "model_group_alias":
		return r.routerSetting(e)
	default:
		return r.fallbackSetting(e)
	}
	return true
}

// budget is LiteLLM's for the whole proxy.
func (r *liteLLM) budget(e entry) {
	amount := number(e.value)
	if amount == 0 {
		r.notef(e.line, e.path, "%q is not an amount", text(e.value))
		return
	}
	duration := r.setting("budget_duration")
	reset, ok := map[string]string{"": "total", "24h": "daily", "1d": "daily", "7d": "weekly", "1w": "weekly", "30d": "monthly", "31d": "monthly", "1mo": "monthly"}[duration]
	if !ok {
		r.notef(e.line, e.path, "budgets are daily, weekly, monthly or total, not for %s", duration)
		return
	}
	r.Commands = append(r.Commands, fmt.Sprintf("gatewayctl limits set --budget %g --reset %s", amount, reset))
}

// setting returns a key of litellm_settings, "" without it.
func (r *liteLLM) setting(name string) string { return text(lookup(r.settings, name)) }

// generalSetting takes over a key of general_settings.
func (r *liteLLM) generalSetting(e entry) bool {
	switch e.name {
	case "master_key":
		r.needs("ADMIN_TOKEN", "the admin API's token, in LiteLLM master_key: at least 16 characters")
		r.needs("USER_AUTH_ENABLED", "true, as LiteLLM has a master key")
		r.notef(e.line, e.path, "is for the admin API only here: clients that used it need a key of their own, `gatewayctl keys create --name NAME`")
	case "database_url", "store_model_in_db", "store_prompts_in_spend_logs":
		r.notef(e.line, e.path, "keys, teams and the log in LiteLLM's database are not carried over: `gatewayctl keys import`, `gatewayctl teams create`")
	case "max_parallel_requests", "global_max_parallel_requests":
		r.Commands = append(r.Commands, fmt.Sprintf("gatewayctl limits set --concurrency %d", integer(e.value)))
	default:
		return false
	}
	return true
}
