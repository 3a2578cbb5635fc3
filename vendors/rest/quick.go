package rest

import (
	"encoding/json"
	"reflect"
	"strings"
)

// quick decodes an answer's body in one pass. encoding/json goes through a body
// twice and once more through each field with a method of its own: 240 µs for a
// page of 20 documents, a third of all that the call costs, where this takes 70
// (BenchmarkDecode of Dify's driver).
//
// It knows what good answers are made of, objects and lists into structs, and
// is the judge of nothing: at whatever it does not expect (broken JSON, another
// type than the struct's, a key twice or in another case, an escape in a key,
// deep nesting, more than an answer may hold) it gives up, and encoding/json decodes from the beginning. A
// fuzz test holds the two against each other.
type quick struct {
	b       []byte
	i       int
	depth   int
	brought int // objects and lists so far
	values  int
}

// maxDepth is the nesting from which a body is left to encoding/json.
const maxDepth = 32

// quickly decodes body into what v points to, as encoding/json would. False
// means that it is encoding/json's turn; v is then as it was.
func quickly(body []byte, v any, known *shapes) bool {
	into := reflect.ValueOf(v)
	if into.Kind() != reflect.Pointer || into.IsNil() {
		return false
	}
	into = into.Elem()
	before := reflect.New(into.Type()).Elem()
	before.Set(into)
	q := quick{b: body}
	q.space()
	if q.value(into, known.of(into.Type())) && q.end() {
		return true
	}
	into.Set(before)
	return false
}

// value decodes the next value.
func (q *quick) value(v reflect.Value, s *shape) bool {
	switch s.kind {
	case object:
		return q.literal("null") || q.object(v, s) // null changes nothing
	case list, pointer:
		if q.literal("null") {
			v.SetZero()
			return true
		}
		if s.kind == list {
			return q.list(v, s)
		}
		v.Set(reflect.New(v.Type().Elem()))
		return q.value(v.Elem(), s.elem)
	}
	from := q.i
	if !q.skip() {
		return false
	}
	raw, target := q.b[from:q.i], v.Addr().Interface()
	if s.kind == method {
		return target.(json.Unmarshaler).UnmarshalJSON(raw) == nil
	}
	return json.Unmarshal(raw, target) == nil
}

// object decodes the members that the struct has.
func (q *quick) object(v reflect.Value, s *shape) bool {
	var seen uint64
	return q.members('{', '}', func() bool {
		key, ok := q.key()
		if !ok {
			return false
		}
		f, known := s.fields[string(key)]
		if !known {
			return !s.folds(key) && q.skip()
		}
		if seen&f.bit != 0 {
			return false
		}
		seen |= f.bit
		return q.value(v.FieldByIndex(f.index), f.shape)
	})
}

// list decodes into a slice that nothing has been decoded into: encoding/json
// leaves in the elements of another what the new ones do not say.
func (q *quick) list(v reflect.Value, s *shape) bool {
	if v.Cap() > 0 {
		return false
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, int(s.length.Load())))
	ok := q.members('[', ']', func() bool {
		n := v.Len()
		if n == v.Cap() {
			v.Grow(max(n, 1))
		}
		v.SetLen(n + 1)
		return q.value(v.Index(n), s.elem)
	})
	s.length.Store(int32(min(v.Len(), 100)))
	return ok
}

// skip goes past any value.
func (q *quick) skip() bool {
	switch q.at() {
	case '"':
		_, ok := q.text()
		return ok
	case '{':
		return q.members('{', '}', func() bool {
			_, ok := q.key()
			return ok && q.skip()
		})
	case '[':
		return q.members('[', ']', q.skip)
	case 't':
		return q.literal("true")
	case 'f':
		return q.literal("false")
	case 'n':
		return q.literal("null")
	}
	return q.number()
}

// members goes through what stands between two brackets, one call of each for
// every member.
func (q *quick) members(open, closed byte, each func() bool) bool {
	if q.at() != open || q.depth == maxDepth || q.brought == maxBrought {
		return false
	}
	q.depth++
	q.brought++
	defer func() { q.depth-- }()
	q.i++
	if q.space(); q.at() == closed {
		q.i++
		return true
	}
	for n := 1; n <= maxMembers && q.values < maxValues && each(); n++ {
		q.values++
		switch q.space(); q.at() {
		case ',':
			q.i++
			q.space()
		case closed:
			q.i++
			return true
		default:
			return false
		}
	}
	return false
}

// key reads a key and its colon.
func (q *quick) key() (key []byte, ok bool) {
	from := q.i
	plain, ok := q.text()
	if !ok || !plain {
		return nil, false
	}
	key = q.b[from+1 : q.i-1]
	if q.space(); q.at() != ':' {
		return nil, false
	}
	q.i++
	q.space()
	return key, true
}

// text goes past a string; plain says that it has no escapes.
func (q *quick) text() (plain, ok bool) {
	if q.at() != '"' {
		return false, false
	}
	plain = true
	for i := q.i + 1; i < len(q.b); i++ {
		switch c := q.b[i]; {
		case c == '"':
			q.i = i + 1
			return plain, true
		case c < ' ':
			return false, false
		case c == '\\':
			n := escape(q.b[i+1:])
			if n == 0 {
				return false, false
			}
			plain = false
			i += n
		}
	}
	return false, false
}

// escape is the length of what follows a backslash; 0 when it may not.
func escape(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	if strings.IndexByte(`"\/bfnrt`, b[0]) >= 0 {
		return 1
	}
	if b[0] != 'u' || len(b) < 5 {
		return 0
	}
	for _, c := range b[1:5] {
		if (c < '0' || c > '9') && (c|' ' < 'a' || c|' ' > 'f') {
			return 0
		}
	}
	return 5
}

// number goes past a number.
func (q *quick) number() bool {
	if q.at() == '-' {
		q.i++
	}
	if q.at() == '0' {
		q.i++
	} else if !q.digits() {
		return false
	}
	if q.at() == '.' {
		q.i++
		if !q.digits() {
			return false
		}
	}
	if c := q.at(); c == 'e' || c == 'E' {
		q.i++
		if c := q.at(); c == '+' || c == '-' {
			q.i++
		}
		return q.digits()
	}
	return true
}

// digits goes past one digit and more.
func (q *quick) digits() bool {
	from := q.i
	for c := q.at(); c >= '0' && c <= '9'; c = q.at() {
		q.i++
	}
	return q.i > from
}

// literal goes past a word, if it is the next.
func (q *quick) literal(word string) bool {
	if string(q.b[q.i:min(q.i+len(word), len(q.b))]) != word {
		return false
	}
	q.i += len(word)
	return true
}

// at is the next byte, 0 at the end.
func (q *quick) at() byte {
	if q.i < len(q.b) {
		return q.b[q.i]
	}
	return 0
}

func (q *quick) space() {
	for c := q.at(); c == ' ' || c == '\n' || c == '\t' || c == '\r'; c = q.at() {
		q.i++
	}
}

// end reports whether nothing but space is left.
func (q *quick) end() bool {
	q.space()
	return q.i == len(q.b)
}
