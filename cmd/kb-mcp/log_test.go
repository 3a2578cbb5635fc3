package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
)

// logLines is a log whose lines are read one by one.
type logLines chan string

func (l logLines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// TestUnaskedAnswersAreLoggedClean: what a platform sends after its answer,
// net/http writes to the standard log.
func TestUnaskedAnswersAreLoggedClean(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":[]}%s", r.Header.Get("Authorization"))
		io.Copy(io.Discard, conn)
	})}
	go srv.Serve(ln) // ends with Close
	defer srv.Close()
	out := make(logLines, 100)
	flags, w := log.Flags(), log.Writer()
	t.Cleanup(func() { log.SetOutput(w); log.SetFlags(flags) })
	a := &app{ctx: t.Context(), environ: sandbox.Variables("http://"+ln.Addr().String(), sandbox.FaceDify)}
	conf, err := a.open(t.Context(), false, out)
	if err != nil {
		t.Fatal(err)
	}
	conf.Tools().Call(t.Context(), "list_knowledge_bases", nil)
	for deadline := time.After(10 * time.Second); ; {
		select {
		case line := <-out:
			if strings.Contains(line, sandbox.DifyKey) {
				t.Errorf("a credential is in %s", line)
			}
			if strings.Contains(line, "Unsolicited") {
				return
			}
		case <-deadline:
			t.Fatal("net/http said nothing: it may do so elsewhere now")
		}
	}
}
