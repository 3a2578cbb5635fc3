package jsonrpc

import (
	"bufio"
	"errors"
	"io"

	"github.com/mark3labs/mcp-go/mcp"
)

// Lines reads messages that are one line each, of at most [MaxMessage] bytes.
type Lines struct{ r *bufio.Reader }

// NewLines reads lines from r.
func NewLines(r io.Reader) *Lines { return &Lines{bufio.NewReaderSize(r, 64<<10)} }

// Next gives the next line without its end. Of one that is too large it keeps
// nothing but its outline, and gives the fault. A last line without its end is
// not given.
func (l *Lines) Next() (line []byte, tooLarge *Fault, err error) {
	var large *outline
	for {
		part, err := l.r.ReadSlice('\n')
		if err == nil && line == nil && large == nil {
			return append([]byte(nil), part[:len(part)-1]...), nil, nil
		}
		switch {
		case large != nil:
			_, _ = large.Write(part) // never fails
		case len(line)+len(part) > MaxMessage+1: // and the line's end
			large = &outline{}
			_, _ = large.Write(line)
			_, _ = large.Write(part)
			line = nil
		default:
			line = append(line, part...)
		}
		if err == nil && large != nil {
			return nil, &Fault{mcp.INVALID_REQUEST, "message is larger than 4 MiB", string(large.id)}, nil
		}
		if err == nil {
			return line[:len(line)-1], nil, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, nil, err
		}
	}
}
