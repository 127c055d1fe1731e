package gemini

import "strings"

// family is what a model's name says of its generation, on which the forms of
// signatures, documents and budgets depend.
type family struct {
	// version is ten times the generation: 25 for gemini-2.5, 0 if the name
	// does not say, as gemini-flash-latest.
	version int
	pro     bool
	lite    bool
}

func familyOf(model string) family {
	f := family{pro: strings.Contains(model, "-pro"), lite: strings.Contains(model, "-lite")}
	_, rest, _ := strings.Cut(model, "gemini-")
	if rest == "" || !isDigit(rest[0]) {
		return f
	}
	f.version = 10 * int(rest[0]-'0')
	if len(rest) >= 3 && rest[1] == '.' && isDigit(rest[2]) {
		f.version += int(rest[2] - '0')
	}
	return f
}

func isDigit(ch byte) bool { return ch >= '0' && ch <= '9' }

// since reports whether the model is of a generation or later. A name
// without a version means the newest model.
func (f family) since(version int) bool { return f.version == 0 || f.version >= version }

// signs reports whether tool calls are refused without a thought signature.
func (f family) signs() bool { return f.since(30) }

// fetches reports whether the model takes any https URL.
func (f family) fetches() bool { return f.since(25) }

// endsWithUser reports whether a conversation must not end with the model's turn.
func (f family) endsWithUser() bool { return f.version >= 35 }

// budget returns the least and the greatest thinking budget in tokens, other
// than 0, which only some models take.
func (f family) budget() (least, greatest int64) {
	switch {
	case f.pro:
		return 128, 32768
	case f.lite:
		return 512, 24576
	}
	return 1, 24576
}
