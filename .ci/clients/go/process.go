package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// command is kb-mcp with a small environment: none of the machine's own
// settings.
func command(env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Getenv("KB_MCP"), args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	return cmd
}

// toolList is what "kb-mcp tools" prints, by name.
func toolList(ctx context.Context) (map[string]*mcp.Tool, error) {
	cmd := command(nil, "tools")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("kb-mcp tools: %w", err)
	}
	var list mcp.ListToolsResult
	if err := json.Unmarshal(out, &list); err != nil {
		return nil, fmt.Errorf("kb-mcp tools: %w", err)
	}
	byName := make(map[string]*mcp.Tool)
	for _, t := range list.Tools {
		byName[t.Name] = t
	}
	return byName, ctx.Err()
}

var listening = regexp.MustCompile(`msg=listening.* addr=(\S+)`)

// serve starts "kb-mcp http" on a free port and returns its URL. stop, or the
// end of ctx, ends it.
func serve(ctx context.Context, env []string, args ...string) (url string, stop func(), err error) {
	cmd := command(env, append([]string{"http", "--addr", "127.0.0.1:0"}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	unwatch := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	addr := make(chan string, 1)
	go func() { // ends with the process
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				addr <- m[1]
			}
		}
		close(addr)
	}()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		defer time.AfterFunc(3*time.Second, func() { _ = cmd.Process.Kill() }).Stop()
		_ = cmd.Wait()
		unwatch()
	}
	select {
	case a, ok := <-addr:
		if ok {
			return "http://" + a, stop, nil
		}
		err = errors.New("kb-mcp http ended")
	case <-time.After(10 * time.Second):
		err = errors.New("kb-mcp http did not say where it listens")
	}
	stop()
	return "", nil, err
}

// deadPlatform takes requests and never answers: a call to it is in flight
// until it is cancelled.
type deadPlatform struct {
	server      *httptest.Server
	asked, left chan struct{}
}

func newDeadPlatform() *deadPlatform {
	d := &deadPlatform{asked: make(chan struct{}, 100), left: make(chan struct{}, 100)}
	d.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		d.asked <- struct{}{}
		<-r.Context().Done()
		d.left <- struct{}{}
	}))
	return d
}

func (d *deadPlatform) env() []string {
	return []string{"DIFY_API_KEY=dataset-ci", "DIFY_BASE_URL=" + d.server.URL + "/v1"}
}

func (d *deadPlatform) close() {
	d.server.CloseClientConnections()
	d.server.Close()
}

// wait waits for a signal on a channel.
func wait[T any](c <-chan T, limit time.Duration, what string) (T, error) {
	select {
	case v := <-c:
		return v, nil
	case <-time.After(limit):
		var none T
		return none, fmt.Errorf("%s: nothing within %v", what, limit)
	}
}
