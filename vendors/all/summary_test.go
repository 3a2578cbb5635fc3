package all

import (
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// TestSummaryOfAHundredThousand: where the platform counts or filters by status,
// one call tells how a knowledge base of 100,000 documents stands.
func TestSummaryOfAHundredThousand(t *testing.T) {
	if testing.Short() {
		t.Skip("a hundred thousand documents on each platform")
	}
	const total, most = 100_000, 12
	sb, url := sandboxed(t, sandbox.Options{Documents: total})
	for _, way := range []string{"dify", "ragflow"} {
		t.Run(way, func(t *testing.T) {
			l := connect(t, sb, url, way)
			kb := l.archive(t)
			l.requests(t, "the summary", most, func() {
				res, err := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb})
				s := res.Summary
				if err != nil || s.Total != total || s.Scanned != nil || s.ByStatus[vendors.Completed] == 0 {
					t.Errorf("%+v, %v", s, err)
				}
			})
		})
	}
}
