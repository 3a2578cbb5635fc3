package dify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

func words() map[string]vendors.Status {
	list := map[string]vendors.Status{}
	for word, s := range states {
		list[word] = s.status
	}
	return list
}

func TestEveryWord(t *testing.T) {
	const kb, doc = "4d9e6c1a-2b3f-4a5d-8c7e-9f0a1b2c3d4e", "a8e0e5b5-78c6-4130-a5ce-25feb0e0b4ac"
	vendortest.EveryWord(t, vendortest.Words{
		KnowledgeBaseID: kb, DocumentID: doc, Statuses: words(),
		Answer: func(path, _, word string) string {
			row := fmt.Sprintf(`{"id":%q,"name":"a.txt","indexing_status":%q,"completed_segments":1,"total_segments":1}`, doc, word)
			switch {
			case strings.HasSuffix(path, "/"+doc):
				return row
			case strings.HasSuffix(path, "/"+kb):
				return fmt.Sprintf(`{"id":%q,"name":"kb","document_count":1}`, kb)
			}
			return fmt.Sprintf(`{"data":[%s],"has_more":false,"limit":20,"total":1,"page":1}`, row)
		},
	}, func(conn rest.Conn) vendors.Driver {
		return New(Config{APIKey: "SECRET", BaseURL: "http://vendor.test/v1"}, conn)
	})
}

// TestFiltersSelectWhatIsUnfinished: every status that a word means is completed
// or read by a filter, and can be asked for.
func TestFiltersSelectWhatIsUnfinished(t *testing.T) {
	for word, s := range words() {
		if !s.IsCompleted() && !slices.Contains((&Driver{}).UnfinishedFilters(), s) {
			t.Errorf("no filter selects %s, which is %s", word, s)
		}
		if _, ok := displays[s]; !ok {
			t.Errorf("documents are said never to be %s, which %s means", s, word)
		}
	}
}
