package jsonrpc

import (
	"io"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	const end = "\n"
	long := strings.Repeat("x", 200_000)
	full := strings.Repeat("y", MaxMessage)
	l := NewLines(strings.NewReader("a" + end + end + long + end + full + end + full + "z" + end + `{"id":3,"m":"` + full + `","id":4}` + end + "b" + end + "unfinished"))
	for i, want := range []string{"a", "", long, full, "large:", "large:4", "b"} {
		line, large, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		got := string(line)
		if large != nil {
			got = "large:" + large.ID
		}
		if got != want {
			t.Errorf("line %d: %.40q (%d), want %.40q (%d)", i, got, len(got), want, len(want))
		}
	}
	if _, _, err := l.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}
