package paging

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"kb-mcp/vendors"
)

// Encode returns fields and a tail of bytes as the text of a cursor: the
// fields' JSON, a zero byte, the tail. fields are numbers, strings and
// booleans, or pointers to them.
func Encode(fields []any, tail []byte) string {
	b, err := json.Marshal(fields)
	if err != nil {
		panic(err) // nothing else than the above
	}
	return base64.RawURLEncoding.EncodeToString(append(append(b, 0), tail...))
}

// Decode reads what Encode wrote into fields, which are pointers; a cursor holds
// either all of them or the first few.
func Decode(s string, few int, fields []any) (tail []byte, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	head, tail, found := bytes.Cut(b, []byte{0})
	all := len(fields)
	if err != nil || !found || json.Unmarshal(head, &fields) != nil || len(fields) != few && len(fields) != all {
		return nil, NotOurs()
	}
	return tail, nil
}

// CheckQuery refuses a cursor of another query.
func CheckQuery(of, query uint32) error {
	if of == query {
		return nil
	}
	return vendors.Errorf(vendors.InvalidArgument, "`cursor` belongs to a call with other arguments.").
		WithHint("Repeat the arguments of the call that gave the cursor (only `limit` may change), or leave `cursor` out.")
}

// NotOurs is the error of a cursor that this server has not made.
func NotOurs() error {
	return vendors.Errorf(vendors.InvalidArgument, "`cursor` is not a cursor of this server.").
		WithHint("Pass next_cursor of the previous answer unchanged, or leave `cursor` out to start again.")
}
