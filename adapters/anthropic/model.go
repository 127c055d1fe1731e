package anthropic

import (
	"strconv"
	"strings"
)

// traits are what requests to one Claude model have to mind. The API does not
// tell them; they follow from the generation, which is in the model's name.
type traits struct {
	think thinkMode
	// effort is the highest level that output_config.effort takes, 0 if the
	// model has no such setting.
	effort level
	// sampling is false for models that refuse temperature, top_p and top_k,
	// and oneOf true for those that take only one of the first two.
	sampling, oneOf bool
	// schema models hold an answer to a JSON schema by themselves.
	schema bool
	// prefill models continue a last message of the assistant.
	prefill bool
	// eager models think unless they are told not to. Restless ones cannot be
	// told, and refuse a forced tool, too.
	eager, restless bool
}

// thinkMode is how a model is asked to think.
type thinkMode uint8

const (
	thinkNever    thinkMode = iota
	thinkBudget             // thinking{enabled, budget_tokens}
	thinkEither             // a budget or adaptive
	thinkAdaptive           // thinking{adaptive} and an effort
)

// level is a step of output_config.effort.
type level uint8

const (
	levelLow level = iota + 1
	levelMedium
	levelHigh
	levelMax
	levelXHigh // came later than max, so that a model that has it has max, too
)

// generation is a model's family and version.
type generation struct {
	family       string
	major, minor int
}

func (g generation) atLeast(major, minor int) bool {
	return g.major > major || g.major == major && g.minor >= minor
}

// traitsOf reads the traits off a model's name in any of its spellings:
// claude-sonnet-4-5-20250929, claude-3-7-sonnet@20250219, anthropic/claude-opus-4.6.
func traitsOf(model string) traits {
	g := generationOf(model)
	tireless := g.family == "fable" || g.family == "mythos"
	t := traits{
		sampling: !g.atLeast(4, 7),
		oneOf:    g.atLeast(4, 1),
		schema:   g.atLeast(4, 5),
		prefill:  !g.atLeast(4, 6),
		eager:    g.atLeast(5, 0),
		restless: tireless || g.atLeast(5, 5) && g.family != "haiku",
	}
	switch {
	case g.atLeast(4, 7):
		t.think, t.effort = thinkAdaptive, levelXHigh
	case g.atLeast(4, 6):
		t.think, t.effort = thinkEither, levelMax
	case g.atLeast(4, 5) && g.family == "opus":
		t.think, t.effort = thinkBudget, levelHigh
	case g.atLeast(3, 7):
		t.think = thinkBudget
	}
	return t
}

// generationOf finds the first two small numbers after "claude". A name
// without any is taken for a model that has what most have: 4.0.
func generationOf(model string) generation {
	var g generation
	_, rest, found := strings.Cut(strings.ToLower(model), "claude")
	if !found {
		return generation{major: 4}
	}
	words := strings.FieldsFunc(rest, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	numbers := 0
	for _, w := range words {
		n, err := strconv.Atoi(w)
		switch {
		case err != nil && g.family == "":
			g.family = w
		case err != nil || len(w) > 2: // "v2", "latest", a date
		case numbers == 0:
			g.major, numbers = n, 1
		case numbers == 1:
			g.minor, numbers = n, 2
		}
	}
	if numbers == 0 {
		g.major = 4
		if g.family == "fable" || g.family == "mythos" {
			g.major = 5
		}
	}
	return g
}
