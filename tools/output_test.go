package tools

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors"
)

// TestOutputSchema: what is shown stands in the schema, in its order.
func TestOutputSchema(t *testing.T) {
	type row struct {
		ID     string             `json:"id"`
		At     time.Time          `json:"at,omitzero"`
		Count  *int64             `json:"count,omitempty"`
		Share  float64            `json:"share"`
		Why    *vendors.Failure   `json:"why,omitempty"`
		By     map[string]int     `json:"by"`
		Tags   []string           `json:"tags,omitempty"`
		Rows   []vendors.Document `json:"rows"`
		Hidden string             `json:"-"`
		//lint:ignore U1000 what is not exported is in no answer
		own int
	}
	const want = `{"type":"object","properties":{"id":{"type":"string"},"at":{"type":"string"},"count":{"type":"integer"},` +
		`"share":{"type":"number"},"why":{"type":"object"},"by":{"type":"object"},"tags":{"type":"array","items":{"type":"string"}},` +
		`"rows":{"type":"array","items":{"type":"object","description":"as in get_document_info"}}}}`
	it := tool{face: face{name: "row"}, result: reflect.TypeFor[row]()}
	if got := string(outputSchema(it, []string{"get_document_info"})); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(outputSchema(it, nil)); !strings.Contains(got, `"document_id"`) {
		t.Errorf("without the tool to refer to: %s", got)
	}
}

// TestRowsAreToldSomewhere: the tool to which schemas refer for a struct has its
// fields, and everybody has that tool.
func TestRowsAreToldSomewhere(t *testing.T) {
	all := (&Set{}).all()
	for row, home := range homes {
		i := slices.IndexFunc(all, func(it tool) bool { return it.name == home })
		if i < 0 || all[i].effect != reads || !has(all[i].result, row) {
			t.Errorf("%s does not tell a %s", home, row)
		}
	}
}

// has reports whether values of a type can hold a row.
func has(typ, row reflect.Type) bool {
	switch {
	case typ == row:
		return true
	case typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer:
		return has(typ.Elem(), row)
	case typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]():
		return false
	}
	for i := range typ.NumField() {
		if f := typ.Field(i); f.IsExported() && has(f.Type, row) {
			return true
		}
	}
	return false
}

// TestResultsAreNamed: every exported field of a result has its JSON name, or is
// left out on purpose, and no result writes itself: schemas follow the fields.
func TestResultsAreNamed(t *testing.T) {
	for _, it := range (&Set{}).all() {
		named(t, it.name, it.result)
	}
}

func named(t *testing.T, at string, typ reflect.Type) {
	t.Helper()
	if typ == reflect.TypeFor[time.Time]() {
		return
	}
	if typ.Implements(reflect.TypeFor[json.Marshaler]()) || reflect.PointerTo(typ).Implements(reflect.TypeFor[json.Marshaler]()) {
		t.Errorf("%s: %s writes itself", at, typ)
	}
	switch typ.Kind() {
	case reflect.Slice, reflect.Pointer:
		named(t, at, typ.Elem())
	case reflect.Struct:
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous || f.IsExported() && name == "" || options != "" && options != "omitempty" && options != "omitzero" {
				t.Errorf("%s: %s.%s is not named as schemas need it", at, typ, f.Name)
			}
			if f.IsExported() && name != "-" {
				named(t, at+"."+name, f.Type)
			}
		}
	}
}
