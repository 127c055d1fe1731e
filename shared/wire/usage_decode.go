package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// UsageDecoder reads usage events. A collector reads one for every request of
// every node: this takes a tenth of encoding/json's time. Make one with
// NewUsageDecoder; it may be used side by side.
type UsageDecoder struct {
	names []string       // the members of an event by the index of their field
	index map[string]int // the reverse
}

// NewUsageDecoder prepares to read events.
func NewUsageDecoder() *UsageDecoder {
	d := &UsageDecoder{index: map[string]int{}}
	for field := range reflect.TypeFor[Usage]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		d.index[name] = len(d.names)
		d.names = append(d.names, name)
	}
	return d
}

// Decode reads one event. Unknown is a JSON object of the members that a newer
// program wrote and this one does not know, nil if there are none. The event
// keeps nothing of line.
func (d *UsageDecoder) Decode(line []byte) (u *Usage, unknown []byte, err error) {
	u = new(Usage)
	// the event's strings are parts of this one where they can be
	text := string(line)
	var c rawjson.Cursor
	c.Reset(line)
	if !c.Object() && c.Err() == nil {
		return nil, nil, errors.New("usage event: not readable: not a JSON object")
	}
	fields := reflect.ValueOf(u).Elem()
	next := 0 // members come in the order of the fields, unless someone else wrote them
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		raw := c.Raw()
		if c.Err() != nil {
			break
		}
		if next >= len(d.names) || d.names[next] != string(key) {
			if next, ok = d.index[string(key)]; !ok {
				next = 0
				unknown = appendMember(unknown, key, raw)
				continue
			}
		}
		at := c.Offset() - len(raw)
		if err := setField(fields.Field(next).Addr().Interface(), raw, text[at:at+len(raw)]); err != nil {
			return nil, nil, fmt.Errorf("usage event: %s: %w", key, err)
		}
		next++
	}
	if err := c.End(); err != nil {
		return nil, nil, fmt.Errorf("usage event: not readable: %w", err)
	}
	if u.V < 1 || u.V > Version {
		return nil, nil, fmt.Errorf("usage event: version %d, this program reads up to %d", u.V, Version)
	}
	if u.RequestID == "" {
		return nil, nil, errors.New("usage event: request_id is missing")
	}
	if unknown != nil {
		unknown = append(unknown, '}')
	}
	return u, unknown, nil
}

// DecodeUsage reads one event, for those who read few.
func DecodeUsage(line []byte) (*Usage, error) {
	u, _, err := NewUsageDecoder().Decode(line)
	return u, err
}

func appendMember(dst, key, raw []byte) []byte {
	if dst == nil {
		dst = append(dst, '{')
	} else {
		dst = append(dst, ',')
	}
	return append(append(append(append(dst, '"'), key...), '"', ':'), raw...)
}

// setField sets one field to a value that the cursor has checked; text is the
// same as raw. As in encoding/json, null leaves the field as it is.
func setField(field any, raw []byte, text string) error {
	if rawjson.IsNull(raw) {
		return nil
	}
	ok := true
	switch field := field.(type) {
	case *string:
		if ok = raw[0] == '"'; ok {
			*field = unquote(raw, text)
		}
	case *int64:
		*field, ok = rawjson.Int(raw)
	case *int:
		var n int64
		n, ok = rawjson.Int(raw)
		*field = int(n)
	case *uint64:
		var n int64
		n, ok = rawjson.Int(raw)
		ok = ok && n >= 0
		*field = uint64(n)
	case *bool:
		*field = raw[0] == 't'
		ok = *field || raw[0] == 'f'
	case *json.RawMessage:
		*field = []byte(text)
	case *[]Attempt:
		if ok = raw[0] == '['; ok {
			return readAttempts(field, raw)
		}
	default:
		return fmt.Errorf("a field of type %T has no reader", field)
	}
	if !ok {
		return fmt.Errorf("%.40s is not a value of its type", text)
	}
	return nil
}

func readAttempts(list *[]Attempt, raw []byte) error {
	*list = []Attempt{}
	for element := range rawjson.Elements(raw) {
		var a Attempt
		if element[0] != '{' {
			return fmt.Errorf("%.40s is not an object", element)
		}
		for key, value := range rawjson.Members(element) {
			var field any
			switch string(key) {
			case "endpoint":
				field = &a.Endpoint
			case "status":
				field = &a.Status
			case "kind":
				field = &a.Kind
			case "ms":
				field = &a.MS
			default:
				continue
			}
			if err := setField(field, value, string(value)); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		*list = append(*list, a)
	}
	return nil
}

func unquote(raw []byte, text string) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text[1 : len(text)-1]
	}
	return rawjson.Text(raw)
}
