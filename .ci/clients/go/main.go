// Command kb-mcp-clients drives a kb-mcp binary, named by KB_MCP, with the
// official Go SDK's client: every transport, the newest revision and the
// newest one with a handshake. It prints a line for each check.
//
// It is a separate module, so that the server's module does not require the
// client's SDK.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The revisions that the client settles on.
const (
	legacy = "2025-11-25"
	modern = "2026-07-28"
)

// target is a kb-mcp to talk to: a command for stdio, a URL for the others.
type target struct {
	args []string
	env  []string
	url  string
}

// transports are the three, by name. A dial also returns the command it will
// have started, if any.
var transports = []struct {
	name string
	dial func(target) (mcp.Transport, *exec.Cmd)
}{
	{"stdio", func(t target) (mcp.Transport, *exec.Cmd) {
		cmd := command(t.env, t.args...)
		return &mcp.CommandTransport{Command: cmd, TerminateDuration: 3 * time.Second}, cmd
	}},
	{"http", func(t target) (mcp.Transport, *exec.Cmd) {
		return &mcp.StreamableClientTransport{Endpoint: t.url + "/mcp", HTTPClient: &http.Client{}}, nil
	}},
	{"sse", func(t target) (mcp.Transport, *exec.Cmd) {
		return &mcp.SSEClientTransport{Endpoint: t.url + "/sse", HTTPClient: &http.Client{}}, nil
	}},
}

// revisions are what the client asks for, and what it gets.
var revisions = []struct {
	name, ask string
	get       map[string]string
}{
	{"2025", legacy, map[string]string{"stdio": legacy, "http": legacy, "sse": legacy}},
	{"newest", "", map[string]string{"stdio": modern, "http": modern, "sse": legacy}}, // SSE has no modern era
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	ok, err := run(ctx)
	if err != nil {
		fmt.Println("FAIL go-sdk:", err)
	}
	if err != nil || !ok {
		cancel() // ends the servers
		os.Exit(1)
	}
}

// run makes every session, and reports whether all checks passed.
func run(ctx context.Context) (bool, error) {
	list, err := toolList(ctx)
	if err != nil {
		return false, err
	}
	dead := newDeadPlatform()
	defer dead.close()
	demoURL, stopDemo, err := serve(ctx, nil, "--demo")
	if err != nil {
		return false, err
	}
	defer stopDemo()
	deadURL, stopDead, err := serve(ctx, dead.env())
	if err != nil {
		return false, err
	}
	defer stopDead()

	sureURL, stopSure, err := serve(ctx, confirming, "--demo")
	if err != nil {
		return false, err
	}
	defer stopSure()

	demo := target{args: []string{"stdio", "--demo"}, url: demoURL}
	sure := target{args: demo.args, env: confirming, url: sureURL}
	hung := target{args: []string{"stdio"}, env: dead.env(), url: deadURL}
	ok := true
	for _, tr := range transports {
		for _, rev := range revisions {
			c := &checker{name: fmt.Sprintf("go-sdk %s %s", rev.name, tr.name), tools: list}
			connect := func(ctx context.Context, to target, ask elicitor) (*mcp.ClientSession, *exec.Cmd, error) {
				transport, cmd := tr.dial(to)
				var o *mcp.ClientSessionOptions
				if rev.ask != "" {
					o = &mcp.ClientSessionOptions{ProtocolVersion: rev.ask}
				}
				s, err := mcp.NewClient(&mcp.Implementation{Name: "ci", Version: "1"}, &mcp.ClientOptions{ElicitationHandler: ask}).Connect(ctx, transport, o)
				return s, cmd, err
			}
			open := func(ctx context.Context, to target) (*mcp.ClientSession, *exec.Cmd, error) {
				return connect(ctx, to, nil)
			}
			c.session(ctx, demo, open, rev.get[tr.name])
			if tr.name == "stdio" {
				if err := c.life(ctx, open); err != nil {
					return false, err
				}
			}
			c.confirmation(ctx, sure, connect)
			c.cancellation(ctx, hung, open, dead)
			ok = ok && !c.failed.Load()
		}
	}
	return ok, nil
}
