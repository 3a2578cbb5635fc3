package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

const page = "<!doctype html><html><body><h1>It works!</h1></body></html>"

// bodyFaults are whole answers that say something else.
func bodyFaults() []mishap {
	text := func(row, body string) mishap {
		return mishap{row: row, serve: func(x *exchange) { x.send(200, []byte(body)) }}
	}
	changed := func(row string, change func([]byte) []byte) mishap {
		return mishap{row: row, differs: true, serve: func(x *exchange) { x.send(x.right.status, change(x.right.body)) }}
	}
	twice := func(format string) func([]byte) []byte {
		return func(b []byte) []byte {
			return rebuilt(b, func(w *bytes.Buffer, key string, value []byte) { fmt.Fprintf(w, format, key, value) }, nil)
		}
	}
	numbers := func(with string) func([]byte) []byte {
		return func(b []byte) []byte { return rebuilt(b, nil, func(json.Token) []byte { return []byte(with) }) }
	}
	return grouped("The body", []mishap{
		text("empty", ""),
		{row: "204", serve: func(x *exchange) { x.send(204, nil, "Content-Type: ") }},
		{row: "a web page", serve: func(x *exchange) { x.send(200, []byte(page), "Content-Type: text/html") }},
		text("words", "OK"), text("an empty object", "{}"), text("an empty list", "[]"),
		{row: "null, a number, a text or true", serve: turns("null", "42", `"OK"`, "true")(func(x *exchange, body string) { x.send(200, []byte(body)) })},
		{row: "text/html for JSON", serve: func(x *exchange) { x.send(x.right.status, x.right.body, "Content-Type: text/html") }},
		{row: "no content type", serve: func(x *exchange) { x.send(x.right.status, x.right.body, "Content-Type: ") }},
		changed("a byte order mark", func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }),
		changed("UTF-16", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(""), []byte("\x00")) }),
		changed("more behind the JSON", func(b []byte) []byte { return append(bytes.Clone(b), "{}"...) }),
		changed("invalid UTF-8 in every text", func(b []byte) []byte { return regexp.MustCompile(`:"`).ReplaceAll(b, []byte(":\"\xff\xc3\x28")) }),
		changed("every key twice", twice(`%q:%s,%[1]q:%[2]s`)),
		changed("every key twice, first null", twice(`%q:null,%[1]q:%s`)),
		changed("every key twice, then null", twice(`%q:%s,%[1]q:null`)),
		changed("every key twice, first a list", twice(`%q:[],%[1]q:%s`)),
		changed("NaN for every number", numbers("NaN")), changed("Infinity for every number", numbers("-Infinity")),
		changed("1e999 for every number", numbers("1e999")),
	})
}

// nestedFaults are bodies as deep as no reader should follow.
func nestedFaults() []mishap {
	deep := func(n int, open, end string) string { return strings.Repeat(open, n) + "1" + strings.Repeat(end, n) }
	inField := func(n int) func(*exchange) {
		head := []byte(`{"unknown":` + deep(n, "[", "]") + ",")
		return func(x *exchange) {
			x.send(x.right.status, slices.Concat(head, bytes.TrimPrefix(x.right.body, []byte("{"))))
		}
	}
	lists, objects := []byte(deep(100_000, "[", "]")), []byte(deep(100_000, `{"a":`, "}"))
	return grouped("The body", []mishap{
		{row: "100,000 lists in each other", heavy: true, serve: func(x *exchange) { x.send(200, lists) }},
		{row: "100,000 objects in each other", heavy: true, serve: func(x *exchange) { x.send(200, objects) }},
		{row: "100,000 lists in an unknown field", heavy: true, serve: inField(100_000)},
		{row: "9,000 lists in an unknown field", questions: 2, serve: inField(9_000)},
	})
}

// turns returns each of several values its turn, one an exchange.
func turns[T any](values ...T) func(func(*exchange, T)) func(*exchange) {
	var n atomic.Int32
	return func(serve func(*exchange, T)) func(*exchange) {
		return func(x *exchange) { serve(x, values[int(n.Add(1))%len(values)]) }
	}
}

