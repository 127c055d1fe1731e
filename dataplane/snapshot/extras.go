package snapshot

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// addExtras resolves what the operator adds to every request of the endpoint:
// headers, which go into e, and members of the body, which go into settings.
// missing names a variable without which the endpoint cannot serve.
func (b *Builder) addExtras(e *Endpoint, settings *codec.Settings) (missing string, err error) {
	for _, name := range slices.Sorted(maps.Keys(e.ExtraHeaders)) {
		e.Headers = append(e.Headers, codec.Header{Name: name, Value: e.ExtraHeaders[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(e.SecretHeaders)) {
		variable := e.SecretHeaders[name]
		value, ok := b.lookup(variable)
		switch {
		case !ok:
			missing = variable
		case !oneLine(value):
			b.Log.Error("secret cannot be used in a header: it has more than one line", slog.String("endpoint", e.ID), slog.String("variable", variable))
			missing = variable
		default:
			e.Headers = append(e.Headers, codec.Header{Name: name, Value: value})
			e.Hidden = append(e.Hidden, value)
		}
	}
	if len(e.SecretBody) == 0 {
		return missing, nil
	}
	members := make(map[string]json.RawMessage)
	if len(settings.ExtraBody) > 0 {
		if err := json.Unmarshal(settings.ExtraBody, &members); err != nil {
			return "", fmt.Errorf("extra_body: %w", err)
		}
	}
	for member, variable := range e.SecretBody {
		value, ok := b.lookup(variable)
		if !ok {
			missing = variable
		}
		e.Hidden = append(e.Hidden, value)
		members[member] = rawjson.AppendString(nil, value)
	}
	settings.ExtraBody, err = json.Marshal(members)
	return missing, err
}

// lookup finds a secret that is not empty.
func (b *Builder) lookup(variable string) (value string, ok bool) {
	value, ok = b.Secret(variable)
	value = strings.TrimSpace(value)
	return value, ok && value != ""
}

// oneLine reports whether text fits into a header.
func oneLine(text string) bool {
	return !strings.ContainsFunc(text, func(ch rune) bool { return ch < ' ' && ch != '\t' || ch == 0x7f })
}
