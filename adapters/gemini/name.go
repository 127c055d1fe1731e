package gemini

import "github.com/hybridinference/gateway/shared/rawjson"

// Google's function names begin with a letter or an underscore, OpenAI's may
// begin with a digit or a dash as well. Such a name gets an underscore in
// front, and so does one that looks as if it had got one: what comes back can
// always be undone without knowing the request.

// appendName appends a function's name as Google takes it.
func appendName(dst, name []byte) []byte {
	in := rawjson.Inner(name)
	dst = append(dst, '"')
	if oddStart(in) {
		dst = append(dst, '_')
	}
	return append(append(dst, in...), '"')
}

// restoreName undoes appendName. It returns name itself where there is
// nothing to undo, else a literal of its own.
func restoreName(name []byte) []byte {
	in := rawjson.Inner(name)
	if len(in) == 0 || in[0] != '_' || !oddStart(in) {
		return name
	}
	return append([]byte{'"'}, name[2:]...)
}

// oddStart reports whether the first character after any underscores is a
// digit or a dash.
func oddStart(in []byte) bool {
	for _, ch := range in {
		if ch != '_' {
			return isDigit(ch) || ch == '-'
		}
	}
	return false
}
