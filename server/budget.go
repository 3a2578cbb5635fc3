package server

import "sync/atomic"

// maxHeld is how many bytes of messages the process holds at once, of all
// clients together: what arrives, what waits and what is worked on.
const maxHeld = 256 << 20

// budget is a number of bytes that may be taken and is given back.
type budget struct {
	max  int64
	used atomic.Int64
}

// take takes n bytes, or none.
func (b *budget) take(n int) bool {
	if b.used.Add(int64(n)) > b.max {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

func (b *budget) give(n int) { b.used.Add(-int64(n)) }
