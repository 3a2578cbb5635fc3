package server

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A client of a server that cannot start hears why, whichever revision it
// speaks.
func TestRefuseStdio(t *testing.T) {
	const why = "the configuration has problems:\n  - DIFY_API_KEY \"x\""
	for _, tt := range []struct {
		name, in string
		ids      string
	}{
		{"initialize", initialize("2025-11-25") + "\n" + listTools + "\n", "1"},
		{"discover first", modern(7, "server/discover", "") + "\n" + initialize("2025-11-25") + "\n", "7 1"},
		{"a large id, a mark, noise before", "\nnoise\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\n\ufeff" + withID("9007199254740993", "initialize", "{}") + "\n", "9007199254740993"},
		{"nothing", "", ""},
		{"modern only", modern(3, "tools/list", "") + "\n", "3"},
	} {
		var out strings.Builder
		RefuseStdio(t.Context(), strings.NewReader(tt.in), &out, why)
		var ids []string
		for line := range strings.Lines(out.String()) {
			if a := parse(t, line); a.Error == nil || a.Error.Code != -32603 || a.Error.Message != why {
				t.Errorf("%s: %s", tt.name, line)
			}
			ids = append(ids, idOf(t, line))
		}
		if got := strings.Join(ids, " "); got != tt.ids {
			t.Errorf("%s: answered %q, want %q", tt.name, got, tt.ids)
		}
	}
}

// It waits for a client that says nothing, or does not read, only so long.
func TestRefuseStdioEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, ask := range map[string]string{"silent": "", "asks something else": modern(1, "server/discover", "") + "\n"} {
			in, client := io.Pipe()
			out, unread := io.Pipe()
			go io.WriteString(client, ask)
			if name != "silent" {
				go bufio.NewReader(out).ReadString('\n')
			}
			began := time.Now()
			RefuseStdio(t.Context(), in, unread, "why")
			if took := time.Since(began); took > 7*time.Second {
				t.Errorf("%s: %v", name, took)
			}
			client.Close()
			out.Close()
		}
		in, client := io.Pipe()
		out, unread := io.Pipe()
		go io.WriteString(client, initialize("2025-11-25")+"\n")
		began := time.Now()
		RefuseStdio(t.Context(), in, unread, "why")
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a client that does not read: %v", took)
		}
		client.Close()
		out.Close()
	})
}
