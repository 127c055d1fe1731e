package api

import (
	"github.com/hybridinference/gateway/shared/rawjson"
)

// AppendOwn appends a provider's object with the id and the model that the
// client knows: the generation's, and the name that it asked for. Everything
// else stays as it came.
func AppendOwn(dst, object []byte, h *Head) []byte {
	dst = append(dst, '{')
	for key, val := range rawjson.Members(object) {
		dst = appendKey(dst, key)
		switch string(key) {
		case "id":
			dst = rawjson.AppendString(dst, h.ID)
		case "model":
			dst = rawjson.AppendString(dst, h.Model)
		default:
			dst = append(dst, val...)
		}
	}
	return append(dst, '}')
}

// AppendOwnWithin appends a provider's event in whose member of that name there
// is such an object. An event without one stays as it came.
func AppendOwnWithin(dst, event []byte, name string, h *Head) []byte {
	dst = append(dst, '{')
	for key, val := range rawjson.Members(event) {
		dst = appendKey(dst, key)
		if string(key) == name && val[0] == rawjson.Object {
			dst = AppendOwn(dst, val, h)
		} else {
			dst = append(dst, val...)
		}
	}
	return append(dst, '}')
}

// AppendCost appends a provider's object with the gateway's cost in its usage, if
// it has one.
func AppendCost(dst, object []byte, total *Total) []byte {
	dst = append(dst, '{')
	for key, val := range rawjson.Members(object) {
		dst = appendKey(dst, key)
		if string(key) == "usage" && total.Cost != "" && val[0] == rawjson.Object {
			dst = AppendUsage(dst, val, total.Cost)
		} else {
			dst = append(dst, val...)
		}
	}
	return append(dst, '}')
}

// AppendUsage appends a provider's usage with the gateway's cost.
func AppendUsage(dst, usage []byte, cost string) []byte {
	dst = append(append(dst, `{"cost":`...), cost...)
	for key, val := range rawjson.Members(usage) {
		if string(key) != "cost" {
			dst = append(appendKey(dst, key), val...)
		}
	}
	return append(dst, '}')
}

// appendKey begins a member of an object.
func appendKey(dst, key []byte) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(append(append(dst, '"'), key...), '"', ':')
}

// AppendEvent appends a server-sent event.
func AppendEvent(dst, name, data []byte) []byte {
	if len(name) > 0 {
		dst = append(append(append(dst, "event: "...), name...), '\n')
	}
	return append(append(append(dst, "data: "...), data...), '\n', '\n')
}
