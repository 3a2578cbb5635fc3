package rest

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The types below read what platforms write in several ways: ids as numbers or
// strings, counts as floats or strings, null for nothing. They never fail on a
// type of JSON that they do not expect: such a value counts as not said,
// because one mistyped field must not hide a document. (Malformed JSON still
// fails.)
//
// Every field of every row passes here: a page of 20 documents has 400. What
// they hand back is small and made once.

// ID is an identifier: a JSON string, or a number whose digits are kept.
type ID string

// UnmarshalJSON implements json.Unmarshaler.
func (s *ID) UnmarshalJSON(b []byte) error {
	*s = ""
	switch {
	case b[0] == '"':
		v, err := unquote(b)
		*s = ID(v)
		return err
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*s = ID(b)
	}
	return nil
}

// Str is a text: a JSON string; a number or boolean is its literal.
type Str string

// UnmarshalJSON implements json.Unmarshaler.
func (s *Str) UnmarshalJSON(b []byte) error {
	*s = ""
	switch {
	case b[0] == '"':
		v, err := unquote(b)
		*s = Str(v)
		return err
	case b[0] != '{' && b[0] != '[' && !bytes.Equal(b, []byte("null")):
		*s = Str(b)
	}
	return nil
}

// unquote is the text of a JSON string. One without escapes, as most are, is
// taken as it stands: json.Unmarshal would look at it twice more and allocate
// a decoder for it.
func unquote(b []byte) (string, error) {
	if inner := b[1 : len(b)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), nil
	}
	var v string
	err := json.Unmarshal(b, &v)
	return v, err
}

// Num is a number that a platform may also write as a decimal string, or leave
// out. Valid is false for null, "" and what is not a finite number.
type Num struct {
	Float float64
	Int   int64 // exact when the platform wrote an integer; else truncated
	Valid bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Num) UnmarshalJSON(b []byte) error {
	*n = Num{}
	if b[0] == 'n' { // often, and the parsers would make an error each
		return nil
	}
	text := strings.TrimSpace(strings.Trim(string(b), `"`))
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		*n = Num{Float: float64(i), Int: i, Valid: true}
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) > 1<<62 {
		return nil
	}
	*n = Num{Float: f, Int: int64(f), Valid: true}
	return nil
}

// Ptr is the integer, nil when not said.
func (n Num) Ptr() *int64 {
	if !n.Valid {
		return nil
	}
	i := n.Int // not &n.Int, which would keep all of n
	return &i
}

// Count is the integer when it can count something, nil otherwise.
func (n Num) Count() *int64 {
	if n.Int < 0 {
		return nil
	}
	return n.Ptr()
}

// Rows is Count for the rows of a listing.
func (n Num) Rows() *int {
	if n.Int < 0 || !n.Valid {
		return nil
	}
	i := int(n.Int)
	return &i
}

// Positive is the integer when above 0: for fields in which 0 means "not
// counted".
func (n Num) Positive() *int64 {
	if n.Int <= 0 {
		return nil
	}
	return n.Ptr()
}

// Flag is a boolean that may be null, absent, 0/1 or a word.
type Flag struct{ Set, Valid bool }

// UnmarshalJSON implements json.Unmarshaler.
func (f *Flag) UnmarshalJSON(b []byte) error {
	*f = Flag{}
	switch strings.Trim(string(b), `"`) {
	case "true", "1":
		*f = Flag{Set: true, Valid: true}
	case "false", "0":
		*f = Flag{Valid: true}
	}
	return nil
}

// Ptr is the boolean, nil when not said.
func (f Flag) Ptr() *bool {
	if !f.Valid {
		return nil
	}
	return &f.Set
}

// Suffix is the file suffix of a name in lower case without the dot, "" when
// it has none that looks like one.
func Suffix(name string) string {
	i := strings.LastIndexByte(name, '.')
	most := len(".properties")
	if i == 0 { // ".gitignore" has none
		most = len(".markdown")
	}
	if i < 0 || i == len(name)-1 || len(name)-i > most {
		return ""
	}
	s := strings.ToLower(name[i+1:])
	if strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return ""
	}
	return s
}

// Percent turns a share of 0 to 1 into whole percent, rounded down.
func Percent(share float64) *int {
	if math.IsNaN(share) {
		return nil
	}
	p := int(math.Floor(min(max(share, 0), 1)*100 + 1e-9))
	return &p
}
