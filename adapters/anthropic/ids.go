package anthropic

import (
	"fmt"
	"hash/fnv"
	"strconv"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// ids hands out the ids of a request's tool calls. The API takes letters,
// digits, _ and - only, and each id once; other providers' ids have dots and
// colons and begin anew in each turn.
type ids struct{ used map[string]bool }

// take returns the id under which a call is sent. The same conversation gets
// the same ids each time, which keeps prompt caches valid.
func (s *ids) take(literal []byte) string {
	id := legalID(rawjson.Text(literal))
	if s.used == nil {
		s.used = map[string]bool{}
	}
	unique := id
	for n := 2; s.used[unique]; n++ {
		unique = id + "_" + strconv.Itoa(n)
	}
	s.used[unique] = true
	return unique
}

// legalID replaces what the API refuses. The checksum keeps apart ids that
// differ only in what was replaced.
func legalID(id string) string {
	if id == "" {
		return "call"
	}
	legal := []byte(id)
	changed := false
	for i, ch := range legal {
		if !isIDByte(ch) {
			legal[i] = '_'
			changed = true
		}
	}
	if !changed {
		return id
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(id))
	return fmt.Sprintf("%s_%08x", legal, sum.Sum32())
}

func isIDByte(ch byte) bool {
	return ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9' || ch == '_' || ch == '-'
}
