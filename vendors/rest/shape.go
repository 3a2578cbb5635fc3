package rest

import (
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// shapes are the types that a client decodes into, looked at once. The zero
// value is ready to use; nil remembers nothing.
type shapes struct{ byType sync.Map }

// shape is what [quick] knows of a type.
type shape struct {
	kind   kind
	elem   *shape           // of a list or pointer
	length atomic.Int32     // of the list decoded last: the next is often as long
	fields map[string]field // of an object
	lower  bool             // all names are lower-case ASCII
}

type kind int

const (
	other  kind = iota // encoding/json decodes it
	method             // it decodes itself
	object
	list
	pointer
)

// field is a struct's field; its bit tells it from the others.
type field struct {
	index []int
	bit   uint64
	shape *shape
}

// of is the shape of a type.
func (s *shapes) of(t reflect.Type) *shape {
	if s == nil {
		return look(t, map[reflect.Type]*shape{})
	}
	if known, ok := s.byType.Load(t); ok {
		return known.(*shape)
	}
	known := look(t, map[reflect.Type]*shape{})
	s.byType.Store(t, known)
	return known
}

// look makes a shape; seen breaks the circle of a type that holds itself.
func look(t reflect.Type, seen map[reflect.Type]*shape) *shape {
	if s := seen[t]; s != nil {
		return s
	}
	s := &shape{}
	seen[t] = s
	switch {
	case t.Kind() == reflect.Pointer: // before its methods, which are its element's
		s.kind, s.elem = pointer, look(t.Elem(), seen)
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		s.kind = method
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8: // bytes are base64
		s.kind, s.elem = list, look(t.Elem(), seen)
	case t.Kind() == reflect.Struct:
		s.fields, s.lower = map[string]field{}, true
		if s.add(t, nil, seen) {
			s.kind = object
		}
	}
	return s
}

// add takes in the fields of a struct and of those embedded in it; false when
// encoding/json has a rule for them that is not followed here.
func (s *shape) add(t reflect.Type, index []int, seen map[reflect.Type]*shape) bool {
	for i := range t.NumField() {
		f := t.Field(i)
		here := append(slices.Clone(index), i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			if f.Type.Kind() != reflect.Struct || !s.add(f.Type, here, seen) {
				return false
			}
			continue
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		name = cmp.Or(name, f.Name)
		if _, twice := s.fields[name]; twice || options == "string" || len(s.fields) == 64 {
			return false
		}
		s.fields[name] = field{here, 1 << len(s.fields), look(f.Type, seen)}
		s.lower = s.lower && isLower([]byte(name))
	}
	return true
}

// folds reports whether encoding/json, which minds no case, would take a key
// for a field that has another name.
func (s *shape) folds(key []byte) bool {
	if s.lower && isLower(key) {
		return false
	}
	for name := range s.fields {
		if strings.EqualFold(name, string(key)) {
			return true
		}
	}
	return false
}

// isLower reports whether a key is lower-case ASCII, as nearly all are.
func isLower(key []byte) bool {
	return !slices.ContainsFunc(key, func(c byte) bool { return c >= 'A' && c <= 'Z' || c > '~' })
}
