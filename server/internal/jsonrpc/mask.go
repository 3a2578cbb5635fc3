package jsonrpc

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// Masks stand for JSON tokens that mcp-go would change: it decodes ids and
// progress tokens, numbers as float64. A mask is a string, which comes out as
// it went in; the [Outlet] puts the token back where the mask is. Nobody but
// this process knows how a mask begins.
type Masks struct{ begin string }

// NewMasks makes the masks of a process.
func NewMasks() Masks { return Masks{begin: rand.Text()} }

// maskToken follows begin in the mask of a token; see [Outlet.hold] for the
// other kind.
const maskToken = 'i'

// mask is the mask of a token, as JSON.
func (k Masks) mask(token []byte) []byte {
	return []byte(`"` + k.begin + string(maskToken) + hex.EncodeToString(token) + `"`)
}

// unmask is the token of what follows begin in a mask.
func unmask(mask []byte) ([]byte, bool) {
	if len(mask) == 0 || mask[0] != maskToken {
		return nil, false
	}
	token, err := hex.DecodeString(string(mask[1:]))
	return token, err == nil
}

// hide puts masks in the place of a request's id and progress token, where
// mcp-go would change them. That is rare: most are small integers or words.
func (k Masks) hide(m *Message, e envelope) {
	id, params := []byte(e.ID), k.hideProgressToken(e.Params)
	if unchanged(id) && params == nil {
		return
	}
	if !unchanged(id) {
		id = k.mask(id)
	}
	if params == nil {
		params = e.Params
	}
	var b bytes.Buffer
	b.WriteString(`{"id":`)
	b.Write(id)
	for _, member := range []struct {
		name  string
		value []byte
	}{{"jsonrpc", e.JSONRPC}, {"method", e.Method}, {"params", params}, {"result", e.Result}, {"error", e.Error}} {
		if len(member.value) > 0 {
			b.WriteString(`,"` + member.name + `":`)
			b.Write(member.value)
		}
	}
	b.WriteByte('}')
	m.Body = b.Bytes()
}

// hideProgressToken gives params with a mask for their progress token, nil if
// it needs none.
func (k Masks) hideProgressToken(params json.RawMessage) []byte {
	if !bytes.Contains(params, []byte("progressToken")) {
		return nil
	}
	var p, meta map[string]json.RawMessage
	if json.Unmarshal(params, &p) != nil || json.Unmarshal(p["_meta"], &meta) != nil {
		return nil
	}
	token := meta["progressToken"]
	if unchanged(token) || !validID(token) {
		return nil
	}
	meta["progressToken"] = k.mask(token)
	changed, err := json.Marshal(meta)
	if err != nil {
		return nil
	}
	p["_meta"] = changed
	if changed, err = json.Marshal(p); err != nil {
		return nil
	}
	return changed
}

// unchanged reports whether a token comes out of mcp-go as it went in: an
// integer of at most 15 digits, or a string of letters, digits and signs that
// no encoder escapes.
func unchanged(token []byte) bool {
	if len(token) == 0 {
		return true
	}
	if token[0] == '"' {
		return len(token) <= 256 && !bytes.ContainsFunc(token[1:len(token)-1], func(r rune) bool {
			return r < ' ' || r > '~' || strings.ContainsRune(`"\<>&`, r)
		})
	}
	digits := bytes.TrimPrefix(token, []byte("-"))
	return len(digits) <= 15 && (digits[0] != '0' || len(token) == 1) &&
		!bytes.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
}
