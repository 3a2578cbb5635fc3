package server

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// errServerBusy is the code for a request that is not taken because too many
// wait; JSON-RPC leaves it to the implementation.
const errServerBusy = -32000

// message is one JSON-RPC message of a client, looked at before mcp-go decodes
// it. Ids and progress tokens are JSON tokens as the client wrote them: two are
// the same when their bytes are.
type message struct {
	body    []byte // for mcp-go
	method  string // "" for an answer to a request of the server
	id      string // of a request; "" for everything else
	cancels string // the id that a cancellation names
}

// request reports whether the message wants an answer.
func (m message) request() bool { return m.id != "" }

// cancellation reports whether the message cancels a request.
func (m message) cancellation() bool {
	return m.id == "" && m.method == string(mcp.MethodNotificationCancelled)
}

// fault is why a message goes no further: the JSON-RPC error for its sender.
type fault struct {
	code int
	text string
	id   string // of the request, "" if it cannot be told
}

// line is the fault as a message.
func (f *fault) line() []byte {
	id := f.id
	if id == "" {
		id = "null"
	}
	text, _ := json.Marshal(f.text) // a string always encodes
	return []byte(`{"jsonrpc":"2.0","id":` + id + `,"error":{"code":` + strconv.Itoa(f.code) + `,"message":` + string(text) + `}}`)
}

// envelope is what the outermost object of a message holds. The decoder takes
// names in any case and the last of several, as mcp-go's does, so that both
// read the same message.
type envelope struct {
	JSONRPC json.RawMessage `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  json.RawMessage `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

const byteOrderMark = "\ufeff"

// read looks at a message. What is wrong with it costs no decoding of what is
// too large for that.
func (k masks) read(data []byte) (message, *fault) {
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	var o outline
	_, _ = o.Write(data) // never fails
	if text := o.tooMuch(); text != "" {
		return message{}, &fault{mcp.INVALID_REQUEST, text, string(o.id)}
	}
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return message{}, &fault{mcp.PARSE_ERROR, "message is not JSON: " + syntax.Error(), ""}
		}
		return message{}, &fault{mcp.INVALID_REQUEST, "message must be one JSON object; batches are not supported", ""}
	}
	m := message{body: data}
	if f := m.identify(e); f != nil {
		return message{}, f
	}
	if f := checkParams(e.Params, m.id); f != nil {
		return message{}, f
	}
	if m.cancellation() {
		var p struct {
			RequestID json.RawMessage `json:"requestId"`
		}
		_ = json.Unmarshal(e.Params, &p) // without an id it cancels nothing
		m.cancels = string(p.RequestID)
	}
	if m.request() {
		k.hide(&m, e)
	}
	return m, nil
}

// identify reads method and id. An id that is null is tolerated where some
// clients write it, in notifications.
func (m *message) identify(e envelope) *fault {
	null := string(e.ID) == "null"
	if len(e.ID) > 0 && !null {
		if !validID(e.ID) {
			return &fault{mcp.INVALID_REQUEST, "id must be a string or a number of at most 4,096 bytes", ""}
		}
		m.id = string(e.ID)
	}
	switch {
	case len(e.Method) > 0:
		if json.Unmarshal(e.Method, &m.method) != nil || m.method == "" {
			return &fault{mcp.INVALID_REQUEST, "method must be a string", m.id}
		}
		if null && !strings.HasPrefix(m.method, "notifications/") {
			return &fault{mcp.INVALID_REQUEST, "id of a request must not be null", ""}
		}
	case len(e.Result) > 0 || len(e.Error) > 0: // an answer
		m.id = ""
	default:
		return &fault{mcp.INVALID_REQUEST, "method is missing", m.id}
	}
	return nil
}

// checkParams looks at the form of the params, and at how much is in their
// _meta, which mcp-go decodes again and again and whose progress token every
// notification repeats.
func checkParams(params json.RawMessage, id string) *fault {
	if len(params) == 0 || string(params) == "null" {
		return nil
	}
	if params[0] != '{' {
		return &fault{mcp.INVALID_PARAMS, "params must be an object", id}
	}
	if len(params) < maxMeta { // there is no room for so many
		return nil
	}
	var p struct {
		Meta json.RawMessage `json:"_meta"`
	}
	var o outline
	if json.Unmarshal(params, &p) == nil {
		_, _ = o.Write(p.Meta) // never fails
	}
	if o.values > maxMeta || len(p.Meta) > maxMetaBytes {
		return &fault{mcp.INVALID_PARAMS, "_meta has more than 200 members and elements or 64 KiB", id}
	}
	return nil
}

// masks stand for JSON tokens that mcp-go would change: it decodes ids and
// progress tokens, numbers as float64. A mask is a string, which comes out as
// it went in; the [outlet] puts the token back where the mask is. Nobody but
// this process knows how a mask begins.
type masks struct{ begin string }

func newMasks() masks { return masks{begin: rand.Text()} }

// maskToken follows begin in the mask of a token; see [outlet.hold] for the
// other kind.
const maskToken = 'i'

// mask is the mask of a token, as JSON.
func (k masks) mask(token []byte) []byte {
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
func (k masks) hide(m *message, e envelope) {
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
	m.body = b.Bytes()
}

// hideProgressToken gives params with a mask for their progress token, nil if
// it needs none.
func (k masks) hideProgressToken(params json.RawMessage) []byte {
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
