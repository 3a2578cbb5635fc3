package jsonrpc

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// The id is found wherever it stands, in any pieces, and nowhere else.
func TestOutline(t *testing.T) {
	for _, tt := range []struct{ text, id string }{
		{`{"jsonrpc":"2.0","id":7,"method":"x","params":{"id":8}}`, "7"},
		{`{"params":{"id":8,"a":["id",9]},"id" : "a,}\"b" }`, `"a,}\"b"`},
		{`{"params":{"text":"\"id\":3,\\"},"id":12345678901234567890}`, "12345678901234567890"},
		{`{"id":{"id":1}}`, ""}, {`{"id":[1]}`, ""}, {`{"id":null}`, ""}, {`{"id":7x}`, ""}, {`{"a":"id"}`, ""},
		{`{"a":"` + strings.Repeat(`\\"`, 2000) + strings.Repeat("x", 3000) + `\\","id":5}`, "5"},
		{`{"id":1,"id":2}`, "2"}, {`[{"id":1}]`, ""}, {`{"ids":1}`, ""}, {`{"id":1`, ""}, {`{"id":1,`, "1"}, {``, ""}, {`}{"id":1}`, ""},
	} {
		for size := 1; size <= min(len(tt.text)+1, 60); size++ {
			var o outline
			for rest := tt.text; rest != ""; {
				n := min(size, len(rest))
				o.Write([]byte(rest[:n]))
				rest = rest[n:]
			}
			if string(o.id) != tt.id {
				t.Fatalf("%s in pieces of %d: %q, want %q", tt.text, size, o.id, tt.id)
			}
		}
	}
}

// ids that a float64 does not hold, or that an encoder writes otherwise. They
// come back as they came.
var rawIDs = []string{
	`7`, `0`, `-3`, `"a-1"`, `""`,
	`9007199254740993`, `1764418399306123457`, `1764418399306123459`, `1000000000000000000000`, `-9223372036854775808`,
	`1.50`, `1e3`, `1E400`, `-0`, `0.1e-7`,
	`"<a&b>"`, `"\u00e9\ud83d\ude00"`, `"é"`, `"\ud800"`, `"a\/b"`, `"` + strings.Repeat("x", 1000) + `"`,
}

// A token is hidden exactly where mcp-go would change it.
func TestUnchanged(t *testing.T) {
	for _, id := range rawIDs {
		var v any
		err := json.Unmarshal([]byte(id), &v)
		out, merr := json.Marshal(v)
		if same := errors.Join(err, merr) == nil && string(out) == id; unchanged([]byte(id)) && !same {
			t.Errorf("%s would come out as %s", id, out)
		}
	}
}
