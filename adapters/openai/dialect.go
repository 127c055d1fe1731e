package openai

import (
	"fmt"
	"strings"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/markup"
)

// dialectOf chooses what is read out of the text of the answers: what the
// processor says, else what the model is known to write.
func dialectOf(s codec.Settings, p *Profile) (markup.Dialect, error) {
	calls := callsOf(strings.ToLower(s.Model))
	switch s.Processor {
	case "":
		if p.text {
			return p.dialect | calls, nil
		}
		return p.dialect, nil
	case "default":
		return 0, nil
	case "glm":
		return markup.Think | markup.CloseOnly | markup.GLM, nil
	case "qwen_coder":
		return markup.Think | markup.Qwen, nil
	case "think_block":
		return markup.Think | markup.CloseOnly | calls, nil
	case "think_open":
		return markup.Think | markup.Opened | calls, nil
	}
	return 0, fmt.Errorf("processor %q is not one of default, glm, qwen_coder, think_block, think_open", s.Processor)
}

// callsOf returns the dialect in which a model writes its calls, by its name in
// lower case.
func callsOf(model string) markup.Dialect {
	switch {
	case strings.Contains(model, "minimax"):
		return markup.Think | markup.MiniMax
	case strings.Contains(model, "qwen") && strings.Contains(model, "coder"):
		return markup.Think | markup.Qwen
	case strings.Contains(model, "kimi"):
		return markup.Kimi
	case strings.Contains(model, "deepseek"):
		return markup.DSML
	}
	return 0
}
