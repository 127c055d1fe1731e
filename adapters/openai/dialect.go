package openai

import (
	"fmt"
	"strings"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/markup"
)

// dialects is what is read out of the text of an endpoint's answers.
type dialects struct {
	// always is looked for in every answer, called only if the request has tools:
	// its tags are ordinary text, which clients may have asked for.
	always, called markup.Dialect
	// asked is looked for if the request asks for reasoning.
	asked markup.Dialect
}

// dialectsOf chooses by what the processor says, else by the model and the kind
// of server.
func dialectsOf(s codec.Settings, p *Profile) (dialects, error) {
	model := strings.ToLower(s.Model)
	calls := callsOf(model)
	switch s.Processor {
	case "":
		return byModel(s, p, model, calls), nil
	case "default":
		return dialects{}, nil
	case "glm":
		return dialects{always: markup.Think | markup.CloseOnly | markup.GLM}, nil
	case "qwen_coder":
		return dialects{always: markup.Think | markup.Qwen}, nil
	case "think_block":
		return dialects{always: markup.Think | markup.CloseOnly | calls&markup.Reasoned, called: calls}, nil
	case "think_open":
		return dialects{always: markup.Think | markup.Opened | calls&markup.Reasoned, called: calls}, nil
	}
	return dialects{}, fmt.Errorf("processor %q is not one of default, glm, qwen_coder, think_block, think_open", s.Processor)
}

func byModel(s codec.Settings, p *Profile, model string, calls markup.Dialect) (d dialects) {
	switch p.text {
	case textPlain:
		return d
	case textTokens:
		d.always = p.dialect | calls&markup.Reasoned
		return d
	case textAll:
	}
	d.always, d.called = p.dialect|markup.Think|calls&markup.Reasoned, calls
	if p.thinking != thinkTemplate {
		return d
	}
	// Templates of these servers may open the thought themselves. Answers of models
	// that always think, or were asked to, are worth waiting for its end, unless
	// the server turns out to parse reasoning.
	if alwaysThinks(model) {
		d.always |= markup.CloseOnly
	}
	if thinksAloud(model) && s.Params&reasoningParams() != 0 {
		d.asked = markup.CloseOnly
	}
	return d
}

// callsOf returns the dialect in which a model writes its calls, by its name in
// lower case.
func callsOf(model string) (d markup.Dialect) {
	for _, family := range []struct {
		name    string
		dialect markup.Dialect
	}{
		{"minimax", markup.MiniMax},
		{"qwen", markup.Qwen},
		{"glm", markup.GLM},
		{"kimi", markup.Kimi},
		{"deepseek", markup.DSML},
	} {
		if strings.Contains(model, family.name) {
			d |= family.dialect
		}
	}
	return d
}

// alwaysThinks reports models that cannot be asked not to think.
func alwaysThinks(model string) bool {
	for _, name := range []string{"deepseek-r1", "qwq", "-thinking", "minimax-m2"} {
		if strings.Contains(model, name) {
			return true
		}
	}
	return false
}
