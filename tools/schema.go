package tools

import (
	"bytes"
	"embed"
	"encoding/json"
	"reflect"
	"regexp"
)

// argDocs say what an argument means, in every tool the same.
var argDocs = map[string]string{
	"vendor":            "Connection name from list_vendors; optional when there is only one.",
	"knowledge_base_id": "Knowledge base id from list_knowledge_bases.",
	"document_id":       "Document id from list_documents.",
	"document_ids":      "Document ids.",
	"batch_id":          "Dify only: the batch_id of an upload.",
	"status":            "Only documents with this status.",
	"name_contains":     "Only names that contain this text, any case.",
	"timeout_seconds":   "How long to wait at most.",
	"query":             "Words or a question.",
	"name":              "Name.",
	"description":       "Description.",
	"enabled":           "Whether searches use it.",
	"metadata":          "Metadata fields to set.",
	"text":              "The document's text.",
	"url":               "Address from which the platform fetches it.",
	"path":              "A file under one of the server's KB_MCP_UPLOAD_ROOTS.",
	"limit":             "Rows wanted; a page may hold fewer.",
	"cursor":            "next_cursor of the last answer; same other arguments.",
}

// inputSchema makes a tool's input schema: flat, without combinators, null or
// references, so that every host takes it.
func inputSchema(params []param) json.RawMessage {
	type property struct {
		Type        string            `json:"type"`
		Description string            `json:"description"`
		Enum        []string          `json:"enum,omitempty"`
		Items       map[string]string `json:"items,omitempty"`
		Minimum     *int              `json:"minimum,omitempty"`
		Maximum     *int              `json:"maximum,omitempty"`
		MinItems    *int              `json:"minItems,omitempty"`
		MaxItems    *int              `json:"maxItems,omitempty"`
		MaxLength   *int              `json:"maxLength,omitempty"`
		Default     *int              `json:"default,omitempty"`
	}
	properties := make(map[string]property, len(params))
	required := []string{}
	for _, p := range params {
		out := property{Type: "string", Description: argDocs[p.name], Enum: p.enum}
		switch {
		case p.kind == reflect.Int:
			out.Type, out.Minimum, out.Maximum, out.Default = "integer", &p.min, &p.max, &p.standard
		case p.kind == reflect.Slice:
			out.Type, out.Items, out.MinItems, out.MaxItems = "array", map[string]string{"type": "string"}, &p.min, &p.max
		case p.kind == reflect.Bool:
			out.Type = "boolean"
		case p.kind == reflect.Map:
			out.Type = "object"
		case p.max > 0:
			out.MaxLength = &p.max
		}
		properties[p.name] = out
		if p.required {
			required = append(required, p.name)
		}
	}
	schema, err := marshal(struct {
		Type       string              `json:"type"`
		Properties map[string]property `json:"properties"`
		Required   []string            `json:"required,omitempty"`
		Additional bool                `json:"additionalProperties"`
	}{"object", properties, required, false})
	if err != nil {
		panic(err) // strings and ints only
	}
	return schema
}

//go:embed schema/*.json
var schemas embed.FS

// part is where one schema file takes in another: "@document".
var part = regexp.MustCompile(`"@([a-z]+)"`)

// outputSchema reads schema/<tool>.json, takes in the shapes it shares with
// others, and packs it: what a list costs an agent is counted in characters.
func outputSchema(tool string) json.RawMessage {
	b := mustRead("schema/" + tool + ".json")
	b = part.ReplaceAllFunc(b, func(ref []byte) []byte {
		return mustRead("schema/" + string(ref[2:len(ref)-1]) + ".json")
	})
	var packed bytes.Buffer
	if err := json.Compact(&packed, b); err != nil {
		panic(err) // embedded files; a test reads them all
	}
	return packed.Bytes()
}

func mustRead(name string) []byte {
	b, err := schemas.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return bytes.TrimSpace(b)
}
