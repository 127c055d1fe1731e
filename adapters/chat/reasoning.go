package chat

import "github.com/hybridinference/gateway/shared/rawjson"

// checkReasoning merges the four ways to ask for reasoning into r.Reasoning.
func (r *Request) checkReasoning() error {
	o := &r.Reasoning
	if err := o.object(r.params[Reasoning]); err != nil {
		return err
	}
	if raw := r.params[ReasoningEffort]; raw != nil {
		before := *o
		if err := o.effort("reasoning_effort", raw); err != nil {
			return err
		}
		if before.Effort != "" && before.Effort != rawjson.Text(raw) || before.Off && o.Effort != "" || before.On && o.Off {
			return invalid("reasoning_effort: differs from reasoning.effort, or from reasoning.enabled")
		}
	}
	if raw := r.params[IncludeReasoning]; raw != nil && r.params[Reasoning] == nil {
		o.Set = true
		o.Exclude = raw[0] == 'f'
	}
	if raw := r.params[Thinking]; raw != nil && !o.Set {
		if err := o.thinking(raw); err != nil {
			return err
		}
	}
	o.On = !o.Off && (o.On || o.Effort != "" || o.MaxTokens > 0)
	return nil
}

// object reads OpenRouter's reasoning{effort,max_tokens,exclude,enabled}.
func (o *ReasoningOption) object(raw []byte) error {
	if raw == nil {
		return nil
	}
	o.Set = true
	var c rawjson.Cursor
	c.Reset(raw)
	c.Object()
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		val := c.Raw()
		if rawjson.IsNull(val) {
			continue
		}
		switch string(key) {
		case "effort":
			if err := o.effort("reasoning.effort", val); err != nil {
				return err
			}
		case "max_tokens":
			n, ok := Integer(val)
			if !ok || n < 0 {
				return invalid("reasoning.max_tokens: must be an integer of at least 0, got %s", describe(val))
			}
			o.MaxTokens = n
		case "exclude":
			o.Exclude = val[0] == 't'
		case "enabled":
			o.On, o.Off = val[0] == 't', o.Off || val[0] == 'f'
		case "summary":
			if err := oneOf("reasoning.summary", val, "auto", "concise", "detailed"); err != nil {
				return err
			}
		case "context":
			if err := oneOf("reasoning.context", val, "auto", "all_turns", "current_turn"); err != nil {
				return err
			}
		case "mode":
			if err := oneOf("reasoning.mode", val, "standard", "pro"); err != nil {
				return err
			}
		}
	}
	if err := checkMembers("reasoning", raw, member{"exclude", rawjson.True}, member{"enabled", rawjson.True}); err != nil {
		return err
	}
	if o.Effort != "" && o.MaxTokens > 0 {
		return invalid("reasoning: give effort or max_tokens, not both")
	}
	return nil
}

func (o *ReasoningOption) effort(name string, raw []byte) error {
	effort := rawjson.Text(raw)
	o.Set = true
	switch {
	case effort == "none":
		o.Off = true
	case EffortShare(effort) > 0:
		o.Effort = effort
	default:
		return invalid("%s: must be max, xhigh, high, medium, low, minimal or none, got %s", name, describe(raw))
	}
	return nil
}

// thinking reads {"type":"enabled|disabled|adaptive","budget_tokens":n}, the
// form of Anthropic, DeepSeek and Zhipu.
func (o *ReasoningOption) thinking(raw []byte) error {
	o.Set = true
	switch kind := Member(raw, "type"); string(kind) {
	case `"disabled"`:
		o.Off = true
	case `"enabled"`, `"adaptive"`, `"auto"`:
		o.On = true
		o.MaxTokens, _ = Integer(Member(raw, "budget_tokens"))
	default:
		return invalid("thinking.type: must be enabled, disabled, adaptive or auto, got %s", describe(kind))
	}
	return nil
}
