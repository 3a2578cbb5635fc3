package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"kb-mcp/vendors/sandbox"
)

// Each caller has its own knowledge base: kb-mcp merges equal reads in flight
// into one request, which would compare it with servers that do more work.
const (
	knowledgeBases = 512
	documents      = 20
)

// vendorFacts is what the sandbox's process says first, as a line of JSON.
type vendorFacts struct {
	Environ []string            // points kb-mcp at it
	KBs     map[string][]string // by platform: the knowledge bases
}

// vendorCounts is its answer to every line that it is sent.
type vendorCounts struct {
	Requests, Connections int64 // since the start
}

// vendorRole serves the sandbox with some more knowledge bases until stdin
// ends. Its argument is how long every answer takes, and after a comma a
// platform that never answers at all.
func vendorRole(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	word, stuck, _ := strings.Cut(args[0], ",")
	latency, err := time.ParseDuration(word)
	if err != nil {
		return err
	}
	sb := sandbox.New(sandbox.Options{Latency: latency})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var counts vendorCounts
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			atomic.AddInt64(&counts.Requests, 1)
			if stuck != "" && strings.HasPrefix(r.URL.Path, "/"+stuck+"/") {
				<-r.Context().Done()
				return
			}
			sb.ServeHTTP(w, r)
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				atomic.AddInt64(&counts.Connections, 1)
			}
		},
		ReadHeaderTimeout: 10 * time.Second,
	}
	go srv.Serve(ln) // Close ends it
	defer srv.Close()
	context.AfterFunc(ctx, func() { srv.Close() })

	out := json.NewEncoder(stdout)
	facts := vendorFacts{Environ: sandbox.Variables("http://" + ln.Addr().String()), KBs: seed(sb)}
	if err := out.Encode(facts); err != nil {
		return err
	}
	for lines := bufio.NewScanner(stdin); lines.Scan(); {
		now := vendorCounts{atomic.LoadInt64(&counts.Requests), atomic.LoadInt64(&counts.Connections)}
		if err := out.Encode(now); err != nil {
			return err
		}
	}
	return nil
}

// seed adds the callers' knowledge bases to every platform.
func seed(sb *sandbox.Sandbox) map[string][]string {
	kbs := map[string][]string{}
	at := time.Now().Add(-time.Hour).Truncate(time.Second).UTC()
	for _, platform := range []string{sandbox.Coze, sandbox.Dify} {
		for i := range knowledgeBases {
			kb := sb.Store(platform).AddKB(sandbox.KnowledgeBase{
				Name: fmt.Sprintf("team %d", i+1), Technique: "high_quality", Created: at, Updated: at,
			})
			kbs[platform] = append(kbs[platform], kb.ID)
			for n := range documents {
				sb.Store(platform).Add(document(kb.ID, n, at))
			}
		}
	}
	return kbs
}

func document(kb string, n int, at time.Time) sandbox.Document {
	at = at.Add(time.Duration(n) * time.Second)
	text := strings.Repeat(fmt.Sprintf("第%d号档案。", n+1), 40)
	return sandbox.Document{
		KB: kb, Name: fmt.Sprintf("quarterly report %02d 季度报告.pdf", n+1), Format: "pdf", Source: "file",
		Text: text, Size: len(text), Hits: n, Created: at, Updated: at, Started: at, Plan: sandbox.Immediate(sandbox.Completed),
	}
}

// vendor is the sandbox's process, seen from the callers.
type vendor struct {
	vendorFacts
	*process
	answers *json.Decoder
}

// startVendor starts the sandbox with an argument of [vendorRole].
func startVendor(ctx context.Context, o options, arg string) (*vendor, error) {
	p, _, err := start(ctx, nil, o.self, roleVendor, arg)
	if err != nil {
		return nil, err
	}
	v := &vendor{process: p, answers: json.NewDecoder(p.stdout)}
	return v, v.answers.Decode(&v.vendorFacts)
}

// counts returns how many requests and connections there have been.
func (v *vendor) counts() (c vendorCounts, err error) {
	if _, err := io.WriteString(v.stdin, "\n"); err != nil {
		return c, err
	}
	return c, v.answers.Decode(&c)
}

// variable is the value of one of the variables that point kb-mcp at it.
func (v *vendor) variable(name string) string {
	for _, pair := range v.Environ {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}
