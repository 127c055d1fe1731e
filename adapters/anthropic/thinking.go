package anthropic

import (
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

const (
	leastBudget    = 1024
	greatestBudget = 128000
)

// thinkPlan is what a request says about thinking.
type thinkPlan struct {
	// on: a thinking member asks for it; budget is 0 for adaptive.
	on     bool
	budget int64
	// off: a thinking member forbids it.
	off bool
	// display is sent with adaptive thinking, "" to leave it out.
	display string
	// effort is output_config.effort, "" to leave it out.
	effort string
}

func reasoningParams() chat.ParamSet {
	return chat.SetOf(chat.Reasoning, chat.ReasoningEffort, chat.IncludeReasoning, chat.Thinking)
}

// planThinking decides about thinking and effort. What rules thinking out
// (a forced tool, lost thoughts, too small a limit) wins: the request is then
// answered without, instead of being refused.
func (d *draft) planThinking() {
	t, o := d.a.traits, &d.r.Reasoning
	d.planVerbosity()
	if d.tools.forced() && !o.Off && t.ThinkingDefault == "on" && t.ThinkingOff == "disabled" {
		d.switchOff() // it would think unasked, and refuse the tool
	}
	if !o.On && !o.Off {
		return
	}
	if t.Thinking == "never" || d.a.settings.Params&reasoningParams() == 0 {
		d.dropReasoning()
		return
	}
	switch {
	case o.Off:
		d.planOff()
	case d.tools.forced():
		d.dropReasoning()
	case t.Thinking == "budget" || t.Thinking == "budget_or_adaptive" && d.wantedBudget() > 0:
		d.planBudget()
	default:
		d.planAdaptive()
	}
}

func (d *draft) dropReasoning() { d.call.Dropped |= d.r.Sent & reasoningParams() }

func (d *draft) planOff() {
	t := d.a.traits
	switch {
	case t.ThinkingDefault != "on":
	case t.ThinkingOff == "lowest_effort":
		d.setEffort("low") // as close as this model comes to not thinking
		d.dropReasoning()
	default:
		d.switchOff()
	}
}

func (d *draft) switchOff() {
	d.think.off = true
	if d.a.traits.ThinkingOff == "disabled" && (d.think.effort == "xhigh" || d.think.effort == "max") {
		d.think.effort = "high" // more is refused without thinking
	}
}

// wantedBudget is the budget that the client asked for, 0 if it did not.
func (d *draft) wantedBudget() int64 { return d.r.Reasoning.MaxTokens }

// planBudget sets a budget below max_tokens. Where only the client's budget
// is known, max_tokens makes room for it and for an answer.
func (d *draft) planBudget() {
	budget := d.wantedBudget()
	if budget > 0 && budget >= d.limit && d.r.MaxTokens == 0 {
		d.limit = d.clamp(budget + defaultMaxTokens)
	}
	if budget == 0 {
		effort := d.r.Reasoning.Effort
		if effort == "" {
			effort = "medium"
		}
		budget = min(d.limit*chat.EffortShare(effort)/100, greatestBudget)
	}
	budget = min(max(budget, leastBudget), d.limit-1)
	if budget < leastBudget || d.talk.lostThoughts() {
		d.dropReasoning()
		return
	}
	d.think.on, d.think.budget = true, budget
}

// planAdaptive leaves it to the model how much it thinks. Newer models keep
// the text of their thinking to themselves unless asked for a summary.
func (d *draft) planAdaptive() {
	o := &d.r.Reasoning
	d.think.on = true
	switch {
	case o.Effort != "":
		d.setEffort(o.Effort)
	case o.MaxTokens > 0:
		d.setEffort(effortFor(o.MaxTokens, d.limit))
	}
	raw := d.r.Raw(chat.Thinking)
	switch display := rawjson.Text(chat.Member(raw, "display")); {
	case display != "":
		d.think.display = display
	case o.Exclude:
		d.think.display = "omitted"
	case d.a.traits.Thinking == "adaptive" && string(chat.Member(raw, "type")) != `"adaptive"`:
		d.think.display = "summarized"
	}
}

// thinks reports whether the model will think in its answer to this request:
// then it wants its earlier thoughts back.
func (d *draft) thinks() bool {
	return d.think.on || d.a.traits.ThinkingDefault == "on" && (!d.think.off || d.a.traits.ThinkingOff == "between_tools")
}

func (d *draft) writeThinking() {
	p, bound := &d.think, d.bound()
	if (p.on || p.off || bound) && d.member("thinking") {
		d.put(`{`)
		mark := len(d.body)
		switch {
		case p.off:
			d.put(`"type":`).putText(d.a.traits.ThinkingOff)
		case p.on && p.budget > 0:
			d.put(`"type":"enabled","budget_tokens":`).putInt(p.budget)
		case p.on:
			d.put(`"type":"adaptive"`)
		}
		if p.on && p.budget == 0 && p.display != "" {
			d.put(`,"display":`).putText(p.display)
		}
		if bound {
			d.comma(mark)
			d.put(`"block_binding":{"prefix_mismatch_behavior":"drop_block"}`)
			d.call.Headers = append(d.call.Headers, codec.Header{Name: "anthropic-beta", Value: "thinking-binding-controls-2026-08-01"})
		}
		d.put(`}`)
	}
	d.writeOutputConfig()
}

// bound reports whether thinking blocks go back to a model that refuses them
// once anything ahead of them has changed: it is asked to drop them instead.
func (d *draft) bound() bool {
	if d.a.traits.ThinkingBinding != "yes" || d.a.place.Partner {
		return false
	}
	return slices.ContainsFunc(d.talk.turns, func(u turn) bool { return len(u.thoughts) > 0 })
}
