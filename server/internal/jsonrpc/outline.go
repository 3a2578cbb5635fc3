package jsonrpc

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// Bounds of one message, whatever it comes by. They are ten times what any
// tool takes; beyond them, decoding costs seconds of processor time (mcp-go
// decodes a message six times, _meta into maps).
const (
	MaxMessage   = 4 << 20 // bytes; mcp-go itself takes 64 MB over HTTP, and any line over stdio
	maxValues    = 10_000  // members and elements
	maxMeta      = 200     // of them in _meta
	maxMetaBytes = 64 << 10
	maxDepth     = 100
	maxID        = 4 << 10 // bytes of an id or a progress token, which are kept and echoed
)

// outline is what can be told of a JSON text without decoding it: how much is
// in it, how deep, and the "id" of the outermost object. The text may come in
// pieces, and may be too large to hold. Its grammar is not checked.
type outline struct {
	values  int // about: one for each comma and each opening bracket
	deepest int
	id      []byte // as it stands there; nil if there is none or it is too long

	depth             int
	inString, escaped bool
	// At depth 1: the key or the value that is being read, if it is wanted.
	key, wanted bool
	word        []byte
}

// Write implements io.Writer. It never fails.
func (o *outline) Write(p []byte) (int, error) {
	for i := 0; i < len(p); i++ {
		if !o.inString {
			o.sign(p[i])
			continue
		}
		if !o.escaped && !(o.wanted && o.depth == 1) {
			i += unescaped(p[i:])
		}
		if i < len(p) {
			o.text(p[i])
		}
	}
	return len(p), nil
}

// unescaped is how many bytes of a string come before its end or an escape. It
// does not look far: a string may be all escapes.
func unescaped(p []byte) int {
	p = p[:min(len(p), 1024)]
	if i := bytes.IndexByte(p, '"'); i >= 0 {
		p = p[:i]
	}
	if i := bytes.IndexByte(p, '\\'); i >= 0 {
		return i
	}
	return len(p)
}

// text reads a byte of a string.
func (o *outline) text(c byte) {
	switch {
	case o.escaped:
		o.escaped = false
	case c == '\\':
		o.escaped = true
	case c == '"':
		o.inString = false
	}
	o.take(c)
}

// sign reads a byte between strings.
func (o *outline) sign(c byte) {
	switch c {
	case '"':
		o.inString = true
		o.take(c)
	case '{', '[':
		o.values++
		o.depth++
		o.deepest = max(o.deepest, o.depth)
		o.begin(o.depth == 1 && c == '{')
	case '}', ']':
		o.end()
		o.depth--
	case ',':
		o.values++
		o.end()
		o.begin(o.depth == 1)
	case ':':
		if o.depth == 1 && o.key {
			o.key, o.wanted = false, string(o.word) == `"id"`
			o.word = o.word[:0]
		}
	case ' ', '\t', '\n', '\r':
	default:
		o.take(c)
	}
}

// begin says what comes next: a key of the outermost object, or something that
// is not looked at. What lies deeper is not the id.
func (o *outline) begin(key bool) {
	o.key, o.wanted = key, key
	o.word = o.word[:0]
}

// end ends a value; at depth 1 it may be the id. The last of several counts,
// as for the decoder.
func (o *outline) end() {
	if o.depth != 1 || o.key || !o.wanted {
		return
	}
	o.id = nil
	if validID(o.word) {
		o.id = append(o.id, o.word...)
	}
	o.wanted = false
}

func (o *outline) take(c byte) {
	if o.wanted && o.depth == 1 && len(o.word) <= maxID {
		o.word = append(o.word, c)
	}
}

// tooMuch says which bound a text exceeds, "" if none.
func (o *outline) tooMuch() string {
	switch {
	case o.values > maxValues:
		return "message has more than 10,000 members and elements"
	case o.deepest > maxDepth:
		return "message is nested more than 100 levels deep"
	}
	return ""
}

// validID reports whether a JSON token may be an id: a string or a number.
func validID(token []byte) bool {
	if len(token) == 0 || len(token) > maxID || !json.Valid(token) || !utf8.Valid(token) {
		return false
	}
	c := token[0]
	return c == '"' || c == '-' || '0' <= c && c <= '9'
}
