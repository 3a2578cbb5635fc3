package jsonrpc

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
)

func TestOutlet(t *testing.T) {
	raw := json.RawMessage(`{"a":"<\"> ` + strings.Repeat("x", 100) + `"}`)
	for _, tt := range []struct {
		name   string
		result *mcp.CallToolResult
		held   bool
	}{
		{"nothing", nil, false},
		{"JSON twice", mcp.NewToolResultStructured(raw, string(raw)), true},
		{"another text", mcp.NewToolResultStructured(raw, "a summary"), false},
		{"two lines", mcp.NewToolResultStructured(json.RawMessage("[1,\n2]"), "[1,\n2]"), false},
		{"an error", mcp.NewToolResultError(`{"error":{}}`), false},
		{"a struct", mcp.NewToolResultStructured(struct{ A int }{1}, `{"A":1}`), false},
	} {
		var out bytes.Buffer
		o := NewOutlet(NewMasks(), nil)
		plain, err := json.Marshal(tt.result)
		if err != nil {
			t.Fatal(err)
		}
		o.hold(tt.result)
		if held := len(o.held) == 1; held != tt.held {
			t.Errorf("%s: held %v", tt.name, held)
		}
		marked, err := json.Marshal(tt.result)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(o.Fill(marked))
		var got, want any
		if json.Unmarshal(out.Bytes(), &got) != nil || json.Unmarshal(plain, &want) != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %s, want %s", tt.name, out.Bytes(), plain)
		}
		if len(o.held) != 0 {
			t.Errorf("%s is kept", tt.name)
		}
		out.Reset()
		if out.Write(o.Fill(marked)); tt.held && !bytes.Equal(out.Bytes(), marked) {
			t.Errorf("%s: a mark is good once: %s", tt.name, out.Bytes())
		}
	}
}

// TestOutletNeedsTheWholeMark gives fill what only begins like a mark or a mask.
func TestOutletNeedsTheWholeMark(t *testing.T) {
	o := NewOutlet(NewMasks(), nil)
	for _, text := range []string{`"` + o.begin, `"` + o.begin + `12"`, `"` + o.begin + `1`, `"` + o.begin + `7"`, `"` + o.begin + `i3`, `"` + o.begin + `i3"`} {
		if got := string(o.Fill([]byte(text))); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}
