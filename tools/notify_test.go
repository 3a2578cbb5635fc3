package tools

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/server"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// oven is a platform on which the documents a, b and c settle at 0, 4 and 8 s.
type oven struct {
	fake
	began time.Time
}

func (o *oven) Progress(_ context.Context, q vendors.ProgressQuery) (r vendors.Report, err error) {
	for _, id := range q.DocumentIDs {
		d := vendors.Document{DocumentID: id, Status: vendors.Processing}
		if time.Since(o.began) >= time.Duration(id[0]-'a')*4*time.Second {
			d.Status = vendors.Completed
		}
		r.Documents = append(r.Documents, d)
	}
	return r, nil
}

// message is what a server sends.
type message struct {
	ID     int    `json:"id"`
	Method string `json:"method"`
	Params struct {
		Token    string   `json:"progressToken"`
		Progress float64  `json:"progress"`
		Total    *float64 `json:"total"`
		Message  string   `json:"message"`
	} `json:"params"`
	Result *struct {
		IsError bool
		Content []struct{ Text string }
	} `json:"result"`
}

// endpoint is a kb-mcp server over a set of tools.
func endpoint(s *Set) *server.Server {
	return server.New(server.Options{Name: "kb-mcp", Version: "v0", Tools: s.ServerTools(), Log: discard})
}

const hello = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"0"}}}`

// request is a tool call with a progress token, or without.
func request(tool, args, token string) string {
	meta := ""
	if token != "" {
		meta = fmt.Sprintf(`,"_meta":{"progressToken":%q}`, token)
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":%q,"arguments":%s%s}}`, tool, args, meta)
}

// overStdio makes one call over pipes and gives what came, the result last.
func overStdio(t *testing.T, s *Set, call string) (got []message) {
	t.Helper()
	in, client := io.Pipe()
	answers, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := endpoint(s).Stdio(t.Context(), in, out)
		out.Close()
		ended <- err
	}()
	go fmt.Fprintln(client, hello)
	lines := bufio.NewScanner(answers)
	for lines.Scan() {
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		if m.ID == 1 { // nothing is sent to a client before it knows this
			go fmt.Fprintln(client, `{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n"+call)
			continue
		}
		if got = append(got, m); m.ID == 2 {
			break
		}
	}
	client.Close()
	_, _ = io.Copy(io.Discard, answers)
	if err := <-ended; err != nil {
		t.Errorf("Stdio = %v", err)
	}
	return got
}

// overHTTP is the same over streamable HTTP.
func overHTTP(t *testing.T, client *http.Client, url, call string) (got []message) {
	t.Helper()
	session := ""
	post := func(body string) []byte {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/mcp", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if session != "" {
			req.Header.Set("Mcp-Session-Id", session)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		session = resp.Header.Get("Mcp-Session-Id")
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s, %v: %s", resp.Status, err, b)
		}
		return b
	}
	post(hello)
	for line := range bytes.Lines(post(call)) {
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("data:")))
		if !bytes.HasPrefix(line, []byte("{")) {
			continue
		}
		var m message
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, m)
	}
	return got
}

// rising checks that n notifications came, rising, before a good result.
func rising(t *testing.T, got []message, n int, token string) {
	t.Helper()
	if len(got) != n+1 {
		t.Fatalf("%d messages, want %d notifications and a result: %+v", len(got), n, got)
	}
	last := -1.0
	for _, m := range got[:n] {
		p := m.Params
		if m.Method != "notifications/progress" || p.Token != token || p.Progress <= last || p.Message == "" || p.Total == nil || *p.Total != 3 {
			t.Errorf("after %v: %+v", last, m)
		}
		last = p.Progress
	}
	if r := got[n].Result; got[n].ID != 2 || r == nil || r.IsError || len(r.Content) != 1 {
		t.Errorf("the last is no good result: %+v", got[n])
	}
}

// pipes is a network without sockets, so that a bubble's clock can move.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p pipes) Close() error { return nil }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p <- theirs
	return ours, nil
}

// TestWaitingIsShown looks at 0, 3, 7.5 and 14.25 seconds.
func TestWaitingIsShown(t *testing.T) {
	const args = `{"knowledge_base_id":"kb","document_ids":["a","b","c"]}`
	for token, n := range map[string]int{"tok": 4, "": 0} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			s := New([]*connection.Connection{connection.New("v", "p", &oven{began: time.Now()})}, Options{Clean: strings.Clone, Log: discard})
			network := make(pipes)
			srv := &http.Server{Handler: endpoint(s).Handler(ctx, server.HTTPOptions{Addr: "127.0.0.1:0"})}
			ended := make(chan error, 1)
			go func() { ended <- srv.Serve(network) }()
			client := &http.Client{Transport: &http.Transport{DialContext: network.dial}}
			began := time.Now()
			got := overHTTP(t, client, "http://127.0.0.1", request("wait_for_ingestion", args, token))
			if took := time.Since(began); took < 14*time.Second || took > 15*time.Second {
				t.Errorf("took %s", took)
			}
			client.CloseIdleConnections()
			cancel()
			close(network)
			if err := srv.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
			<-ended
			rising(t, got, n, token)
			for i, settled := range []int{1, 1, 2, 3}[:n] {
				if want := fmt.Sprintf("%d of 3 documents settled", settled); !strings.HasPrefix(got[i].Params.Message, want) {
					t.Errorf("%q, want %q", got[i].Params.Message, want)
				}
			}
		})
	}
}

// TestProgressIsNotOvertaken returns at once after its last notification, on
// real sockets and time: without the pause most runs lose or misplace some.
func TestProgressIsNotOvertaken(t *testing.T) {
	s := New(nil, Options{Clean: strings.Clone, Log: discard})
	s.tools = []tool{define(s, face{name: "list_vendors", title: "t", doc: "d"}, func(ctx context.Context, _ listVendorsArgs) (vendorList, error) {
		for _, p := range []float64{1, 1, 0} { // they must rise all the same
			tell(ctx, p, 3, "m")
		}
		return vendorList{Vendors: []vendorInfo{}}, nil
	})}
	srv := httptest.NewServer(endpoint(s).Handler(t.Context(), server.HTTPOptions{Addr: "127.0.0.1:0"}))
	defer srv.Close()
	for range 25 {
		rising(t, overHTTP(t, srv.Client(), srv.URL, request("list_vendors", `{}`, "tok")), 3, "tok")
		rising(t, overStdio(t, s, request("list_vendors", `{}`, "tok")), 3, "tok")
	}
	rising(t, overHTTP(t, srv.Client(), srv.URL, request("list_vendors", `{}`, "")), 0, "")
}

// TestUnknownToolIsAProtocolError is what a write tool is without permission.
func TestUnknownToolIsAProtocolError(t *testing.T) {
	s := newSet(&fake{}, "dify")
	srv := httptest.NewServer(endpoint(s).Handler(t.Context(), server.HTTPOptions{Addr: "127.0.0.1:0"}))
	defer srv.Close()
	got := overHTTP(t, srv.Client(), srv.URL, request("delete_documents", `{"knowledge_base_id":"kb","document_ids":["a"]}`, ""))
	if len(got) != 1 || got[0].ID != 2 || got[0].Result != nil {
		t.Errorf("%+v", got)
	}
}
