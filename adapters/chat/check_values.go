package chat

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// MaxModels bounds models[], as at OpenRouter.
const MaxModels = 3

// characters counts the characters of a string literal.
func characters(literal []byte) int {
	return utf8.RuneCount(rawjson.Unquote(nil, literal))
}

// isOneOf accepts the strings that a parameter may be.
func isOneOf(p Param, val []byte, allowed ...string) error {
	return oneOf(p.String(), val, allowed...)
}

func oneOf(name string, val []byte, allowed ...string) error {
	if val[0] == '"' && slices.Contains(allowed, rawjson.Text(val)) {
		return nil
	}
	n := len(allowed) - 1
	return invalid("%s: must be %s or %s, got %s", name, strings.Join(allowed[:n], ", "), allowed[n], describe(val))
}

// member is what an object's member must be; members that are not listed may
// be anything.
type member struct {
	name string
	kind byte // rawjson.True means both booleans
}

// isObject checks the members of an object that are there and not null.
func isObject(p Param, val []byte, members ...member) error {
	if err := isKind(p, val, rawjson.Object, "an object"); err != nil {
		return err
	}
	return checkMembers(p.String(), val, members...)
}

func checkMembers(name string, val []byte, members ...member) error {
	for _, m := range members {
		raw := Member(val, m.name)
		if rawjson.IsNull(raw) || raw[0] == m.kind || m.kind == rawjson.True && raw[0] == rawjson.False {
			continue
		}
		want := map[byte]string{rawjson.String: "a string", rawjson.True: "true or false", rawjson.Object: "an object", rawjson.Array: "an array"}[m.kind]
		return invalid("%s.%s: must be %s, got %s", name, m.name, want, describe(raw))
	}
	return nil
}

// eachString checks an array of strings, each by check.
func eachString(p Param, val []byte, check func(i int, s []byte) error) (int, error) {
	var c rawjson.Cursor
	c.Reset(val)
	if !c.Array() {
		return 0, invalid("%s: must be an array of strings, got %s", p, describe(val))
	}
	n := 0
	for ; c.Elem(); n++ {
		raw := c.Raw()
		if raw[0] != '"' {
			return n, invalid("%s[%d]: must be a string, got %s", p, n, describe(raw))
		}
		if err := check(n, raw); err != nil {
			return n, err
		}
	}
	return n, nil
}

func checkModels(val []byte) error {
	n, err := eachString(Models, val, func(i int, s []byte) error {
		if len(s) <= 2 {
			return invalid("models[%d]: must not be empty", i)
		}
		return nil
	})
	if err == nil && n > MaxModels {
		return invalid("'models' array must have %d items or fewer.", MaxModels)
	}
	return err
}

func checkModalities(val []byte) error {
	_, err := eachString(Modalities, val, func(i int, s []byte) error {
		return oneOf("modalities["+strconv.Itoa(i)+"]", s, "text", "image", "audio")
	})
	return err
}

func checkTransforms(val []byte) error {
	_, err := eachString(Transforms, val, func(int, []byte) error { return nil })
	return err
}

func checkPlugins(val []byte) error {
	var c rawjson.Cursor
	c.Reset(val)
	if !c.Array() {
		return invalid("plugins: must be an array of objects, got %s", describe(val))
	}
	for i := 0; c.Elem(); i++ {
		raw := c.Raw()
		name := "plugins[" + strconv.Itoa(i) + "]"
		if raw[0] != '{' {
			return invalid("%s: must be an object with an id, got %s", name, describe(raw))
		}
		if len(rawjson.Inner(Member(raw, "id"))) == 0 {
			return invalid("%s.id: required, a string", name)
		}
		if err := checkMembers(name, raw, member{"enabled", rawjson.True}); err != nil {
			return err
		}
	}
	return nil
}

// checkMetadata holds metadata to OpenAI's limits.
func checkMetadata(val []byte) error {
	const most, mostKey, mostValue = 16, 64, 512
	var c rawjson.Cursor
	c.Reset(val)
	if !c.Object() {
		return invalid("metadata: must be an object of strings, got %s", describe(val))
	}
	n := 0
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		raw := c.Raw()
		if n++; n > most {
			return invalid("metadata: must have at most %d pairs", most)
		}
		if utf8.RuneCount(rawjson.AppendUnescaped(nil, key)) > mostKey {
			return invalid("metadata: the key %s must be at most %d characters long", clip(key), mostKey)
		}
		if raw[0] != '"' {
			return invalid("metadata.%s: must be a string, got %s", clip(key), describe(raw))
		}
		if len(raw)-2 > mostValue && characters(raw) > mostValue {
			return invalid("metadata.%s: must be at most %d characters long", clip(key), mostValue)
		}
	}
	return nil
}

func checkLogitBias(val []byte) error {
	var c rawjson.Cursor
	c.Reset(val)
	if !c.Object() {
		return invalid("logit_bias: must be an object of token ids and numbers, got %s", describe(val))
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		raw := c.Raw()
		if f, ok := rawjson.Float(raw); !ok || f < -100 || f > 100 {
			return invalid("logit_bias.%s: must be a number from -100 to 100, got %s", clip(key), describe(raw))
		}
	}
	return nil
}

func checkPrediction(val []byte) error {
	if err := isObject(Prediction, val); err != nil {
		return err
	}
	if kind := Member(val, "type"); string(kind) != `"content"` {
		return invalid("prediction.type: must be content, got %s", describe(kind))
	}
	if content := Member(val, "content"); len(content) == 0 || content[0] != '"' && content[0] != '[' {
		return invalid("prediction.content: must be a string or an array of text parts, got %s", describe(content))
	}
	return nil
}

func checkCacheControl(val []byte) error {
	if err := isObject(CacheControl, val); err != nil {
		return err
	}
	if kind := Member(val, "type"); string(kind) != `"ephemeral"` {
		return invalid("cache_control.type: must be ephemeral, got %s", describe(kind))
	}
	if ttl := Member(val, "ttl"); !rawjson.IsNull(ttl) {
		return oneOf("cache_control.ttl", ttl, "5m", "1h")
	}
	return nil
}

// maxName bounds the names of functions and schemas.
const maxName = 64

// validName reports whether every provider takes a function of that name.
func validName(literal []byte) bool {
	name := rawjson.Inner(literal)
	for _, ch := range name {
		if (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') && (ch < '0' || ch > '9') && ch != '_' && ch != '-' {
			return false
		}
	}
	return len(name) <= maxName
}

// checkSchema checks response_format.json_schema.
func checkSchema(val []byte) error {
	const field = "response_format.json_schema"
	named := Member(val, "json_schema")
	schema := Member(named, "schema")
	if len(schema) == 0 {
		schema = Member(val, "schema") // the reference system's short form
	}
	if len(schema) == 0 || schema[0] != '{' {
		return invalid("%s.schema: required, an object", field)
	}
	if rawjson.IsNull(named) {
		return nil
	}
	name := Member(named, "name")
	if len(rawjson.Inner(name)) == 0 {
		return invalid("%s.name: required, a string", field)
	}
	if len(name)-2 > maxName && characters(name) > maxName {
		return invalid("%s.name: must be at most %d characters long", field, maxName)
	}
	return checkMembers(field, named, member{"description", rawjson.String}, member{"strict", rawjson.True})
}
