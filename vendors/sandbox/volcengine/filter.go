package volcengine

import (
	"encoding/json"
	"slices"

	"kb-mcp/vendors/sandbox/world"
)

// filter is a filter expression: a leaf over one field, or leaves joined by
// "and" or "or".
type filter struct {
	Op    string            `json:"op"`
	Field string            `json:"field"`
	Conds []json.RawMessage `json:"conds"`
	Gt    *float64          `json:"gt"`
	Gte   *float64          `json:"gte"`
	Lt    *float64          `json:"lt"`
	Lte   *float64          `json:"lte"`
}

// filter reads the filter under a key; without one it keeps everything.
func (in input) filter(key string, kb *world.KnowledgeBase) (keep func(*world.Document) bool) {
	if !in.has(key) {
		return func(*world.Document) bool { return true }
	}
	return parseFilter(in[key], kb)
}

func parseFilter(raw json.RawMessage, kb *world.KnowledgeBase) func(*world.Document) bool {
	var x filter
	if json.Unmarshal(raw, &x) != nil {
		panic(invalid("filter has the wrong type"))
	}
	switch x.Op {
	case "and", "or":
		return x.joined(kb)
	case "must", "must_not", "range":
	default:
		panic(invalid("op %s is not supported", x.Op))
	}
	known := slices.ContainsFunc(kb.Fields, func(f world.Field) bool { return f.Name == x.Field })
	if !known && x.Field != "doc_id" && x.Field != "_sys_auto_doc_id" {
		panic(invalid("field %s not in collection config", x.Field))
	}
	if x.Op == "range" {
		return func(d *world.Document) bool { return x.within(x.value(d)) }
	}
	values := make([]any, len(x.Conds))
	for i, c := range x.Conds {
		if json.Unmarshal(c, &values[i]) != nil {
			panic(invalid("conds has the wrong type"))
		}
	}
	return func(d *world.Document) bool { return holds(values, x.value(d)) == (x.Op == "must") }
}

// joined is the filter of an "and" or "or".
func (x filter) joined(kb *world.KnowledgeBase) func(*world.Document) bool {
	var parts []func(*world.Document) bool
	for _, c := range x.Conds {
		parts = append(parts, parseFilter(c, kb))
	}
	return func(d *world.Document) bool {
		fits := func(part func(*world.Document) bool) bool { return part(d) == (x.Op == "or") }
		return slices.ContainsFunc(parts, fits) == (x.Op == "or")
	}
}

// value is what a document has in the filter's field; nil when it has nothing.
func (x filter) value(d *world.Document) any {
	if x.Field == "doc_id" || x.Field == "_sys_auto_doc_id" {
		return d.ID
	}
	for _, f := range d.Metadata {
		if f.Name == x.Field {
			return f.Value
		}
	}
	return nil
}

func (x filter) within(v any) bool {
	n, ok := v.(float64)
	return ok && (x.Gt == nil || n > *x.Gt) && (x.Gte == nil || n >= *x.Gte) && (x.Lt == nil || n < *x.Lt) && (x.Lte == nil || n <= *x.Lte)
}

// holds reports whether a value, or one of a list's, is among values.
func holds(values []any, v any) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool { return holds(values, one) })
	}
	return slices.Contains(values, v)
}
