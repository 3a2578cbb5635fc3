package sandbox

import (
	"encoding/json"
	"slices"
)

// volcFilter is a filter expression: a leaf over one field, or leaves joined by
// "and" or "or".
type volcFilter struct {
	Op    string            `json:"op"`
	Field string            `json:"field"`
	Conds []json.RawMessage `json:"conds"`
	Gt    *float64          `json:"gt"`
	Gte   *float64          `json:"gte"`
	Lt    *float64          `json:"lt"`
	Lte   *float64          `json:"lte"`
}

// filter reads the filter under a key; without one it keeps everything.
func (in volcInput) filter(key string, kb *KnowledgeBase) (keep func(*Document) bool, wrong *volcFailure) {
	if !in.has(key) {
		return func(*Document) bool { return true }, nil
	}
	return parseVolcFilter(in[key], kb)
}

func parseVolcFilter(raw json.RawMessage, kb *KnowledgeBase) (func(*Document) bool, *volcFailure) {
	var x volcFilter
	if json.Unmarshal(raw, &x) != nil {
		return nil, volcInvalid("filter has the wrong type")
	}
	switch x.Op {
	case "and", "or":
		return x.joined(kb)
	case "must", "must_not", "range":
	default:
		return nil, volcInvalid("op %s is not supported", x.Op)
	}
	known := slices.ContainsFunc(kb.Fields, func(f Field) bool { return f.Name == x.Field })
	if !known && x.Field != "doc_id" && x.Field != "_sys_auto_doc_id" {
		return nil, volcInvalid("field %s not in collection config", x.Field)
	}
	if x.Op == "range" {
		return func(d *Document) bool { return x.within(x.value(d)) }, nil
	}
	values := make([]any, len(x.Conds))
	for i, c := range x.Conds {
		if json.Unmarshal(c, &values[i]) != nil {
			return nil, volcInvalid("conds has the wrong type")
		}
	}
	return func(d *Document) bool { return volcHolds(values, x.value(d)) == (x.Op == "must") }, nil
}

// joined is the filter of an "and" or "or".
func (x volcFilter) joined(kb *KnowledgeBase) (func(*Document) bool, *volcFailure) {
	var parts []func(*Document) bool
	for _, c := range x.Conds {
		part, wrong := parseVolcFilter(c, kb)
		if wrong != nil {
			return nil, wrong
		}
		parts = append(parts, part)
	}
	return func(d *Document) bool {
		fits := func(part func(*Document) bool) bool { return part(d) == (x.Op == "or") }
		return slices.ContainsFunc(parts, fits) == (x.Op == "or")
	}, nil
}

// value is what a document has in the filter's field; nil when it has nothing.
func (x volcFilter) value(d *Document) any {
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

func (x volcFilter) within(v any) bool {
	n, ok := v.(float64)
	return ok && (x.Gt == nil || n > *x.Gt) && (x.Gte == nil || n >= *x.Gte) && (x.Lt == nil || n < *x.Lt) && (x.Lte == nil || n <= *x.Lte)
}

// volcHolds reports whether a value, or one of a list's, is among values.
func volcHolds(values []any, v any) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool { return volcHolds(values, one) })
	}
	return slices.Contains(values, v)
}
