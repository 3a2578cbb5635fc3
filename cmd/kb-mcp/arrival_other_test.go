//go:build !linux

package main

import (
	"net"
	"time"
)

// watched is the window in which no more than a quota per second may arrive: less
// than the second that a process keeps, by what a request may lie longer before
// its handler looks at it than the next one.
const watched = 850 * time.Millisecond

// arrival is when the handler looks at a request: nothing better is known here.
func arrival(net.Conn) time.Time { return time.Now() }
