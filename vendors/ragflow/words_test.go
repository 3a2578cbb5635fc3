package ragflow

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

// TestEveryWord tries the words of both state fields.
func TestEveryWord(t *testing.T) {
	for field, words := range map[string]map[string]vendors.Status{"run": runStates, "ingestion_status": taskStates} {
		vendortest.EveryWord(t, vendortest.Words{
			KnowledgeBaseID: "kb", DocumentID: "d1", Statuses: words,
			Answer: func(path, _, word string) string {
				if !strings.HasSuffix(path, "/documents") {
					return `{"code":0,"data":[{"id":"kb","name":"kb","document_count":1}],"total_datasets":1}`
				}
				return fmt.Sprintf(`{"code":0,"data":{"docs":[{"id":"d1","name":"a.txt","progress":0.3,"chunk_count":1,%q:%q}],"total":1}}`, field, word)
			},
		}, func(conn rest.Conn) vendors.Driver { return open(t, nil, conn) })
	}
}

// TestFiltersSelectWhatIsUnfinished: of every word that does not mean completed
// some filter tells the server.
func TestFiltersSelectWhatIsUnfinished(t *testing.T) {
	for w, states := range map[wording]map[string]vendors.Status{runWords: runStates, taskWords: taskStates} {
		selected := []string{"SCHEDULE"} // a worker has it at once; where one is left, the totals deny the filters
		for _, s := range (&Driver{}).UnfinishedFilters() {
			run := runFilters[w][s].values
			selected = append(selected, run...)
		}
		for _, word := range slices.Sorted(maps.Keys(states)) {
			if number := word[0] <= '9'; !number && !states[word].IsCompleted() && !slices.Contains(selected, word) {
				t.Errorf("no filter selects %s, which is %s", word, states[word])
			}
		}
	}
}
