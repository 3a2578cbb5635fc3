package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// prompts gets every prompt, and completes its arguments.
func prompts(ctx context.Context, s *mcp.ClientSession) error {
	list, err := s.ListPrompts(ctx, nil)
	if err != nil {
		return err
	}
	if len(list.Prompts) != 3 {
		return fmt.Errorf("%d prompts", len(list.Prompts))
	}
	for _, p := range list.Prompts {
		args := map[string]string{"vendor": "dify"}
		if p.Arguments[0].Required {
			args[p.Arguments[0].Name] = "Who?"
		}
		got, err := s.GetPrompt(ctx, &mcp.GetPromptParams{Name: p.Name, Arguments: args})
		if err != nil {
			return err
		}
		if text, ok := got.Messages[0].Content.(*mcp.TextContent); !ok || !strings.Contains(text.Text, `vendor "dify"`) {
			return fmt.Errorf("%s: %v", p.Name, got.Messages[0].Content)
		}
		for name, typed := range map[string]string{"vendor": "di", "knowledge_base_id": ""} {
			got, err := s.Complete(ctx, &mcp.CompleteParams{
				Ref: &mcp.CompleteReference{Type: "ref/prompt", Name: p.Name}, Argument: mcp.CompleteParamsArgument{Name: name, Value: typed},
				Context: &mcp.CompleteContext{Arguments: map[string]string{"vendor": "dify"}},
			})
			if err != nil || len(got.Completion.Values) == 0 {
				return fmt.Errorf("%s of %s: %v, %v", name, p.Name, got, err)
			}
		}
	}
	_, err = s.GetPrompt(ctx, &mcp.GetPromptParams{Name: "check_uploads", Arguments: map[string]string{"vendr": "dify"}})
	var wrong *jsonrpc.Error
	if !errors.As(err, &wrong) || wrong.Code != jsonrpc.CodeInvalidParams || !strings.Contains(wrong.Message, "did you mean vendor?") {
		return fmt.Errorf("an unknown argument: %v", err)
	}
	return nil
}
