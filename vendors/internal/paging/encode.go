package paging

import (
	"encoding/base64"
	"encoding/binary"
	"math/big"
	"strings"

	"kb-mcp/vendors"
)

// Encode returns numbers and a tail of bytes as the text of a cursor. Agents pay
// for every character of it: a small number takes a byte.
func Encode(numbers []uint64, tail []byte) string {
	var b []byte
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return base64.RawURLEncoding.EncodeToString(append(b, tail...))
}

// Decode reads so many numbers of what Encode wrote.
func Decode(s string, count int) (numbers []uint64, tail []byte, err error) {
	tail, err = base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, nil, NotOurs()
	}
	for range count {
		n, size := binary.Uvarint(tail)
		if size <= 0 {
			return nil, nil, NotOurs()
		}
		numbers, tail = append(numbers, n), tail[size:]
	}
	return numbers, tail, nil
}

// The forms of a platform's token in a cursor. Many
// tokens are base64 of text, or numbers and digests, which take half as much.
const (
	plainToken = iota
	base64Token
	digitsToken // added to the others
)

// digits are what numbers, digests and what stands between them consist of. The
// first is never written, so that leading ones are not lost.
const digits = "\x00" + "0123456789abcdef.:-_,"

// maxDigits bounds what is read as one number: that takes the square of its length.
const maxDigits = 256

// shorten returns a token in its shortest form.
func shorten(token string) (form int, b []byte) {
	form, b = plainToken, []byte(token)
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(token); err == nil && len(raw) > 0 {
		form, b = base64Token, raw
	}
	if len(b) == 0 || len(b) > maxDigits {
		return form, b
	}
	n := new(big.Int)
	for i := len(b) - 1; i >= 0; i-- {
		at := strings.IndexByte(digits, b[i])
		if at < 1 {
			return form, b
		}
		n.Add(n.Mul(n, big.NewInt(int64(len(digits)))), big.NewInt(int64(at)))
	}
	return form + digitsToken, n.Bytes()
}

// lengthen is the token of which shorten made b.
func lengthen(form int, b []byte) string {
	if form >= digitsToken {
		form -= digitsToken
		n, at, base := new(big.Int).SetBytes(b), new(big.Int), big.NewInt(int64(len(digits)))
		b = nil
		for n.Sign() > 0 {
			n.DivMod(n, base, at)
			b = append(b, digits[at.Int64()])
		}
	}
	if form == base64Token {
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return string(b)
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
