//go:build !linux

package main

import (
	"net"
	"time"
)

// watched is the window in which no more than the quota may arrive: less than
// the second that a process keeps, by what a request may lie longer before the
// front looks at it than the next one.
const watched = 850 * time.Millisecond

// arrival is when the front looks at a request; see the other one.
func arrival(net.Conn) time.Time { return time.Now() }
