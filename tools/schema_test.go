package tools

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors"
)

// opaque are structs whose fields no schema tells, to keep the list short: they
// explain themselves where they appear.
var opaque = []reflect.Type{reflect.TypeFor[vendors.Failure](), reflect.TypeFor[vendors.Stalled](), reflect.TypeFor[vendors.ErrorReport]()}

// node is a schema as far as ours go.
type node struct {
	Type        string
	Description string
	Properties  map[string]*node
	Required    []string
	Items       *node
}

// TestSchemasAreTheStructs holds every output schema against the Go type of its
// tool's result, in both directions: a field that the schema does not name, a
// property that no field gives, another type, and what is always there and not
// required all fail.
func TestSchemasAreTheStructs(t *testing.T) {
	s := writeSet(&depot{})
	g := guard{t: t, rows: map[string]reflect.Type{}}
	for range 2 { // "as in" may refer to a later tool
		for i, d := range s.Definitions() {
			var n node
			must(t, json.Unmarshal(d.RawOutputSchema, &n))
			g.check(d.Name, &n, s.tools[i].result)
		}
		g.known = true
	}
}

// guard walks schemas beside types.
type guard struct {
	t     *testing.T
	rows  map[string]reflect.Type // tool and type that it tells in full
	known bool                    // rows is filled
}

func (g *guard) check(at string, n *node, typ reflect.Type) {
	g.t.Helper()
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if n == nil {
		g.t.Errorf("%s: nothing for %s", at, typ)
		return
	}
	if want := schemaType(typ); n.Type != want {
		g.t.Errorf("%s: type %q for %s, which is %q", at, n.Type, typ, want)
		return
	}
	switch {
	case n.Type == "array":
		g.check(at+"[]", n.Items, typ.Elem())
	case typ.Kind() == reflect.Struct && n.Type == "object":
		g.object(at, n, typ)
	case len(n.Properties) > 0:
		g.t.Errorf("%s: properties of %s", at, typ)
	}
}

// object checks a struct's fields.
func (g *guard) object(at string, n *node, typ reflect.Type) {
	g.t.Helper()
	if other, ok := strings.CutPrefix(n.Description, "as in "); ok {
		if g.known && g.rows[other+" "+typ.String()] == nil {
			g.t.Errorf("%s: %s does not tell a %s", at, other, typ)
		}
		return
	}
	if n.Properties == nil {
		if !slices.Contains(opaque, typ) {
			g.t.Errorf("%s: no properties for %s", at, typ)
		}
		return
	}
	tool, _, _ := strings.Cut(at, ".")
	g.rows[tool+" "+typ.String()] = typ
	seen := map[string]bool{}
	for i := range typ.NumField() {
		tag := typ.Field(i).Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if !typ.Field(i).IsExported() || name == "-" {
			continue
		}
		if name == "" {
			g.t.Errorf("%s: %s.%s is not named", at, typ, typ.Field(i).Name)
		}
		seen[name] = true
		always := options == ""
		if n.Properties[name] == nil {
			g.t.Errorf("%s: the schema does not name %s", at, name)
			continue
		}
		if always != slices.Contains(n.Required, name) {
			g.t.Errorf("%s: %s is always there: %v, and required: %v", at, name, always, !always)
		}
		g.check(at+"."+name, n.Properties[name], typ.Field(i).Type)
	}
	for name := range n.Properties {
		if !seen[name] {
			g.t.Errorf("%s: %s has no field %s", at, typ, name)
		}
	}
	for _, name := range n.Required {
		if !seen[name] {
			g.t.Errorf("%s: %s has no field %s, which is required", at, typ, name)
		}
	}
}

// schemaType is how JSON Schema calls what encoding/json makes of a type.
func schemaType(typ reflect.Type) string {
	if typ == reflect.TypeFor[time.Time]() {
		return "string"
	}
	switch typ.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "array"
	case reflect.Map, reflect.Struct:
		return "object"
	}
	return fmt.Sprint("no JSON type: ", typ.Kind())
}

// TestTheFullDocumentIsFull: what the other tests take for a document with
// everything has everything, so that a new field is among what they look at.
func TestTheFullDocumentIsFull(t *testing.T) {
	d := full("a")
	d.Vendor, d.KnowledgeBaseID = "dify", "kb"                    // [vendors.Vendor] sets them
	shown := []string{"ProgressPercent", "Stalled", "Searchable"} // set by it, from the status
	for _, v := range []reflect.Value{reflect.ValueOf(d), reflect.ValueOf(*d.Error)} {
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).IsZero() && !slices.Contains(shown, name) {
				t.Errorf("%s.%s is not set", v.Type(), name)
			}
		}
	}
}

// TestTheGuardGuards changes schemas and expects to hear of it.
func TestTheGuardGuards(t *testing.T) {
	type row struct {
		ID    string `json:"id"`
		Count *int64 `json:"count,omitempty"`
	}
	good := `{"type":"object","properties":{"id":{"type":"string"},"count":{"type":"integer"}},"required":["id"]}`
	for _, tt := range []struct{ old, new string }{
		{"", ""},
		{`"count":{"type":"integer"}`, `"count":{"type":"number"}`},
		{`,"count":{"type":"integer"}`, ``},
		{`"count":{"type":"integer"}`, `"count":{"type":"integer"},"more":{"type":"string"}`},
		{`["id"]`, `["id","count"]`},
		{`["id"]`, `[]`},
		{`["id"]`, `["id","gone"]`},
		{`"properties":{"id":{"type":"string"},"count":{"type":"integer"}}`, `"description":"as in another_tool"`},
		{`"properties":{"id":{"type":"string"},"count":{"type":"integer"}},`, ``},
	} {
		var n node
		must(t, json.Unmarshal([]byte(strings.Replace(good, tt.old, tt.new, 1)), &n))
		inner := &testing.T{}
		(&guard{t: inner, rows: map[string]reflect.Type{}, known: true}).check("tool", &n, reflect.TypeFor[row]())
		if inner.Failed() != (tt.old != "") {
			t.Errorf("%s for %s: failed %v", tt.new, tt.old, inner.Failed())
		}
	}
}
