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
	Documents      []vendors.Document
	KnowledgeBases []vendors.KnowledgeBase `json:"knowledge_bases"`
	Chunks         []vendors.Chunk
	NextCursor     string `json:"next_cursor"`
}

// ask makes one call of a tool.
func (l live) ask(t testing.TB, set *tools.Set, tool string, args map[string]any) (out listed, text []byte) {
	t.Helper()
	if tool != "find_documents" && tool != "find_unfinished_documents" {
		args["vendor"] = l.Name()
	}
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
	return out, a.Text
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
						page, _ := l.ask(t, s, "list_documents", args)
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
