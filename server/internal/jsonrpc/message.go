// Package jsonrpc has the messages of clients as they arrive, before mcp-go
// decodes them, and as its answers leave: how much a message may be and hold,
// which id it has byte for byte, and what is put back where mcp-go would have
// changed or copied it.
package jsonrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// ServerBusy is the code for a request that is not taken because too many
// wait; JSON-RPC leaves it to the implementation.
const ServerBusy = -32000

// Message is one JSON-RPC message of a client, looked at before mcp-go decodes
// it. Ids and progress tokens are JSON tokens as the client wrote them: two are
// the same when their bytes are.
type Message struct {
	Body    []byte          // for mcp-go
	Method  string          // "" for an answer to a request of the server
	ID      string          // of a request; "" for everything else
	Cancels string          // the id that a cancellation names
	Answers string          // the id that an answer names
	Result  json.RawMessage // of an answer; nil for an error
}

// Request reports whether the message wants an answer.
func (m Message) Request() bool { return m.ID != "" }

// Cancellation reports whether the message cancels a request.
func (m Message) Cancellation() bool {
	return m.ID == "" && m.Method == string(mcp.MethodNotificationCancelled)
}

// Elicits reports whether the client of an initialize says that it can show its
// person a form. Without a mode, that is what it means.
func (m Message) Elicits() bool {
	var p struct {
		Params struct {
			Capabilities mcp.ClientCapabilities `json:"capabilities"`
		} `json:"params"`
	}
	return m.Method == string(mcp.MethodInitialize) && json.Unmarshal(m.Body, &p) == nil && ShowsForms(p.Params.Capabilities)
}

// ShowsForms reports whether a client says that it can show its person a form.
func ShowsForms(c mcp.ClientCapabilities) bool {
	return c.Elicitation != nil && (c.Elicitation.Form != nil || c.Elicitation.URL == nil)
}

// Fault is why a message goes no further: the JSON-RPC error for its sender.
type Fault struct {
	Code int
	Text string
	ID   string // of the request, "" if it cannot be told
}

// Fail makes the fault of a request.
func (m Message) Fail(code int, text string) *Fault { return &Fault{code, text, m.ID} }

// Line is the fault as a message.
func (f *Fault) Line() []byte {
	id := f.ID
	if id == "" {
		id = "null"
	}
	text, _ := json.Marshal(f.Text) // a string always encodes
	return []byte(`{"jsonrpc":"2.0","id":` + id + `,"error":{"code":` + strconv.Itoa(f.Code) + `,"message":` + string(text) + `}}`)
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

// Read looks at a message. What is wrong with it costs no decoding of what is
// too large for that.
func (k Masks) Read(data []byte) (Message, *Fault) {
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	var o outline
	_, _ = o.Write(data) // never fails
	if text := o.tooMuch(); text != "" {
		return Message{}, &Fault{mcp.INVALID_REQUEST, text, string(o.id)}
	}
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return Message{}, &Fault{mcp.PARSE_ERROR, "message is not JSON: " + syntax.Error(), ""}
		}
		return Message{}, &Fault{mcp.INVALID_REQUEST, "message must be one JSON object; batches are not supported", ""}
	}
	m := Message{Body: data}
	if f := m.identify(e); f != nil {
		return Message{}, f
	}
	if f := checkParams(e.Params, m.ID); f != nil {
		return Message{}, f
	}
	if m.Cancellation() {
		var p struct {
			RequestID json.RawMessage `json:"requestId"`
		}
		_ = json.Unmarshal(e.Params, &p) // without an id it cancels nothing
		m.Cancels = string(p.RequestID)
	}
	if m.Request() {
		k.hide(&m, e)
	}
	return m, nil
}

// identify reads method and id. An id that is null is tolerated where some
// clients write it, in notifications.
func (m *Message) identify(e envelope) *Fault {
	null := string(e.ID) == "null"
	if len(e.ID) > 0 && !null {
		if !validID(e.ID) {
			return &Fault{mcp.INVALID_REQUEST, "id must be a string or a number of at most 4,096 bytes", ""}
		}
		m.ID = string(e.ID)
	}
	switch {
	case len(e.Method) > 0:
		if json.Unmarshal(e.Method, &m.Method) != nil || m.Method == "" {
			return &Fault{mcp.INVALID_REQUEST, "method must be a string", m.ID}
		}
		if null && !strings.HasPrefix(m.Method, "notifications/") {
			return &Fault{mcp.INVALID_REQUEST, "id of a request must not be null", ""}
		}
	case len(e.Result) > 0 || len(e.Error) > 0: // an answer
		m.Answers, m.Result, m.ID = m.ID, e.Result, ""
	default:
		return &Fault{mcp.INVALID_REQUEST, "method is missing", m.ID}
	}
	return nil
}

// checkParams looks at the form of the params, and at how much is in their
// _meta, which mcp-go decodes again and again and whose progress token every
// notification repeats.
func checkParams(params json.RawMessage, id string) *Fault {
	if len(params) == 0 || string(params) == "null" {
		return nil
	}
	if params[0] != '{' {
		return &Fault{mcp.INVALID_PARAMS, "params must be an object", id}
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
		return &Fault{mcp.INVALID_PARAMS, "_meta has more than 200 members and elements or 64 KiB", id}
	}
	return nil
}
