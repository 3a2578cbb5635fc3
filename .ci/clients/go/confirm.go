package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// confirming is a demo on which nothing is deleted without a person's word.
var confirming = []string{"KB_MCP_ALLOW_WRITES=true", "KB_MCP_CONFIRM=require"}

// connect connects to a target with a client that asks its person with ask,
// which may be nil.
type connect func(ctx context.Context, to target, ask elicitor) (*mcp.ClientSession, *exec.Cmd, error)

type elicitor = func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error)

// confirmation deletes a knowledge base: a person says no, then the wrong name,
// then the right one.
func (c *checker) confirmation(ctx context.Context, to target, connect connect) {
	c.check(ctx, "a delete asks and obeys", func(ctx context.Context) (err error) {
		name := "ci confirm " + strings.ReplaceAll(c.name, " ", "-")
		var asked []string
		var says *mcp.ElicitResult
		s, process, err := connect(ctx, to, func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			asked = append(asked, r.Params.Message)
			return says, nil
		})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, closeSession(s, process)) }()
		made, err := ask(ctx, s, "create_knowledge_base", object{"vendor": "ragflow", "name": name})
		if err != nil {
			return err
		}
		kb, _ := made["knowledge_base"].(object)
		doomed := object{"vendor": "ragflow", "knowledge_base_id": kb["knowledge_base_id"]}
		for _, no := range []*mcp.ElicitResult{{Action: "decline"}, {Action: "cancel"}, {Action: "accept", Content: object{"confirm": "yes"}}} {
			says = no
			if err := fails(ctx, s, "delete_knowledge_base", doomed, "conflict"); err != nil {
				return fmt.Errorf("after %v: %w", no, err)
			}
		}
		if there, err := names(ctx, s); err != nil || !slices.Contains(there, name) {
			return fmt.Errorf("after a no, %v are left: %w", there, err)
		}
		says = &mcp.ElicitResult{Action: "accept", Content: object{"confirm": name}}
		if _, err := ask(ctx, s, "delete_knowledge_base", doomed); err != nil {
			return err
		}
		if there, err := names(ctx, s); err != nil || slices.Contains(there, name) {
			return fmt.Errorf("after a yes, %v are left: %w", there, err)
		}
		if len(asked) != 4 || !strings.Contains(asked[0], name) {
			return fmt.Errorf("the person was asked %q", asked)
		}
		return nil
	})
	c.check(ctx, "a client that cannot ask deletes nothing", func(ctx context.Context) (err error) {
		s, process, err := connect(ctx, to, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, closeSession(s, process)) }()
		bases, err := ask(ctx, s, "list_knowledge_bases", object{"vendor": "ragflow"})
		if err != nil {
			return err
		}
		first := column(bases, "knowledge_bases", "knowledge_base_id")[0]
		return fails(ctx, s, "delete_knowledge_base", object{"vendor": "ragflow", "knowledge_base_id": first}, "permission_denied")
	})
}

// names are RAGFlow's knowledge bases.
func names(ctx context.Context, s *mcp.ClientSession) ([]string, error) {
	bases, err := ask(ctx, s, "list_knowledge_bases", object{"vendor": "ragflow"})
	return column(bases, "knowledge_bases", "name"), err
}
