package tools

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/rank"
	"kb-mcp/vendors/recent"
)

// yard is a platform with one knowledge base of unfinished documents.
type yard struct {
	fake
	requests int
}

func (y *yard) ListDocuments(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	y.requests++
	return y.fake.ListDocuments(ctx, q)
}

// newYards makes connections with n documents each, of all statuses.
func newYards(n int, names ...string) (*Set, []*yard) {
	var list []*connection.Connection
	var yards []*yard
	for _, name := range names {
		y := &yard{}
		for i := range n {
			s := []vendors.Status{vendors.Queued, vendors.Failed, vendors.Completed, vendors.Paused, vendors.Cancelled}[i%5]
			y.docs = append(y.docs, vendors.Document{DocumentID: fmt.Sprintf("%s-%d", name, i), Name: "n", Status: s, CreatedAt: time.Unix(int64(1_700_000_000+i/3), 0).UTC()})
		}
		yards = append(yards, y)
		list = append(list, connection.New(name, "dify", y))
	}
	return New(list, Options{Clean: strings.Clone, Log: discard}), yards
}

// find calls the tool.
func find(t *testing.T, s *Set, args map[string]any) (unfinishedList, Answer) {
	t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := s.Call(t.Context(), "find_unfinished_documents", raw)
	var l unfinishedList
	if !a.Failed {
		if err := json.Unmarshal(a.Text, &l); err != nil || utf8.RuneCount(a.Text) > 20_000 {
			t.Fatalf("%d characters, %v", utf8.RuneCount(a.Text), err)
		}
	}
	return l, a
}

// findAll pages to the end.
func findAll(t *testing.T, s *Set, args map[string]any, between func(page int)) (docs []vendors.Document) {
	t.Helper()
	delete(args, "cursor")
	args["detail"] = "full"
	for n := range 1000 {
		l, a := find(t, s, args)
		if a.Failed {
			t.Fatalf("%s", a.Text)
		}
		for _, d := range l.Documents {
			d.Vendor, d.KnowledgeBaseID = cmp.Or(d.Vendor, l.Vendor), cmp.Or(d.KnowledgeBaseID, l.KnowledgeBaseID)
			docs = append(docs, d)
		}
		if l.NextCursor == "" {
			return docs
		}
		args["cursor"] = l.NextCursor
		between(n)
	}
	t.Fatal("the paging does not end")
	return nil
}

// inOrder fails unless docs are the yards' unfinished ones, once each, worst first.
func inOrder(t *testing.T, docs []vendors.Document, yards []*yard) {
	t.Helper()
	seen := map[string]int{}
	for i, d := range docs {
		seen[d.DocumentID]++
		if i > 0 && rank.WorstFirst(docs[i-1], d) >= 0 {
			t.Errorf("%s (%s) stands before %s (%s)", docs[i-1].DocumentID, docs[i-1].Status, d.DocumentID, d.Status)
		}
	}
	want := 0
	for _, y := range yards {
		for _, d := range y.docs {
			if d.Status == vendors.Completed {
				continue
			}
			if want++; seen[d.DocumentID] != 1 {
				t.Errorf("%s came %d times", d.DocumentID, seen[d.DocumentID])
			}
		}
	}
	if len(docs) != want || docs[0].Status != vendors.Failed {
		t.Errorf("%d documents, want %d", len(docs), want)
	}
}

func TestFindPages(t *testing.T) {
	for _, limit := range []int{1, 7, 20, 100} {
		s, yards := newYards(50, "a", "b")
		docs := findAll(t, s, map[string]any{"limit": limit}, func(int) {})
		inOrder(t, docs, yards)
		if yards[0].requests != 1 || yards[1].requests != 1 {
			t.Errorf("limit %d: %d and %d requests; pages after the first cost none", limit, yards[0].requests, yards[1].requests)
		}
	}
	t.Run("rows too large for a page", func(t *testing.T) {
		s, yards := newYards(50, "a")
		for i := range yards[0].docs {
			yards[0].docs[i].Metadata = map[string]any{"text": strings.Repeat("长", 1000+i*20)}
		}
		inOrder(t, findAll(t, s, map[string]any{"limit": 100}, func(int) {}), yards)
	})
	t.Run("a row too large by itself", func(t *testing.T) {
		s, yards := newYards(10, "a")
		yards[0].docs[1].Metadata = map[string]any{"text": strings.Repeat("长", 30_000)}
		inOrder(t, findAll(t, s, map[string]any{"limit": 3}, func(int) {}), yards)
	})
}

