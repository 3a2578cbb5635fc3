package server

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// repeat is n times the same bytes, without holding them.
type repeat struct {
	what []byte
	n    int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	k := min(len(p), r.n)
	for i := 0; i < k; i += copy(p[i:k], r.what) {
	}
	r.n -= k
	return k, nil
}

// A line of any length costs no memory; it is answered, by its id where it has
// one, and the session goes on.
func TestLargeLines(t *testing.T) {
	const size = 65 << 20
	before := heap()
	in := io.MultiReader(
		strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"name":"`),
		&repeat{bytes.Repeat([]byte("x"), 1<<16), size}, strings.NewReader("\"}}}\n"),
		strings.NewReader(`{"method":"tools/call","params":{"name":"echo","arguments":{"name":"`),
		&repeat{bytes.Repeat([]byte("x"), 1<<16), size}, strings.NewReader("\"}},\"jsonrpc\":\"2.0\",\"id\":\"last\"}\n"),
		&repeat{bytes.Repeat([]byte("x"), 1<<16), size}, strings.NewReader("\n"),
		strings.NewReader(`{"jsonrpc":"2.0","id":3,"method":"ping"}`+"\n"),
	)
	var out bytes.Buffer
	s := toyServer(newToys(t))
	most := int64(0)
	if err := s.Stdio(t.Context(), &watched{in, func() { most = max(most, heap()-before) }, 0}, &out); err != nil {
		t.Fatal(err)
	}
	if most > 20<<20 {
		t.Errorf("a line of 65 MB costs %d MB", most>>20)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		a := parse(t, line)
		code := 0
		if a.Error != nil {
			code = a.Error.Code
		}
		got = append(got, fmt.Sprint(idOf(t, line), " ", code))
	}
	if all := strings.Join(got, ", "); all != `1 -32600, "last" -32600, null -32600, 3 0` {
		t.Errorf("answers: %s", all)
	}
}

// watched calls look now and then while it is read.
type watched struct {
	io.Reader
	look func()
	n    int
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if w.n += n; w.n > 8<<20 {
		w.n = 0
		w.look()
	}
	return n, err
}
