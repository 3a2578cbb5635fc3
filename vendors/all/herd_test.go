package all

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/sandbox"
)

// herd is 50 callers, each of which asks for the progress of 20 of 1,000
// documents, or of all of them.
func herd(t *testing.T, l live, kb string, ids []string, each int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 50 {
		mine := ids
		if each < len(ids) {
			mine = ids[i*each : (i+1)*each]
		}
		wg.Go(func() {
			got, err := l.Progress(t.Context(), connection.ProgressRequest{KnowledgeBaseID: kb, DocumentIDs: mine})
			if err != nil || len(got.Remaining) > 0 || got.Summary.ByStatus[vendors.NotFound] > 0 {
				t.Errorf("%d documents: %+v, %d remain, %v", len(mine), got.Summary, len(got.Remaining), err)
				return
			}
			for j, p := range got.Documents {
				if p.DocumentID != mine[j] {
					t.Errorf("document %s instead of %s", p.DocumentID, mine[j])
				}
			}
		})
	}
	wg.Wait()
}

// TestHerd: what 50 callers want at once costs about the fewest requests that can
// answer it, instead of 50, or 500 when they want everything.
func TestHerd(t *testing.T) {
	if testing.Short() {
		t.Skip("fifty callers wait for a quota, twelve times")
	}
	const total = 1000
	for _, tt := range []struct {
		name string
		each int
	}{{"20 documents each", 20}, {"all documents each", total}} {
		for _, way := range []string{"coze", "coze-studio", "dify", "ragflow", "ragflow-preview", "volcengine"} {
			t.Run(tt.name+" "+way, func(t *testing.T) {
				sb, url := sandboxed(t, sandbox.Options{Documents: total})
				kb := connect(t, sb, url, way).archive(t)
				platform, _, _ := strings.Cut(way, "-")
				l := connect(t, sb, url, way, strings.ToUpper(platform)+"_RATE_LIMIT=10/s")
				ids := l.stored(kb)
				// Documents that belong together stand together on platforms; here they must not.
				slices.SortFunc(ids, func(a, b string) int { return strings.Compare(a[len(a)-2:]+a, b[len(b)-2:]+b) })
				sb.ResetRequests()
				began := time.Now()
				herd(t, l, kb, ids, tt.each)
				n := sb.Requests(l.face)
				t.Logf("%d requests, all answered in %v", n, time.Since(began).Round(time.Millisecond))
				// 10 are the fewest, and 12 with the reasons on studio; a busy
				// machine lets part of the herd come late.
				if n > 25 {
					t.Errorf("%d requests, want 10", n)
				}
			})
		}
	}
}
