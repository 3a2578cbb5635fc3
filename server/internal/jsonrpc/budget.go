package jsonrpc

import "sync/atomic"

// MaxHeld is how many bytes of messages the process holds at once, of all
// clients together: what arrives, what waits and what is worked on.
const MaxHeld = 256 << 20

// Budget is a number of bytes that may be taken and is given back.
type Budget struct {
	Max  int
	used atomic.Int64
}

// Take takes n bytes, or none.
func (b *Budget) Take(n int) bool {
	if b.used.Add(int64(n)) > int64(b.Max) {
		b.Give(n)
		return false
	}
	return true
}

// Give gives n bytes back.
func (b *Budget) Give(n int) { b.used.Add(-int64(n)) }

// Used is how many bytes are taken.
func (b *Budget) Used() int { return int(b.used.Load()) }
