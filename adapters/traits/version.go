package traits

import (
	"slices"
	"strconv"
	"strings"
)

// version is a model's generation; newest is one that the name does not tell.
type version struct{ major, minor int }

func newest() version { return version{major: 1 << 30} }

func (v version) atLeast(w version) bool {
	return v.major > w.major || v.major == w.major && v.minor >= w.minor
}

// words splits what follows a family's name in a model's, in any of its
// spellings: claude-3-7-sonnet@20250219, anthropic/claude-opus-4.6, GLM-5.3.
// ok is false if the name is not of the family.
func words(model, family string) (list []string, ok bool) {
	model = strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	at := strings.Index(model, family)
	if at < 0 || at > 0 && isAlnum(rune(model[at-1])) {
		return nil, false
	}
	return strings.FieldsFunc(model[at+len(family):], func(r rune) bool { return !isAlnum(r) }), true
}

func isAlnum(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' }

// versionOf finds the first two small numbers. The first may have a letter in
// front (v4, k2, m2) or letters behind it (4o); dates and sizes are neither.
func versionOf(list []string) version {
	v, numbers := newest(), 0
	for _, w := range list {
		text := w
		if numbers == 0 {
			if len(w) > 1 && strings.ContainsRune("vkmo", rune(w[0])) && isDigit(w[1]) {
				text = w[1:]
			}
			text = strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
		}
		n, err := strconv.Atoi(text)
		switch {
		case err != nil || len(text) > 2:
			if numbers == 1 { // the minor version follows at once
				return v
			}
		case numbers == 0:
			v, numbers = version{major: n}, 1
		default:
			v.minor = n
			return v
		}
	}
	return v
}

func isDigit(ch byte) bool { return '0' <= ch && ch <= '9' }

// has reports whether one of the words is among the list, or there are none to
// ask for.
func has(list, variants []string) bool {
	return len(variants) == 0 || slices.ContainsFunc(variants, func(v string) bool { return slices.Contains(list, v) })
}
