package faults

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// bodies are broken bodies, of thousands: what request n of an operation gets,
// while its other requests are answered rightly. They are tried one after the
// other over one connection, which at first knows nothing.
type bodies struct {
	column    *column
	operation operation
	n         int
	list      []body
}

type body struct {
	mishap
	wire []byte // the whole answer
}

// peer is the least that answers HTTP: it serves thousands of broken bodies for
// the price of their sockets, one request a connection.
type peer struct {
	net.Listener
	answer atomic.Pointer[func() []byte]
	done   chan struct{}
}

func newPeer() (*peer, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &peer{Listener: ln, done: make(chan struct{})}
	go func() { // Close waits for done
		defer close(p.done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			p.serve(conn)
		}
	}()
	return p, nil
}

func (p *peer) serve(conn net.Conn) {
	defer conn.Close()
	r, err := http.ReadRequest(bufio.NewReaderSize(conn, 1<<10))
	if err != nil {
		return
	}
	io.Copy(io.Discard, r.Body)
	conn.Write((*p.answer.Load())())
}

// Close ends the peer.
func (p *peer) Close() error {
	err := p.Listener.Close()
	<-p.done
	return err
}

// framed is the reply with another body, as bytes. Without a length the body
// ends with the connection.
func (r reply) framed(body []byte, length int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d OK\r\nConnection: close\r\n", r.status)
	r.header.Write(&b)
	if length >= 0 {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", length)
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// tryBodies asks each body's question once.
func (l *lab) tryBodies(work <-chan bodies) {
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			p, err := newPeer()
			if err != nil {
				l.t.Error(err)
				return
			}
			defer p.Close()
			for w := range work {
				conf := l.connect(w.column, mishap{}, "http://"+p.Addr().String())
				for _, b := range w.list {
					l.tryBody(p, conf, w, b)
				}
			}
		})
	}
	wg.Wait()
}

func (l *lab) tryBody(p *peer, conf connected, w bodies, b body) {
	asked := w.operation.asked
	n := 0
	answer := func() []byte {
		l.requests.Add(1)
		if n++; n-1 == w.n {
			return b.wire
		}
		r := asked[min(n, len(asked))-1]
		return r.framed(r.body, len(r.body))
	}
	p.answer.Store(&answer)
	ctx, cancel := context.WithTimeout(l.t.Context(), faultTime)
	defer cancel()
	a, _ := conf.Tools().Call(ctx, w.operation.tool, w.operation.args)
	where := fmt.Sprintf("%s, %s, %s, request %d answered %s", b.row, w.column.face, w.operation.name, w.n, b.wire)
	l.note(b.row, w.column.face, l.judge(where, w.column, w.operation, b.mishap, a)...)
	l.secret(where, string(a.Text), conf.secrets, &safeBuffer{})
}

// cutFaults are the rows of [lab.cuts].
func cutFaults() []mishap {
	return grouped("The list of documents, cut", []mishap{{row: "cut at every byte"}, {row: "cut, the length known"}})
}

// cuts are the right answer to the list of documents, cut at every byte. Where
// the length is known any cut looks the same, so that fewer do.
func (l *lab) cuts(work chan<- bodies) {
	rows := cutFaults()
	for _, c := range l.columns {
		o := c.operations[0]
		whole := bytes.TrimSpace(o.asked[0].body)
		var list []body
		for n := range whole {
			list = append(list, body{rows[0], o.asked[0].framed(whole[:n], -1)})
			if n%7 == 0 {
				list = append(list, body{rows[1], o.asked[0].framed(whole[:n], len(whole))})
			}
		}
		for part := range slices.Chunk(list, 100) {
			work <- bodies{c, o, 0, part}
		}
	}
}

// instead is what a value may be replaced by: the types of JSON, then numbers
// that are hard to take.
var instead = []string{"7", `"x"`, "true", "null", "[]", "{}",
	"-0", "1e999", "9223372036854775807", "123456789012345678901234567890"}

// fieldFaults are the rows of [lab.fields].
func fieldFaults() []mishap {
	var list []mishap
	for _, v := range instead {
		list = append(list, mishap{row: "`" + v + "`", differs: true})
	}
	return grouped("Each value of the JSON in turn replaced", list)
}

// fields are the right answers with one value of the JSON at a time replaced:
// by every other type, and a number by every hard number. A field that an
// earlier answer of the platform had is only nulled.
func (l *lab) fields(work chan<- bodies) {
	rows := fieldFaults()
	for _, c := range l.columns {
		seen := map[string]bool{}
		for _, o := range c.operations {
			if o.tool == "find_unfinished_documents" || o.name == wholeProgress {
				continue // they make the requests of the others
			}
			for n, r := range o.asked {
				eachValue(r.body, func(path string, from, to int) {
					w := bodies{column: c, operation: o, n: n}
					for i, v := range instead {
						hard := i >= 6
						if hard != (typeOf(r.body[from]) == typeOf(v[0])) || seen[path] && v != "null" {
							continue
						}
						changed := slices.Concat(r.body[:from], []byte(v), r.body[to:])
						w.list = append(w.list, body{rows[i], r.framed(changed, len(changed))})
					}
					work <- w
					seen[path] = true
				})
			}
		}
	}
}

// typeOf tells the types of JSON values by their first byte.
func typeOf(b byte) byte {
	switch {
	case b == '-' || b >= '0' && b <= '9':
		return '0'
	case b == 'f':
		return 't'
	}
	return b
}

// eachValue visits every value of a JSON text: all of an object, the first of a
// list.
func eachValue(text []byte, visit func(path string, from, to int)) {
	dec := json.NewDecoder(bytes.NewReader(text))
	var value func(path string, skip bool)
	value = func(path string, skip bool) {
		from := int(dec.InputOffset())
		for from < len(text) && strings.IndexByte(" \t\n\r,:", text[from]) >= 0 {
			from++
		}
		token, err := dec.Token()
		if err != nil {
			return // words of a 400
		}
		if d, ok := token.(json.Delim); ok {
			for i := 0; dec.More(); i++ {
				inner := path + "[]"
				if d == '{' {
					key, _ := dec.Token()
					inner = path + "." + key.(string)
				}
				value(inner, skip || d == '[' && i > 0)
			}
			dec.Token()
		}
		if !skip {
			visit(path, from, int(dec.InputOffset()))
		}
	}
	value("", false)
}
