package rest

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"kb-mcp/vendors"
)

func rows(n int, row string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(row+",", n), ",") + "]"
}

// TestModest: what an answer may hold, and what it may not.
func TestModest(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want bool
	}{
		"nothing":              {``, true},
		"words":                {`nothing at all`, true},
		"most rows":            {rows(maxMembers, `{}`), true},
		"a row more":           {rows(maxMembers+1, `{}`), false},
		"numbers":              {`{"a":` + rows(maxMembers+1, `0`) + `}`, false},
		"nested":               {`{"data":{"rows":` + rows(maxMembers+1, `{}`) + `}}`, false},
		"lists in rows":        {rows(20, rows(6000, `{}`)), false},
		"numbers in rows":      {rows(60, rows(9000, `0`)), false},
		"deep":                 {strings.Repeat("[", maxNesting) + strings.Repeat("]", maxNesting), true},
		"deeper":               {strings.Repeat("[", maxNesting+1), false},
		"deep objects":         {strings.Repeat(`{"a":`, 100_000), false},
		"keys":                 {`{` + strings.Repeat(`"a":1,`, maxMembers) + `"b":1}`, false},
		"commas in a text":     {`["` + strings.Repeat(`,[{`, 100_000) + `"]`, true},
		"quotes in a text":     {`["` + strings.Repeat(`\",`, 100_000) + `"]`, true},
		"backslashes":          {`["` + strings.Repeat(`\\`, 100_000) + `",` + rows(maxMembers+1, `0`) + `]`, false},
		"a text without end":   {`["` + strings.Repeat(`\`, 100_000) + rows(maxMembers+1, `0`), true},
		"more than one":        {`{}` + rows(maxMembers+1, `0`), false},
		"more ends than there": {`]` + rows(maxMembers+1, `0`), true},
	} {
		if got := withinBounds([]byte(tt.body)); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestRows: far more rows than were asked for are no answer to the question; some
// more are.
func TestRows(t *testing.T) {
	type row struct {
		ID   ID    `json:"id"`
		Tags []ID  `json:"tags"`
		Kids []row `json:"kids"`
	}
	var out struct {
		Data struct {
			Rows []row `json:"rows"`
		} `json:"data"`
	}
	for name, tt := range map[string]struct {
		asked int
		rows  string
		ok    bool
	}{
		"ten times as many":         {20, rows(200, `{"id":1}`), true},
		"more than ten times":       {20, rows(201, `{"id":1}`), false},
		"a smallest page":           {1, rows(100, `{"id":1}`), true},
		"more than that":            {1, rows(101, `{"id":1}`), false},
		"nothing says":              {0, rows(maxMembers, `{"id":1}`), true},
		"more than can be":          {0, rows(maxMembers+1, `{"id":1}`), false},
		"more than can be, escaped": {0, `[{"\u0069d":1},` + rows(maxMembers, `{"id":1}`)[1:], false},
		"lists in rows":             {1, rows(20, `{"tags":`+rows(300, "1")+`}`), true},
		"rows in rows":              {1, rows(20, `{"kids":`+rows(300, "{}")+`}`), true},
		"too many rows in rows":     {0, rows(20, `{"kids":`+rows(6000, "{}")+`}`), false},
	} {
		conn := Conn{Transport: function(reply(200, `{"data":{"rows":`+tt.rows+`}}`)), Limiter: limiter(t, "off")}
		c := New(conn, Dialect{Base: base(t, "http://h"), Decode: func(a Answer, out any) error {
			if malformed, mistyped := Unmarshal(a, out); malformed != nil {
				return malformed
			} else if mistyped != nil {
				return mistyped
			}
			return nil
		}})
		out.Data.Rows = nil
		err := c.Do(t.Context(), Call{Method: "GET", Path: []string{name}, Rows: tt.asked}, &out)
		if (err == nil) != tt.ok || err != nil && vendors.KindOf(err) != vendors.BadResponse {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzWithinBounds: JSON within the bounds has no more than it may.
func FuzzWithinBounds(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":"\\\""}]}`, `[[],[],"]",{}]`, `"`, `{"a":"\\","b":[,,`, `[1,2,3]]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v any
		dec := json.NewDecoder(bytes.NewReader(body))
		if dec.Decode(&v) != nil {
			withinBounds(body)
			return
		}
		depth, most := measured(v)
		if want := depth <= maxNesting && most <= maxMembers; !want && withinBounds(body) {
			t.Errorf("%d deep, %d members", depth, most)
		}
	})
}

func measured(v any) (depth, most int) {
	var inner []any
	switch v := v.(type) {
	case []any:
		inner = v
	case map[string]any:
		for _, e := range v {
			inner = append(inner, e)
		}
	default:
		return 0, 0
	}
	most = len(inner)
	for _, e := range inner {
		d, m := measured(e)
		depth, most = max(depth, d), max(most, m)
	}
	return depth + 1, most
}

func BenchmarkModest(b *testing.B) {
	row := `{"id":"8a7b5c1e-0000-4000-8000-000000000000","position":1,"data_source_type":"upload_file","data_source_detail_dict":{"upload_file":{"id":"x","name":"a.pdf","size":12345,"extension":"pdf"}},"name":"annual report 2026.pdf","tokens":1234,"indexing_status":"completed","error":null,"enabled":true}`
	body := []byte(`{"data":` + rows(50, row) + `,"total":50}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		withinBounds(body)
	}
}