// rebuilt writes a JSON object again: member writes its members, number its
// numbers.
func rebuilt(text []byte, member func(w *bytes.Buffer, key string, value []byte), number func(json.Token) []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if member == nil {
		member = func(w *bytes.Buffer, key string, value []byte) { fmt.Fprintf(w, "%q:%s", key, value) }
	}
	var value func() []byte
	value = func() []byte {
		token, err := dec.Token()
		if err != nil {
			return text // no JSON: nothing to change
		}
		d, inner := token.(json.Delim)
		if !inner {
			if _, ok := token.(json.Number); ok && number != nil {
				return number(token)
			}
			b, _ := json.Marshal(token) // it came from JSON
			return b
		}
		var w bytes.Buffer
		w.WriteByte(byte(d))
		for i := 0; dec.More(); i++ {
			if i > 0 {
				w.WriteByte(',')
			}
			if d == '{' {
				key, _ := dec.Token()
				member(&w, key.(string), value())
			} else {
				w.Write(value())
			}
		}
		end, _ := dec.Token()
		w.WriteByte(byte(end.(json.Delim)))
		return w.Bytes()
	}
	return value()
}

// statusFaults are about HTTP's status and header.
func (l *lab) statusFaults() []mishap {
	status := func(code int, headers ...string) func(*exchange) {
		return func(x *exchange) { x.send(code, []byte(page), append(headers, "Content-Type: text/html")...) }
	}
	var list []mishap
	for _, code := range []int{400, 401, 403, 404, 405, 407, 408, 409, 413, 418, 429, 500, 502, 503} {
		row := fmt.Sprintf("%d with a web page", code)
		list = append(list, mishap{row: row, serve: status(code)})
	}
	hour := func(string) int { return 3600 }
	date := func(in time.Duration) string {
		return "Retry-After: " + time.Now().Add(in).UTC().Format(http.TimeFormat)
	}
	list = append(list,
		mishap{row: "429, Retry-After 2", serve: status(429, "Retry-After: 2")},
		mishap{row: "429, Retry-After a date", serve: func(x *exchange) { status(429, date(2*time.Second))(x) }},
		mishap{row: "429, Retry-After a date of the past", serve: func(x *exchange) { status(429, date(-time.Hour))(x) }},
		mishap{row: "429, Retry-After an hour", waits: hour, serve: status(429, "Retry-After: 3600")},
		mishap{row: "429, Retry-After a day", waits: hour, serve: status(429, "Retry-After: 86400")},
		mishap{row: "429, Retry-After 1e12", serve: status(429, "Retry-After: 1000000000000")},
		mishap{row: "429, Retry-After negative", serve: status(429, "Retry-After: -5")},
		mishap{row: "429, Retry-After garbage", serve: status(429, "Retry-After: soon")},
		mishap{row: "429, Retry-After 1, once, then right", serve: first(1, status(429, "Retry-After: 1"))},
		mishap{row: "503, Retry-After 2", serve: status(503, "Retry-After: 2")},
		mishap{row: "503, Retry-After an hour", waits: hour, serve: status(503, "Retry-After: 3600")},
		mishap{row: "500 once, then right", serve: first(1, status(500))},
		mishap{row: "502 twice, then right", serve: first(2, status(502))},
		mishap{row: "503, Retry-After 1, once, then right", serve: first(1, status(503, "Retry-After: 1"))},
		mishap{row: "300 with the right body", serve: func(x *exchange) { x.send(300, x.right.body) }},
		mishap{row: "redirect to itself", serve: func(x *exchange) { x.send(302, nil, "Location: "+x.r.URL.String()) }},
		mishap{row: "redirect to nowhere", serve: status(307)},
		mishap{row: "301, 302, 303, 307 or 308 to another host", serve: turns(301, 302, 303, 307, 308)(func(x *exchange, code int) {
			x.send(code, nil, "Location: "+l.elsewhere.URL+x.r.URL.Path)
		})},
	)
	return grouped("Status and header", list)
}
