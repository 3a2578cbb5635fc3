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
	"kb-mcp/vendors/tally"
)

// opaque are structs that explain themselves where they appear: the list of tools
// is shorter without their fields.
var opaque = []reflect.Type{reflect.TypeFor[vendors.Failure](), reflect.TypeFor[vendors.Stalled](), reflect.TypeFor[vendors.ErrorReport]()}

// homes are the structs that several tools answer with. Each is described in one
// tool's schema, to which those of the others refer.
var homes = map[reflect.Type]string{
	reflect.TypeFor[vendors.Document]():          "get_document_info",
	reflect.TypeFor[vendors.KnowledgeBase]():     "list_knowledge_bases",
	reflect.TypeFor[connection.ProgressResult](): "get_ingestion_progress",
	reflect.TypeFor[tally.Summary]():             "get_ingestion_progress",
	reflect.TypeFor[connection.Incomplete]():     "find_unfinished_documents",
}

// outputSchema describes a tool's result as encoding/json writes it. offered are
// the tools to which it may refer. Nothing is called required: clients have the
// answer, and every word is paid for.
func outputSchema(t tool, offered []string) json.RawMessage {
	elsewhere := func(typ reflect.Type) string {
		if home := homes[typ]; home != t.name && slices.Contains(offered, home) {
			return home
		}
		return ""
	}
	var b bytes.Buffer
	writeSchema(&b, t.result, elsewhere)
	return b.Bytes()
}

func writeSchema(b *bytes.Buffer, typ reflect.Type, elsewhere func(reflect.Type) string) {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	kind := jsonType(typ)
	fmt.Fprintf(b, `{"type":%q`, kind)
	switch {
	case kind == "array":
		b.WriteString(`,"items":`)
		writeSchema(b, typ.Elem(), elsewhere)
	case typ.Kind() != reflect.Struct || kind != "object" || slices.Contains(opaque, typ):
	case elsewhere(typ) != "":
		fmt.Fprintf(b, `,"description":"as in %s"`, elsewhere(typ))
	default:
		writeProperties(b, typ, elsewhere)
	}
	b.WriteByte('}')
}

// writeProperties describes the fields that are shown, in their order.
func writeProperties(b *bytes.Buffer, typ reflect.Type, elsewhere func(reflect.Type) string) {
	before := `,"properties":{`
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name == "-" || name == "" {
			continue
		}
		fmt.Fprintf(b, `%s%q:`, before, name)
		writeSchema(b, typ.Field(i).Type, elsewhere)
		before = ","
	}
	b.WriteByte('}')
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
