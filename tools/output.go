package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// opaque are structs that explain themselves where they appear: the list of tools
// is shorter without their fields.
var opaque = []reflect.Type{reflect.TypeFor[vendors.Failure](), reflect.TypeFor[vendors.Stalled](), reflect.TypeFor[vendors.ErrorReport]()}

// rows are the structs that several tools answer with. One that says in which
// tool's answer they stand, refers to it.
var rows = []reflect.Type{reflect.TypeFor[vendors.Document](), reflect.TypeFor[vendors.KnowledgeBase](), reflect.TypeFor[connection.Progress]()}

// outputSchema describes a result as encoding/json writes it. rowsAs names the
// tool whose schema has the fields of its rows.
func outputSchema(result reflect.Type, rowsAs string) json.RawMessage {
	var b bytes.Buffer
	writeSchema(&b, result, rowsAs)
	return b.Bytes()
}

func writeSchema(b *bytes.Buffer, typ reflect.Type, rowsAs string) {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	kind := jsonType(typ)
	fmt.Fprintf(b, `{"type":%q`, kind)
	switch {
	case kind == "array":
		b.WriteString(`,"items":`)
		writeSchema(b, typ.Elem(), rowsAs)
	case typ.Kind() != reflect.Struct || kind != "object" || slices.Contains(opaque, typ):
	case rowsAs != "" && slices.Contains(rows, typ):
		fmt.Fprintf(b, `,"description":"as in %s"`, rowsAs)
	default:
		writeProperties(b, typ, rowsAs)
	}
	b.WriteByte('}')
}

// writeProperties describes the fields that are shown, in their order. Those
// that are never left out are required.
func writeProperties(b *bytes.Buffer, typ reflect.Type, rowsAs string) {
	required := []string{}
	before := `,"properties":{`
	for i := range typ.NumField() {
		name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name == "-" || name == "" {
			continue
		}
		if options == "" {
			required = append(required, name)
		}
		fmt.Fprintf(b, `%s%q:`, before, name)
		writeSchema(b, typ.Field(i).Type, rowsAs)
		before = ","
	}
	fmt.Fprintf(b, `},"required":%s`, mustMarshal(required))
}

// jsonType is how JSON Schema calls what encoding/json makes of a type.
func jsonType(typ reflect.Type) string {
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
	panic("no JSON type for " + typ.String())
}
