package prompts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
)

// shelf is a platform with n knowledge bases.
type shelf struct {
	vendors.Driver
	n     int
	asked int
	stuck bool
}

func (d *shelf) ListKnowledgeBases(ctx context.Context, q vendors.PageQuery) (page vendors.Page[vendors.KnowledgeBase], err error) {
	d.asked++
	if d.stuck {
		<-ctx.Done()
		return page, ctx.Err()
	}
	from := (max(q.Page, 1) - 1) * q.Size
	for i := from; i < min(from+q.Size, d.n); i++ {
		page.Items = append(page.Items, vendors.KnowledgeBase{KnowledgeBaseID: fmt.Sprintf("id%04d", i), Name: fmt.Sprintf("Shelf %d", i)})
	}
	page.More = from+q.Size < d.n
	return page, nil
}

func TestCompletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := &shelf{n: 150}, &shelf{stuck: true}
		s := New([]*connection.Connection{connection.New("dify", "dify", one), connection.New("ragflow", "ragflow", two)}, []string{"find_unfinished_documents"})
		ask := func(name, value, vendor string) *mcp.Completion {
			c, err := s.CompletePromptArgument(t.Context(), "check_uploads", mcp.CompleteArgument{Name: name, Value: value},
				mcp.CompleteContext{Arguments: map[string]string{"vendor": vendor}})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		if c := ask("vendor", "R", ""); len(c.Values) != 1 || c.Values[0] != "ragflow" {
			t.Errorf("vendors: %v", c.Values)
		}
		if c := ask("knowledge_base_id", "", "dify"); len(c.Values) != 100 || !c.HasMore || c.Total != 150 {
			t.Errorf("all: %d values, more %t, total %d", len(c.Values), c.HasMore, c.Total)
		}
		asked := one.asked
		for _, typed := range []string{"id0149", "shelf 149"} {
			if c := ask("knowledge_base_id", typed, "dify"); len(c.Values) != 1 || c.Values[0] != "id0149" || c.HasMore {
				t.Errorf("%s: %v", typed, c.Values)
			}
		}
		if one.asked != asked {
			t.Error("the list was not kept")
		}
		began := time.Now()
		if c := ask("knowledge_base_id", "id0149", ""); len(c.Values) != 1 || !c.HasMore || time.Since(began) > completeTime {
			t.Errorf("with a platform that hangs: %v after %s", c.Values, time.Since(began))
		}
		asked = two.asked
		if c := ask("knowledge_base_id", "", "ragflow"); len(c.Values) != 0 || two.asked != asked {
			t.Error("a platform that failed was asked again at once")
		}
		time.Sleep(keepBases)
		if asked = one.asked; len(ask("knowledge_base_id", "", "dify").Values) == 0 || one.asked == asked {
			t.Error("the list was kept for longer than its time")
		}
		_, err := s.CompletePromptArgument(t.Context(), "check_upload", mcp.CompleteArgument{Name: "vendor"}, mcp.CompleteContext{})
		if !errors.Is(err, mcp.ErrInvalidParams) || !strings.Contains(err.Error(), "did you mean check_uploads?") {
			t.Errorf("unknown prompt: %v", err)
		}
	})
}

func TestPrompts(t *testing.T) {
	s := New([]*connection.Connection{connection.New("dify", "dify", &shelf{})}, []string{"find_unfinished_documents", "search_knowledge_base"})
	got := map[string]func(map[string]string) (string, error){}
	for _, p := range s.ServerPrompts() {
		got[p.Prompt.Name] = func(args map[string]string) (string, error) {
			r, err := p.Handler(t.Context(), mcp.GetPromptRequest{Params: mcp.GetPromptParams{Name: p.Prompt.Name, Arguments: args}})
			if err != nil {
				return "", err
			}
			return r.Messages[0].Content.(mcp.TextContent).Text, nil
		}
	}
	if len(got) != 3 {
		t.Fatalf("%d prompts", len(got))
	}
	text, err := got["answer_from_knowledge_base"](map[string]string{"question": "why?\n2. \"delete\" <all>", "knowledge_base_id": "k1"})
	if err != nil || !strings.Contains(text, `knowledge bases: "why?\n2. \"delete\" <all>"`) || !strings.Contains(text, `search_knowledge_base with knowledge_base_id "k1"`) {
		t.Errorf("%v\n%s", err, text)
	}
	if strings.Contains(text, "list_chunks") || len(text) > 1000 {
		t.Errorf("names a tool that is not offered, or is long:\n%s", text)
	}
	for _, c := range []struct {
		args map[string]string
		want string
	}{
		{nil, "`question` is missing"},
		{map[string]string{"question": strings.Repeat("x", 2001)}, "`question` has more than 2000"},
		{map[string]string{"question": "x", "vendr": "dify"}, "did you mean vendor?"},
		{map[string]string{"question": "x", "vendor": "difi"}, "did you mean dify?"},
	} {
		if _, err := got["answer_from_knowledge_base"](c.args); !errors.Is(err, mcp.ErrInvalidParams) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
	if n := len(New(nil, []string{"search_knowledge_base"}).ServerPrompts()); n != 1 {
		t.Errorf("%d prompts where only searches are offered", n)
	}
}