func TestFindGoesOnAfterTheSnapshotIsGone(t *testing.T) {
	forget := map[string]func(s *Set){
		"time":      func(*Set) { time.Sleep(foundTime) },
		"a restart": func(s *Set) { s.finds = recent.New[connection.Unfinished](foundKept, foundTime) },
		"others": func(s *Set) {
			for i := range foundKept {
				time.Sleep(time.Second)
				s.finds.Put(fmt.Sprint("another ", i), connection.Unfinished{})
			}
		},
	}
	for name, gone := range forget {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, yards := newYards(50, "a", "b")
				for _, y := range yards { // all long enough ago to be suspected from the start
					y.docs = slices.DeleteFunc(y.docs, func(d vendors.Document) bool { return d.Status == vendors.Queued })
				}
				inOrder(t, findAll(t, s, map[string]any{"limit": 7}, func(page int) {
					if page == 3 {
						gone(s)
					}
				}), yards)
				if yards[0].requests != 2 {
					t.Errorf("%d requests", yards[0].requests)
				}
			})
		})
	}
}

func TestFindLooksAnewWithoutACursor(t *testing.T) {
	s, yards := newYards(10, "a")
	find(t, s, map[string]any{})
	yards[0].docs = yards[0].docs[:2]
	if l, _ := find(t, s, map[string]any{}); len(l.Documents) != 2 || yards[0].requests != 2 {
		t.Errorf("%d documents after %d requests", len(l.Documents), yards[0].requests)
	}
}

func TestFindCursorsOfOthers(t *testing.T) {
	s, yards := newYards(30, "a", "b")
	l, _ := find(t, s, map[string]any{"limit": 1})
	good := l.NextCursor
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	version := slices.Clone(raw)
	version[0]++
	enc := base64.RawURLEncoding.EncodeToString
	before := yards[0].requests
	for name, args := range map[string]map[string]any{
		"another connection":     {"vendor": "a", "cursor": good},
		"another knowledge base": {"vendor": "a", "knowledge_base_id": "kb", "cursor": good},
		"cut short":              {"cursor": good[:len(good)-4]},
		"no base64":              {"cursor": "%%%"},
		"text":                   {"cursor": enc([]byte("x"))},
		"another version":        {"cursor": enc(version)},
		"more behind it":         {"cursor": enc(append(slices.Clone(raw), 1))},
		"a list_documents one":   {"cursor": "AgcIAQEUAAAAAAAA"},
	} {
		if _, a := find(t, s, args); kindOf(t, a) != vendors.InvalidArgument || yards[0].requests != before {
			t.Errorf("%s: %s", name, a.Text)
		}
	}
	if _, a := find(t, s, map[string]any{"cursor": good + "\n"}); a.Failed {
		t.Errorf("%s", a.Text)
	}
}

func TestFindNamesWhatFails(t *testing.T) {
	s, yards := newYards(10, "a", "b")
	yards[1].err = &vendors.Error{Kind: vendors.Unavailable, Message: "down"}
	l, a := find(t, s, map[string]any{})
	if len(l.Documents) != 8 || len(l.Incomplete) != 1 || l.Incomplete[0].Vendor != "b" || l.Incomplete[0].Error.Kind != vendors.Unavailable || l.Summary.Done {
		t.Errorf("%s", a.Text)
	}
	if _, a := find(t, s, map[string]any{"vendor": "a", "knowledge_base_id": ".."}); kindOf(t, a) != vendors.InvalidArgument {
		t.Errorf("%s", a.Text)
	}
	if _, a := find(t, s, map[string]any{"knowledge_base_id": "kb"}); kindOf(t, a) != vendors.InvalidArgument {
		t.Errorf("a knowledge base of any connection: %s", a.Text)
	}
	none := New(nil, Options{Clean: strings.Clone, Log: discard})
	if l, a := find(t, none, map[string]any{}); a.Failed || !l.Summary.Done || l.Documents == nil {
		t.Errorf("%s", a.Text)
	}
}

