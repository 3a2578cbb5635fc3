package paging

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors"
)

// TestCursorSaysItAll: a position comes back from its cursor, and a cursor is
// short, also in the middle of a page of rows of one moment or without order.
func TestCursorSaysItAll(t *testing.T) {
	total, at := 123456, time.Date(2026, 11, 30, 1, 2, 3, 0, time.UTC)
	start := Start(Hash("list_documents", "kb"), 100)
	all := start
	all.Page, all.Token, all.Total, all.Open, all.Count, all.Moved, all.Pass, all.Filter = 1000, "t", &total, true, 99_999, true, maxPasses-1, vendors.Failed
	tests := map[string]Position{"start": start, "every field": all}
	for _, token := range []string{"", "MTc5NjA2NTQyMjAwMDAwMDAwMC4xMDA1LmVmYzM2MjNmNmI1ZTQwNDc", "b3BhcXVlLTE", "0000", "not/base64", "é", "\x00", "AA", "_w"} {
		for _, sorted := range []bool{true, false} {
			p := start
			for i := range 100 {
				p = p.See(i, fmt.Sprintf("document-%d", i), at, sorted)
			}
			tests[fmt.Sprint("in a page ", sorted)] = p
			tests[fmt.Sprintf("token %q, %v", token, sorted)] = p.turn(token, &total)
		}
	}
	p := start.See(0, "a", at.Add(time.Millisecond), true)
	tests["a millisecond"] = p
	for name, p := range tests {
		cursor := p.Cursor()
		got, err := ParseCursor(cursor, p.Query)
		if len(got.Seen) == 0 {
			got.Seen = nil
		}
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%s: %+v became %+v, %v", name, p, got, err)
		}
		if len(cursor) > 72 {
			t.Errorf("%s: %d characters: %s", name, len(cursor), cursor)
		}
	}
	long := start.turn(strings.Repeat("0123456789", 100), nil)
	if got, err := ParseCursor(long.Cursor(), long.Query); err != nil || got.Token != long.Token {
		t.Errorf("a long token: %+v, %v", got, err)
	}
}
