package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// caller makes one call and returns the answer, a JSON-RPC message. The
// clients here do as little as they can: they share the machine with what they
// measure.
type caller func(ctx context.Context, platform, kb string) ([]byte, error)

const protocol = "2025-06-18"

// The messages of a session.
const (
	helloLine = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"` + protocol +
		`","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`
	readyLine = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	listLine  = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
)

func callLine(id int, platform, kb string) []byte {
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"list_documents",`+
		`"arguments":{"vendor":%q,"knowledge_base_id":%q,"detail":"full"}}}`, id, platform, kb)
}

// connect opens n callers on a server: one session on stdio, else one each.
func connect(ctx context.Context, transport string, p *process, n int) ([]caller, error) {
	pool := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4 * knowledgeBases}}
	var callers []caller
	var pipe caller
	for range n {
		var c caller
		var err error
		switch transport {
		case "stdio":
			if pipe == nil {
				pipe, err = stdioCaller(ctx, p)
			}
			c = pipe
		case "http":
			c, err = httpCaller(ctx, pool, "http://"+p.addr+"/mcp")
		case "sse":
			c, err = sseCaller(ctx, pool, "http://"+p.addr)
		default:
			err = fmt.Errorf("unknown transport %q", transport)
		}
		if err != nil {
			return nil, err
		}
		callers = append(callers, c)
	}
	return callers, nil
}

// stdioCaller is one session over pipes; it may be used many times at once.
func stdioCaller(ctx context.Context, p *process) (caller, error) {
	var mu sync.Mutex // of the pipe and the list
	waiting, last := map[int]chan []byte{0: make(chan []byte, 1)}, 0
	hello := waiting[0]
	if _, err := io.WriteString(p.stdin, helloLine+"\n"); err != nil {
		return nil, err
	}
	go func() { // ends with the process
		for r := bufio.NewReaderSize(p.stdout, 1<<16); ; {
			line, err := r.ReadBytes('\n')
			mu.Lock()
			id := answerID(line)
			if c := waiting[id]; c != nil {
				delete(waiting, id)
				c <- line
			}
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	if _, err := receive(ctx, hello); err != nil {
		return nil, err
	}
	_, err := io.WriteString(p.stdin, readyLine+"\n")
	return func(ctx context.Context, platform, kb string) ([]byte, error) {
		answer := make(chan []byte, 1)
		mu.Lock()
		last++
		waiting[last] = answer
		_, err := p.stdin.Write(append(callLine(last, platform, kb), '\n'))
		mu.Unlock()
		if err != nil {
			return nil, err
		}
		return receive(ctx, answer)
	}, err
}

// answerID reads the id near the beginning of an answer; -1 when there is none.
func answerID(line []byte) int {
	_, rest, ok := bytes.Cut(line[:min(len(line), 100)], []byte(`"id":`))
	if end := bytes.IndexAny(rest, ",}"); ok && end > 0 {
		if id, err := strconv.Atoi(string(rest[:end])); err == nil {
			return id
		}
	}
	return -1
}

func receive(ctx context.Context, answer <-chan []byte) ([]byte, error) {
	select {
	case line := <-answer:
		return line, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// httpCaller is one session over streamable HTTP.
func httpCaller(ctx context.Context, pool *http.Client, url string) (caller, error) {
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
	_, got, err := post(ctx, pool, url, []byte(helloLine), header)
	if err != nil {
		return nil, err
	}
	header.Set("Mcp-Session-Id", got.Get("Mcp-Session-Id"))
	header.Set("Mcp-Protocol-Version", protocol)
	_, _, err = post(ctx, pool, url, []byte(readyLine), header)
	return func(ctx context.Context, platform, kb string) ([]byte, error) {
		answer, _, err := post(ctx, pool, url, callLine(1, platform, kb), header)
		return answer, err
	}, err
}

func post(ctx context.Context, pool *http.Client, url string, body []byte, header http.Header) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = header
	return exchange(pool, req)
}

func exchange(pool *http.Client, req *http.Request) ([]byte, http.Header, error) {
	resp, err := pool.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("HTTP %d: %s", resp.StatusCode, answer)
	}
	return answer, resp.Header, err
}

// sseCaller is one session over the older HTTP+SSE transport.
func sseCaller(ctx context.Context, pool *http.Client, base string) (caller, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/sse", nil)
	if err != nil {
		return nil, err
	}
	resp, err := pool.Do(req)
	if err != nil {
		return nil, err
	}
	events := make(chan []byte, 1)
	go func() { // ends with the stream
		defer resp.Body.Close()
		for r := bufio.NewReaderSize(resp.Body, 1<<16); ; {
			line, err := r.ReadBytes('\n')
			if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
				events <- data
			}
			if err != nil {
				return
			}
		}
	}()
	endpoint, err := receive(ctx, events)
	if err != nil {
		return nil, err
	}
	url := strings.TrimSpace(string(endpoint))
	if strings.HasPrefix(url, "/") {
		url = base + url
	}
	header := http.Header{"Content-Type": {"application/json"}}
	ask := func(ctx context.Context, line []byte) ([]byte, error) {
		if _, _, err := post(ctx, pool, url, line, header); err != nil {
			return nil, err
		}
		return receive(ctx, events)
	}
	if _, err := ask(ctx, []byte(helloLine)); err != nil {
		return nil, err
	}
	_, _, err = post(ctx, pool, url, []byte(readyLine), header)
	return func(ctx context.Context, platform, kb string) ([]byte, error) {
		return ask(ctx, callLine(1, platform, kb))
	}, err
}

// directCallers send requests to the platform itself.
func directCallers(v *vendor, n int) []caller {
	pool := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: knowledgeBases}}
	base, key := v.variable("DIFY_BASE_URL"), v.variable("DIFY_API_KEY")
	callers := make([]caller, n)
	for i := range callers {
		callers[i] = func(ctx context.Context, _, kb string) ([]byte, error) {
			url := fmt.Sprintf("%s/datasets/%s/documents?page=1&limit=%d", base, kb, documents)
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return nil, err
			}
			req.Header.Set("Authorization", "Bearer "+key)
			answer, _, err := exchange(pool, req)
			return answer, err
		}
	}
	return callers
}