// crowd is a connection whose every knowledge base fails with a long story.
type crowd struct{ fake }

func (crowd) ListKnowledgeBases(context.Context, vendors.PageQuery) (p vendors.Page[vendors.KnowledgeBase], err error) {
	for i := range 90 {
		p.Items = append(p.Items, vendors.KnowledgeBase{KnowledgeBaseID: fmt.Sprintf("%036d", i)})
	}
	return p, nil
}

func TestManyGapsStaySmall(t *testing.T) {
	var list []*connection.Connection
	long := &vendors.Error{Kind: vendors.VendorError, Message: strings.Repeat("m", 300), Hint: strings.Repeat("h", 300), VendorMessage: strings.Repeat("v", 300)}
	for i := range 8 {
		list = append(list, connection.New(fmt.Sprint("v", i), "dify", &crowd{fake{err: long}}))
	}
	l, a := find(t, New(list, Options{Clean: strings.Clone, Log: discard}), map[string]any{})
	named := map[string]bool{}
	for _, g := range l.Incomplete {
		named[g.Vendor] = true
	}
	if a.Failed || len(named) != 8 || !l.Truncated || l.Hint == "" {
		t.Errorf("%d gaps: %.300s", len(l.Incomplete), a.Text)
	}
}

// lister panics where the search of a connection begins.
type lister struct{ fake }

func (*lister) ListKnowledgeBases(context.Context, vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error) {
	panic("boom")
}

// TestAPanicInOneConnectionCostsOneCall: the connections are asked by goroutines
// of their own, in which a panic would end the process.
func TestAPanicInOneConnectionCostsOneCall(t *testing.T) {
	s := New([]*connection.Connection{connection.New("a", "dify", &lister{}), connection.New("b", "dify", &fake{})}, Options{Clean: strings.Clone, Log: discard})
	a, _ := s.Call(t.Context(), "find_unfinished_documents", json.RawMessage(`{}`))
	if kindOf(t, a) != vendors.Internal {
		t.Errorf("%s", a.Text)
	}
}

func TestFindUnfinishedByStatus(t *testing.T) {
	s, yards := newYards(50, "a", "b")
	for _, d := range findAll(t, s, map[string]any{"status": "paused", "limit": 7}, func(int) {}) {
		if d.Status != vendors.Paused {
			t.Errorf("%s is %s", d.DocumentID, d.Status)
		}
	}
	l, _ := find(t, s, map[string]any{"status": "paused", "limit": 100})
	if len(l.Documents) != 20 || l.Summary.Total != 100 || l.Summary.ByStatus[vendors.Failed] != 20 {
		t.Errorf("%d documents, %+v; the summary covers what was looked at", len(l.Documents), l.Summary)
	}
	if len(l.KnowledgeBases) != 2 || l.KnowledgeBases[0].ByStatus[vendors.Paused] != 10 || l.KnowledgeBases[0].ByStatus[vendors.Completed] != 10 {
		t.Errorf("%+v", l.KnowledgeBases)
	}
	if l, _ = find(t, s, map[string]any{"status": "deleting"}); len(l.Documents) != 0 || len(l.KnowledgeBases) != 0 || l.Summary.Total != 100 {
		t.Errorf("%+v", l)
	}
	if _, a := find(t, s, map[string]any{"status": "completed"}); !a.Failed || !strings.Contains(string(a.Text), "invalid_argument") {
		t.Errorf("%s", a.Text)
	}
	if yards[0].requests == 0 {
		t.Error("no request")
	}
}
