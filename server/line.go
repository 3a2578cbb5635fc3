package server

import (
	"bufio"
	"errors"
	"io"
)

// lines reads messages that are one line each, of at most maxMessage bytes.
type lines struct{ r *bufio.Reader }

func newLines(r io.Reader) *lines { return &lines{bufio.NewReaderSize(r, 64<<10)} }

// next gives the next line without its end. Of one that is too large it keeps
// nothing but its outline. A last line without its end is not given.
func (l *lines) next() (line []byte, large *outline, err error) {
	for {
		part, err := l.r.ReadSlice('\n')
		if err == nil && line == nil && large == nil {
			return append([]byte(nil), part[:len(part)-1]...), nil, nil
		}
		switch {
		case large != nil:
			_, _ = large.Write(part) // never fails
		case len(line)+len(part) > maxMessage+1: // and the line's end
			large = &outline{}
			_, _ = large.Write(line)
			_, _ = large.Write(part)
			line = nil
		default:
			line = append(line, part...)
		}
		if err == nil {
			return trimEnd(line), large, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, nil, err
		}
	}
}

func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 {
		return line[:n-1]
	}
	return line
}
