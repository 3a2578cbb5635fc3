package all

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// TestSearchesHaveALimitOfTheirOwn: <P>_SEARCH_RATE_LIMIT holds on every
// platform that searches, and holds nothing else back.
func TestSearchesHaveALimitOfTheirOwn(t *testing.T) {
	sb := sandbox.New(sandbox.Options{})
	srv := httptest.NewServer(sb)
	defer srv.Close()
	environ := sandbox.Variables(srv.URL)
	for _, p := range []string{"DIFY", "RAGFLOW", "VOLCENGINE"} {
		environ = append(environ, p+"_SEARCH_RATE_LIMIT=1/h")
	}
	open, problems := Open(NewEnviron(environ), Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, v := range open {
		if v.Platform() == "coze" {
			continue // has no search
		}
		t.Run(v.Name(), func(t *testing.T) {
			kb := ""
			for _, name := range []string{"产品手册", "product_manual"} {
				if id := sb.KnowledgeBaseID(v.Platform(), name); id != "" {
					kb = id
				}
			}
			ask := func(words string) error {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				_, err := v.Search(ctx, vendors.SearchQuery{KnowledgeBaseID: kb, Query: words, Limit: 3})
				return err
			}
			if err := ask("退款"); err != nil {
				t.Fatal(err)
			}
			before := sb.Requests(v.Platform())
			if err := ask("退款 again"); vendors.KindOf(err) != vendors.RateLimited || !strings.Contains(vendors.ReportOf(err).Message, "rate limit") {
				t.Errorf("the second search: %v", err)
			}
			if n := sb.Requests(v.Platform()); n != before {
				t.Errorf("%d requests for a search that had to wait", n-before)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if _, err := v.ListDocuments(ctx, connection.ListQuery{KnowledgeBaseID: kb, Limit: 3}); err != nil {
				t.Errorf("a listing: %v", err)
			}
		})
	}
}
