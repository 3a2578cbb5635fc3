package all

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"kb-mcp/tools"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// listed is an answer of a list tool.
type listed struct {
	Documents  []vendors.Document
	NextCursor string `json:"next_cursor"`
}

// ask makes one call of a tool.
func (l live) ask(t testing.TB, set *tools.Set, tool string, args map[string]any) (out listed) {
	t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := set.Call(t.Context(), tool, raw)
	if a.Failed {
		t.Fatalf("%s %s: %s", tool, raw, a.Text)
	}
	if err := json.Unmarshal(a.Text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// maxCursor is what a cursor may have in characters.
const maxCursor = 200

func set(l live) *tools.Set {
	return tools.New([]*connection.Connection{l.Connection}, tools.Options{
		Log: slog.New(slog.DiscardHandler), Clean: func(s string) string { return s }})
}

// TestNoRowIsReadTwice: reading 1,000 documents takes the requests that their
// pages need, whatever of a page fits one answer.
func TestNoRowIsReadTwice(t *testing.T) {
	const total = 1000
	limits := []int{20, 40, 50, 100}
	if testing.Short() {
		limits = []int{50}
	}
	sb, url := sandboxed(t, sandbox.Options{Documents: total})
	for _, way := range ways() {
		kb := connect(t, sb, url, way).archive(t)
		for _, limit := range limits {
			for _, detail := range []string{"brief", "full"} {
				t.Run(fmt.Sprint(way, " ", limit, " ", detail), func(t *testing.T) {
					l := connect(t, sb, url, way)
					s, args := set(l), map[string]any{"knowledge_base_id": kb, "limit": limit, "detail": detail}
					if _, err := l.ListDocuments(t.Context(), connection.ListQuery{KnowledgeBaseID: kb, Limit: 1}); err != nil {
						t.Fatal(err) // what a connection asks once
					}
					var all []vendors.Document
					calls, longest := 0, 0
					sb.ResetRequests()
					for more := true; more; calls++ {
						page := l.ask(t, s, "list_documents", args)
						all = append(all, page.Documents...)
						args["cursor"], more, longest = page.NextCursor, page.NextCursor != "", max(longest, len(page.NextCursor))
					}
					n := sb.Requests(l.face)
					if way == "coze-studio" {
						n -= 10 // its rows lack why documents failed: a request more for ten pages that have such
					}
					t.Logf("%d requests, %d calls, cursors of at most %d characters", n, calls, longest)
					if n > total/limit || longest > maxCursor {
						t.Errorf("%d requests, want at most %d; a cursor of %d characters", n, total/limit, longest)
					}
					if got := ids(t, all); !slices.Equal(got, l.stored(kb)) {
						t.Errorf("%d documents came", len(got))
					}
				})
			}
		}
	}
}

// TestCursorsAreShort: of every tool, on every platform and over all of them, in
// the middle of pages.
func TestCursorsAreShort(t *testing.T) {
	sb, url := sandboxed(t, sandbox.Options{Documents: 500})
	var connections []*connection.Connection
	for _, way := range ways() {
		l := connect(t, sb, url, way)
		if l.face == l.platform() {
			connections = append(connections, l.Connection)
		}
		t.Run(way, func(t *testing.T) {
			s, kb := set(l), l.archive(t)
			longest := map[string]int{}
			short := func(tool string, args map[string]any) {
				for range 5 {
					page := l.ask(t, s, tool, args)
					longest[tool] = max(longest[tool], len(page.NextCursor))
					if args["cursor"] = page.NextCursor; page.NextCursor == "" {
						break
					}
				}
			}
			for _, limit := range []int{1, 7, 100} {
				short("list_documents", map[string]any{"knowledge_base_id": kb, "limit": limit, "detail": "full"})
				short("list_documents", map[string]any{"knowledge_base_id": kb, "limit": min(limit, 20), "status": "completed"})
				short("find_documents", map[string]any{"name_contains": "a", "limit": min(limit, 20)})
			}
			short("find_documents", map[string]any{"status": "completed", "limit": 30})
			short("list_knowledge_bases", map[string]any{"limit": 1})
			short("find_unfinished_documents", map[string]any{"limit": 1})
			check(t, longest, "list_documents", "list_knowledge_bases", "find_documents", "find_unfinished_documents")
		})
	}
	t.Run("all", func(t *testing.T) {
		l := live{Connection: connections[0]}
		s := tools.New(connections, tools.Options{Log: slog.New(slog.DiscardHandler), Clean: func(s string) string { return s }})
		longest := map[string]int{}
		for _, tool := range []string{"find_documents", "find_unfinished_documents", "list_knowledge_bases"} {
			for _, limit := range []int{1, 7, 20} {
				args := map[string]any{"limit": limit}
				if tool == "find_documents" {
					args["name_contains"] = "a"
				}
				for range 30 {
					page := l.ask(t, s, tool, args)
					longest[tool] = max(longest[tool], len(page.NextCursor))
					if args["cursor"] = page.NextCursor; page.NextCursor == "" {
						break
					}
				}
			}
		}
		check(t, longest, "list_knowledge_bases", "find_documents", "find_unfinished_documents")
	})
}

// check fails unless the longest cursors of tools are there and short.
func check(t *testing.T, longest map[string]int, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if n := longest[tool]; n == 0 || n > maxCursor {
			t.Errorf("%s: a cursor of %d characters", tool, n)
		}
	}
}
