package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// platforms are the connections of --demo.
var platforms = []string{"coze", "dify", "ragflow", "volcengine"}

// open connects to a target. The command is nil unless the transport is stdio.
type open func(context.Context, target) (*mcp.ClientSession, *exec.Cmd, error)

type object = map[string]any

// checker runs the checks of one client on one transport.
type checker struct {
	name   string
	tools  map[string]*mcp.Tool
	failed atomic.Bool
}

// check runs one check and prints its line.
func (c *checker) check(ctx context.Context, what string, run func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := run(ctx)
	if err == nil {
		fmt.Printf("ok %s: %s\n", c.name, what)
		return true
	}
	c.failed.Store(true)
	why := strings.Join(strings.Fields(err.Error()), " ")
	fmt.Printf("FAIL %s: %s: %.600s\n", c.name, what, why)
	return false
}

// session makes one whole session with the demo.
func (c *checker) session(ctx context.Context, to target, open open, version string) {
	var s *mcp.ClientSession
	var process *exec.Cmd
	connected := c.check(ctx, "connects", func(context.Context) (err error) {
		if s, process, err = open(ctx, to); err != nil {
			return err
		}
		hello := s.InitializeResult()
		switch {
		case hello.ServerInfo == nil || hello.ServerInfo.Name != "kb-mcp":
			return fmt.Errorf("the server is %+v", hello.ServerInfo)
		case hello.ProtocolVersion != version:
			return fmt.Errorf("revision %s, want %s", hello.ProtocolVersion, version)
		case !strings.Contains(hello.Instructions, "list_vendors"):
			return fmt.Errorf("instructions %q", hello.Instructions)
		}
		return nil
	})
	if s == nil {
		return
	}
	if connected {
		c.check(ctx, "prompts and completion", func(ctx context.Context) error { return prompts(ctx, s) })
		c.calls(ctx, s)
	}
	c.check(ctx, "closes", func(context.Context) error { return closeSession(s, process) })
}

// closeSession closes s within 10 s, and checks that its process then exits
// successfully.
func closeSession(s *mcp.ClientSession, process *exec.Cmd) error {
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	err, late := wait(closed, 10*time.Second, "close")
	if late != nil {
		return late
	}
	if process != nil && (process.ProcessState == nil || !process.ProcessState.Success()) {
		return fmt.Errorf("kb-mcp ended with %v", process.ProcessState)
	}
	return err
}

func (c *checker) calls(ctx context.Context, s *mcp.ClientSession) {
	c.check(ctx, "lists exactly the tools of kb-mcp tools", func(ctx context.Context) error {
		found := make(map[string]*mcp.Tool)
		for t, err := range s.Tools(ctx, nil) {
			if err != nil {
				return err
			}
			found[t.Name] = t
		}
		if len(found) != len(c.tools) {
			return fmt.Errorf("%d tools, want %d", len(found), len(c.tools))
		}
		for name, want := range c.tools {
			if !reflect.DeepEqual(found[name], want) {
				return fmt.Errorf("%s differs", name)
			}
		}
		return nil
	})
	c.check(ctx, "list_vendors", func(ctx context.Context) error {
		out, err := ask(ctx, s, "list_vendors", object{})
		if err != nil {
			return err
		}
		if got := column(out, "vendors", "vendor"); !slices.Equal(slices.Sorted(slices.Values(got)), platforms) {
			return fmt.Errorf("vendors %v", got)
		}
		return nil
	})
	var wg sync.WaitGroup // each platform has a rate limit of its own to wait for
	for _, p := range platforms {
		wg.Go(func() {
			c.check(ctx, "reads "+p, func(ctx context.Context) error { return read(ctx, s, p) })
		})
	}
	wg.Wait()
	c.failures(ctx, s)
	c.check(ctx, "forty calls at once", func(ctx context.Context) error { return together(ctx, s) })
}

// failures makes calls that cannot succeed.
func (c *checker) failures(ctx context.Context, s *mcp.ClientSession) {
	c.check(ctx, "a bad id is an error that a model can read", func(ctx context.Context) error {
		return fails(ctx, s, "list_documents", object{"vendor": "dify", "knowledge_base_id": "no/such id"}, "invalid_argument", "not_found")
	})
	c.check(ctx, "bad arguments are invalid_argument", func(ctx context.Context) error {
		return errors.Join(
			fails(ctx, s, "list_documents", object{"vendor": "dify", "knowledge_base_id": "x", "limit": 500}, "invalid_argument"),
			fails(ctx, s, "list_documents", object{"vendor": "dify", "knowledge_base_id": "x", "limt": 5}, "invalid_argument"),
			fails(ctx, s, "list_documents", object{"vendor": "dify"}, "invalid_argument"))
	})
	c.check(ctx, "an unknown tool is a protocol error", func(ctx context.Context) error {
		_, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "no_such_tool"})
		var wire *jsonrpc.Error
		if !errors.As(err, &wire) || wire.Code != jsonrpc.CodeInvalidParams {
			return fmt.Errorf("error %v, want code %d", err, jsonrpc.CodeInvalidParams)
		}
		return nil
	})
}

