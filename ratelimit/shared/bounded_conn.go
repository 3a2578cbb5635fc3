package shared

import (
	"errors"
	"net"
	"syscall"
)

// Bounds of what Redis may answer to one command. The scripts of this package
// return three numbers, and a greeting is a list of some dozen words; the Redis
// client, though, makes room for whatever a header announces.
const (
	maxAnswer   = 64 << 10
	maxElements = 64
	maxString   = 16 << 10
)

// boundedConn is a connection to Redis that passes on only answers within the
// bounds, of the five types of RESP2. The first byte beyond them ends it.
type boundedConn struct {
	net.Conn
	left   int  // bytes that the answer to the last command may still have
	header byte // type of the line at hand, 0 at its beginning
	number int  // in the line at hand
	skip   int  // bytes of a string, with its line end, that are still to come
	broken bool
}

// bounded watches over the answers that come in on a connection. The Redis
// client looks at the socket itself to find connections that were closed.
func bounded(c net.Conn) net.Conn {
	a := &boundedConn{Conn: c, left: maxAnswer}
	if s, ok := c.(syscall.Conn); ok {
		return struct {
			*boundedConn
			syscall.Conn
		}{a, s}
	}
	return a
}

var errAnswer = errors.New("its answer is not one to these commands")

// Write sends a command: the next answer may be as long as any.
func (a *boundedConn) Write(b []byte) (int, error) {
	a.left = maxAnswer
	return a.Conn.Write(b)
}

// Read implements [net.Conn].
func (a *boundedConn) Read(b []byte) (int, error) {
	if a.broken {
		return 0, errAnswer
	}
	n, err := a.Conn.Read(b)
	a.left -= n
	if a.left < 0 || !a.fits(b[:n]) {
		a.broken = true
		return 0, errAnswer
	}
	return n, err
}

// fits goes through the next bytes, and reports whether what they announce is
// within the bounds.
func (a *boundedConn) fits(b []byte) bool {
	for len(b) > 0 {
		if a.skip > 0 {
			n := min(a.skip, len(b))
			a.skip, b = a.skip-n, b[n:]
			continue
		}
		c := b[0]
		b = b[1:]
		switch {
		case a.header == 0:
			a.header, a.number = c, 0
			if c != '+' && c != '-' && c != ':' && c != '$' && c != '*' {
				return false
			}
		case c == '\n':
			if a.header == '$' {
				a.skip = a.number + len("\r\n")
			}
			a.header = 0
		case a.header == '$' || a.header == '*':
			if !a.announced(c) {
				return false
			}
		}
	}
	return true
}

// announced takes in a character of a length: digits, or "-1" for nothing.
func (a *boundedConn) announced(c byte) bool {
	switch {
	case c >= '0' && c <= '9':
		a.number = 10*a.number + int(c-'0')
	case c == '-': // "$-1", which no string follows
		a.number, a.header = 0, '-'
	case c != '\r':
		return false
	}
	if a.header == '*' {
		return a.number <= maxElements
	}
	return a.number <= maxString
}
