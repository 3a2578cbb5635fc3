package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"kb-mcp/vendors/sandbox"
)

// crowd is how many calls one platform holds up in these tests.
const crowd = 64

// eachRoad runs a test on every transport of a process with these variables.
func eachRoad(t *testing.T, environ []string, test func(t *testing.T, r road, n int)) {
	p := launch(t, environ, "http", "--addr", "127.0.0.1:0")
	url := p.url()
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	for n, transport := range []struct {
		name string
		open func(ctx context.Context) (road, error)
	}{
		{"stdio", func(ctx context.Context) (road, error) { return newStdioRoad(ctx, environ) }},
		{"http", func(ctx context.Context) (road, error) { return newHTTPRoad(ctx, client, url, false) }},
		{"http modern", func(ctx context.Context) (road, error) { return newHTTPRoad(ctx, client, url, true) }},
		{"sse", func(ctx context.Context) (road, error) { return newSSERoad(ctx, client, url) }},
	} {
		t.Run(transport.name, func(t *testing.T) {
			r, err := transport.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			test(t, r, n)
			if err := r.leave(false); err != nil {
				t.Error(err)
			}
		})
	}
}

// callTool makes one call; answered says whether it had a result.
func callTool(ctx context.Context, r road, id int, tool, args string) (answered bool, err error) {
	answer, _, err := r.call(ctx, id, "tools/call", fmt.Sprintf(`"_meta":{"progressToken":"%d"},"name":%q,"arguments":%s`, id, tool, args))
	if err != nil || answer.Result == nil {
		return false, fmt.Errorf("%w, %+v", err, answer)
	}
	if answer.Result.IsError {
		return true, fmt.Errorf("%s", answer.Result.Content[0].Text)
	}
	return true, nil
}

// besides begins a crowd of calls of dify, waits until they are ready, and then
// makes one of ragflow. It returns how many of the crowd had been answered when
// that one was. answers tells of each.
func besides(t *testing.T, r road, n int, ready func(answers chan bool)) int {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var done atomic.Int32
	answers := make(chan bool, crowd)
	for i := range crowd {
		wg.Go(func() {
			// Each asks for something else: equal reads are one request.
			args := fmt.Sprintf(`{"vendor":"dify","knowledge_base_id":"426b81d0-3121-45a3-%04d-%012d"}`, n, i)
			if answered, _ := callTool(ctx, r, 100+i, "list_documents", args); answered {
				done.Add(1)
				answers <- true
			}
		})
	}
	ready(answers)
	if _, err := callTool(ctx, r, 2, "list_knowledge_bases", `{"vendor":"ragflow"}`); err != nil {
		t.Errorf("the other platform: %v", err)
	}
	return int(done.Load())
}

func sandboxed(t *testing.T) string {
	srv := httptest.NewServer(sandbox.New(sandbox.Options{}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// Calls that hang on one platform do not keep those of another from their
// answers.
func TestStuckPlatform(t *testing.T) {
	asked := make(chan bool, crowd)
	stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		asked <- true
		<-r.Context().Done()
	}))
	t.Cleanup(stuck.Close)
	environ := append(sandbox.Variables(sandboxed(t), sandbox.FaceRAGFlow),
		"DIFY_API_KEY=dataset-0123456789", "DIFY_BASE_URL="+stuck.URL, "DIFY_RATE_LIMIT=off", "DIFY_TIMEOUT=50s")
	eachRoad(t, environ, func(t *testing.T, r road, n int) {
		answered := besides(t, r, n, func(chan bool) {
			for range crowd {
				wait(t, asked, "the whole crowd is asked for")
			}
		})
		if answered != 0 {
			t.Errorf("%d calls of the stuck platform were answered", answered)
		}
	})
}

// Calls that wait for one platform's quota hold no place that another
// platform's call needs.
func TestRateLimitedPlatform(t *testing.T) {
	url := sandboxed(t)
	environ := append(sandbox.Variables(url, sandbox.FaceRAGFlow, sandbox.FaceDify), "DIFY_RATE_LIMIT=1/s")
	eachRoad(t, environ, func(t *testing.T, r road, n int) {
		answered := besides(t, r, n, func(answers chan bool) {
			for range crowd - 55 { // whose turn would come too late are refused at once; the others wait
				wait(t, answers, "the whole crowd has come")
			}
		})
		if answered > crowd/2 {
			t.Errorf("%d of %d calls were answered first, at one a second", answered, crowd)
		}
	})
}