// together makes forty calls at once.
func together(ctx context.Context, s *mcp.ClientSession) error {
	errs := make([]error, 40)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			vendor := platforms[1:][i%3] // Coze would take 20 s
			out, err := ask(ctx, s, "list_knowledge_bases", object{"vendor": vendor})
			if err == nil && out["vendor"] != vendor {
				err = fmt.Errorf("asked for %s, got %v", vendor, out["vendor"])
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// read goes from the knowledge bases of a platform to one document.
func read(ctx context.Context, s *mcp.ClientSession, vendor string) error {
	bases, err := ask(ctx, s, "list_knowledge_bases", object{"vendor": vendor})
	if err != nil {
		return err
	}
	var kb string
	var ids []string
	for _, id := range column(bases, "knowledge_bases", "knowledge_base_id") {
		list, err := ask(ctx, s, "list_documents", object{"vendor": vendor, "knowledge_base_id": id, "limit": 100})
		if errors.As(err, new(toolError)) { // the demo has one base whose API is switched off
			continue
		}
		if err != nil {
			return err
		}
		if found := column(list, "documents", "document_id"); len(found) > len(ids) {
			kb, ids = id, found
		}
	}
	if len(ids) < 3 {
		return fmt.Errorf("no knowledge base with three documents in %v", bases)
	}
	one, err := ask(ctx, s, "get_document_info", object{"vendor": vendor, "knowledge_base_id": kb, "document_id": ids[0]})
	if err != nil {
		return err
	}
	if document, _ := one["document"].(object); document["document_id"] != ids[0] {
		return fmt.Errorf("asked for document %s, got %v", ids[0], document)
	}
	some, err := ask(ctx, s, "get_ingestion_progress", object{"vendor": vendor, "knowledge_base_id": kb, "document_ids": ids[:3]})
	if err != nil {
		return err
	}
	got := column(some, "documents", "document_id")
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(ids[:3]))) {
		return fmt.Errorf("progress of %v, want %v", got, ids[:3])
	}
	whole, err := ask(ctx, s, "get_ingestion_progress", object{"vendor": vendor, "knowledge_base_id": kb})
	if err != nil {
		return err
	}
	if summary, _ := whole["summary"].(object); summary["total"] != float64(len(ids)) {
		return fmt.Errorf("the summary %v does not cover %d documents", summary, len(ids))
	}
	return fails(ctx, s, "get_document_info", object{"vendor": vendor, "knowledge_base_id": kb, "document_id": "no-such-document"},
		"invalid_argument", "not_found")
}

// cancellation cancels a call that would never end: its platform's request
// must end too, and the session go on.
func (c *checker) cancellation(ctx context.Context, to target, open open, dead *deadPlatform) {
	c.check(ctx, "a cancelled call leaves the platform, and the session goes on", func(ctx context.Context) (err error) {
		s, process, err := open(ctx, to)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, closeSession(s, process)) }()
		callCtx, cancel := context.WithCancel(ctx)
		defer cancel()
		called := make(chan error, 1)
		go func() {
			_, err := ask(callCtx, s, "list_knowledge_bases", object{"vendor": "dify"})
			called <- err
		}()
		if _, err := wait(dead.asked, 5*time.Second, "the platform is asked"); err != nil {
			return err
		}
		cancel()
		cancelled, err := wait(called, 2*time.Second, "the cancelled call returns")
		if err != nil {
			return err
		}
		if !errors.Is(cancelled, context.Canceled) {
			return fmt.Errorf("the cancelled call returned %v", cancelled)
		}
		if _, err := wait(dead.left, 2*time.Second, "the platform is left"); err != nil {
			return err
		}
		_, err = ask(ctx, s, "list_vendors", object{})
		return err
	})
}

// toolError is a failed call's JSON.
type toolError struct {
	Kind, Message, Hint string
}

func (e toolError) Error() string { return e.Kind + ": " + e.Message + " " + e.Hint }

// ask makes a call, checks the form of its answer, and returns the content.
func ask(ctx context.Context, s *mcp.ClientSession, tool string, args object) (object, error) {
	r, err := s.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tool, err)
	}
	if len(r.Content) != 1 {
		return nil, fmt.Errorf("%s: %d content blocks", tool, len(r.Content))
	}
	block, ok := r.Content[0].(*mcp.TextContent)
	if !ok {
		return nil, fmt.Errorf("%s: content is a %T", tool, r.Content[0])
	}
	if r.IsError {
		var failure struct{ Error toolError }
		if err := json.Unmarshal([]byte(block.Text), &failure); err != nil {
			return nil, fmt.Errorf("%s failed with a text that is not JSON: %s", tool, block.Text)
		}
		if failure.Error.Kind == "" || failure.Error.Message == "" || r.StructuredContent != nil {
			return nil, fmt.Errorf("%s failed in a wrong form: %s", tool, block.Text)
		}
		return nil, fmt.Errorf("%s: %w", tool, failure.Error)
	}
	var text any
	if err := json.Unmarshal([]byte(block.Text), &text); err != nil {
		return nil, fmt.Errorf("%s: the text is not JSON: %w", tool, err)
	}
	if !reflect.DeepEqual(text, r.StructuredContent) {
		return nil, fmt.Errorf("%s: text and structuredContent differ", tool)
	}
	out, ok := text.(object)
	if !ok {
		return nil, fmt.Errorf("%s: the result is a %T", tool, text)
	}
	return out, nil
}

// fails expects a call to fail with one of the kinds.
func fails(ctx context.Context, s *mcp.ClientSession, tool string, args object, kinds ...string) error {
	_, err := ask(ctx, s, tool, args)
	var failure toolError
	if !errors.As(err, &failure) || !slices.Contains(kinds, failure.Kind) {
		return fmt.Errorf("%s %v: error %v, want one of %v", tool, args, err, kinds)
	}
	return nil
}

// column is one string field of every object in a list.
func column(o object, list, field string) (values []string) {
	rows, _ := o[list].([]any)
	for _, row := range rows {
		if m, ok := row.(object); ok {
			value, _ := m[field].(string)
			values = append(values, value)
		}
	}
	return values
}
