package adminapi

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// Typed is an Operation whose types are values.
type Typed struct {
	Description
	In, Out reflect.Type
}

// Typed returns the operation with its types as values.
func (o Operation[In, Out]) Typed() Typed {
	return Typed{o.Description, reflect.TypeFor[In](), reflect.TypeFor[Out]()}
}

// Document returns the OpenAPI document of operations as JSON.
func Document(operations []Typed) (json.RawMessage, error) {
	schemas := &Schemas{Components: map[string]Schema{}}
	paths := map[string]Schema{}
	for _, o := range operations {
		if paths[o.Path] == nil {
			paths[o.Path] = Schema{}
		}
		paths[o.Path][strings.ToLower(o.Method)] = o.describe(schemas)
	}
	failed := Schema{
		"description": "not done",
		"headers":     Schema{"Retry-After": Schema{"description": "seconds, with 429", "schema": Schema{"type": "integer"}}},
		"content":     content(schemas.Of(reflect.TypeFor[Error]())),
	}
	return json.Marshal(Schema{
		"openapi": "3.1.0",
		"info": Schema{
			"title": "Control plane of the gateway", "version": "1", "summary": "The admin API of the control plane, for operators and their tools.",
			"description": "Every change is recorded with its author and reason. Unknown fields and parameters are errors.",
		},
		"security": []any{Schema{"admin": []any{}}},
		"tags":     Tags(),
		"paths":    paths,
		"components": Schema{
			"securitySchemes": Schema{"admin": Schema{"type": "http", "scheme": "bearer", "description": "ADMIN_TOKEN of the daemon, or the token of an operator"}},
			"responses":       Schema{"Error": failed},
			"schemas":         schemas.Components,
		},
	})
}

func content(schema Schema) Schema { return Schema{"application/json": Schema{"schema": schema}} }

func (o Typed) describe(schemas *Schemas) Schema {
	out := Schema{
		"operationId": operationID(o.Description), "tags": []string{o.Tag}, "summary": o.Summary,
		"responses": Schema{
			strconv.Itoa(o.Status): Schema{"description": "done", "content": content(schemas.Of(o.Out))},
			"default":              Schema{"$ref": "#/components/responses/Error"},
		},
	}
	if o.Public {
		out["security"] = []any{}
	}
	if o.Role != "" {
		out["description"] = "Needs the role " + o.Role + "."
	}
	if list := o.parameters(schemas); len(list) > 0 {
		out["parameters"] = list
	}
	body, required := false, false
	for _, f := range fieldsOf(o.In) {
		if nameOf(f) != "" {
			body, required = true, required || !optional(f)
		}
	}
	if body {
		out["requestBody"] = Schema{"required": required, "content": content(schemas.Of(o.In))}
	}
	return out
}

// operationID is such as put_weights.
func operationID(d Description) string {
	words := strings.FieldsFunc(strings.TrimPrefix(d.Path, "/admin"), func(ch rune) bool { return strings.ContainsRune("/{}.", ch) })
	return strings.Join(append([]string{strings.ToLower(d.Method)}, words...), "_")
}

// parameters are the fields that do not come with the body alone.
func (o Typed) parameters(schemas *Schemas) []Schema {
	var list []Schema
	for _, f := range fieldsOf(o.In) {
		for _, place := range []string{"path", "query", "header"} {
			name := f.Tag.Get(place)
			if name == "" {
				continue
			}
			p := Schema{"name": name, "in": place, "schema": schemas.Property(f)}
			if place == "path" {
				p["required"] = true
			}
			if doc := f.Tag.Get("doc"); doc != "" {
				p["description"] = doc
			}
			list = append(list, p)
		}
	}
	return list
}
