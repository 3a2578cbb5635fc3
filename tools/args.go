package tools

import (
	"reflect"
	"slices"
	"strconv"

	"kb-mcp/vendors"
)

// A tool's arguments are a struct; its tags are the one table from which both
// the input schema and the strict decoder are made, once per tool:
//
//	Limit int `arg:"limit" min:"1" max:"100" default:"20"`
//
// Tags: arg (name), required, min and max (integers; items of a list; a string
// takes at most max characters), default, enum (a list known by name), every
// (without a vendor the tool asks every connection). The
// fields stand in the order in which clients see them: vendor,
// knowledge_base_id, what is required, the rest. What an argument means is said
// in argDocs, because it means the same in every tool.

// param is one argument.
type param struct {
	name     string
	index    int          // in the struct
	kind     reflect.Kind // of the value, also behind a pointer
	pointer  bool         // false is a value, too
	required bool
	every    bool // "" is every connection
	min, max int  // 0, 0: unbounded
	standard int  // default of an integer
	enum     []string
}

// paramsOf reads the tags of an argument struct. Its panics are mistakes in
// this package, which every test would meet.
func paramsOf[A any]() []param {
	t := reflect.TypeFor[A]()
	var list []param
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		p := param{name: tag.Get("arg"), index: i, kind: t.Field(i).Type.Kind(), required: tag.Get("required") != "", every: tag.Get("every") != ""}
		if p.kind == reflect.Pointer {
			p.kind, p.pointer = t.Field(i).Type.Elem().Kind(), true
		}
		p.min, p.max, p.standard = tagInt(tag, "min"), tagInt(tag, "max"), tagInt(tag, "default")
		p.enum = enumOf(tag.Get("enum"))
		if argDocs[p.name] == "" {
			panic("tools: no description of argument " + p.name)
		}
		list = append(list, p)
	}
	return list
}

// enumOf is a list of values by its name in a tag; nil for "".
func enumOf(name string) []string {
	switch name {
	case "":
		return nil
	case "detail":
		return details()
	case "status":
		return listable(func(vendors.Status) bool { return false })
	case "unfinished":
		return listable(vendors.Status.IsCompleted)
	}
	panic("tools: no values called " + name)
}

// listable are the statuses that a listed document can have, but those left out:
// not_found is only for ids that were asked for.
func listable(out func(vendors.Status) bool) (list []string) {
	for _, s := range vendors.Statuses() {
		if !out(s) {
			list = append(list, string(s))
		}
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == string(vendors.NotFound) })
}

func tagInt(tag reflect.StructTag, name string) int {
	s := tag.Get(name)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("tools: tag " + name + " is " + s)
	}
	return n
}
