package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// argDocs say what an argument means, in every tool the same. %s is its range and
// default, which hosts drop from the schema.
var argDocs = map[string]string{
	"vendor":            "Optional if there is one connection.",
	"knowledge_base_id": "From list_knowledge_bases.",
	"document_id":       "From list_documents.",
	"document_ids":      "Document ids (%s).",
	"batch_id":          "From an upload (Dify).",
	"status":            "Only this status.",
	"detail":            "Default brief.",
	"name_contains":     "Part of the name.",
	"timeout_seconds":   "Seconds (%s).",
	"query":             "Words or a question.",
	"name":              "Name.",
	"description":       "Description.",
	"enabled":           "Whether searches use it.",
	"metadata":          `Fields to set, as JSON text: {"author":"Li"}.`,
	"text":              "Its text.",
	"url":               "Its address.",
	"path":              "A file under KB_MCP_UPLOAD_ROOTS.",
	"limit":             "Rows (%s).",
	"cursor":            "next_cursor of the last page.",
}

// property is one argument as clients see it.
type property struct {
	Type        string            `json:"type"`
	Description string            `json:"description"`
	Enum        []string          `json:"enum,omitempty"`
	Items       map[string]string `json:"items,omitempty"`
	Minimum     *int              `json:"minimum,omitempty"`
	Maximum     *int              `json:"maximum,omitempty"`
	MaxItems    *int              `json:"maxItems,omitempty"`
	Default     *int              `json:"default,omitempty"`
}

// property describes an argument, without the bounds that nobody meets: how long
// a text may be. An object is asked for as JSON text: Gemini
// refuses an object without properties, and OpenAI's strict mode one whose
// properties are not listed. The decoder takes both.
func (p param) property() property {
	out := property{Type: "string", Description: p.doc(), Enum: p.enum}
	switch {
	case p.kind == reflect.Int:
		out.Type, out.Minimum, out.Maximum, out.Default = "integer", &p.min, &p.max, &p.standard
	case p.kind == reflect.Slice:
		out.Type, out.Items, out.MaxItems = "array", map[string]string{"type": "string"}, &p.max
	case p.kind == reflect.Bool:
		out.Type = "boolean"
	}
	return out
}

// doc is the argument's description.
func (p param) doc() string {
	bounds := fmt.Sprintf("%d-%d", p.min, p.max)
	if p.standard != 0 {
		bounds += fmt.Sprintf(", default %d", p.standard)
	}
	if p.every {
		return "Default all connections."
	}
	return strings.ReplaceAll(argDocs[p.name], "%s", bounds)
}

// inputSchema makes a tool's input schema: flat, without combinators, null,
// references and additionalProperties, so that every host takes it. Properties
// stand in the order of the parameters.
func inputSchema(params []param) json.RawMessage {
	required := []string{}
	var b bytes.Buffer
	b.WriteString(`{"type":"object","properties":{`)
	for i, p := range params {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", p.name, mustMarshal(p.property()))
		if p.required {
			required = append(required, p.name)
		}
	}
	b.WriteByte('}')
	if len(required) > 0 {
		fmt.Fprintf(&b, `,"required":%s`, mustMarshal(required))
	}
	b.WriteByte('}')
	return b.Bytes()
}

// mustMarshal is the JSON of strings and ints, which cannot fail.
func mustMarshal(v any) []byte {
	b, err := marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
