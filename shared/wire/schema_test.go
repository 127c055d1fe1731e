package wire_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hybridinference/gateway/shared/wire"
)

// TestTheSchemaIsTheEvent holds the published schema to the type and to the
// golden files of every version.
func TestTheSchemaIsTheEvent(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("usage.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/v*/usage.json")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	least := wire.Usage{RequestID: "gen-1779760223-a", API: "chat", End: wire.EndRejected, UsageSource: wire.UsageNone}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(least.Append(nil)))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Errorf("an event with as little as possible: %v", err)
	}
	var fields, described []string
	for f := range reflect.TypeFor[wire.Usage]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, name)
	}
	for name := range schema.Properties {
		described = append(described, name)
	}
	slices.Sort(fields)
	slices.Sort(described)
	if !slices.Equal(fields, described) {
		t.Errorf("the schema has %q, the event %q", described, fields)
	}
}
