package volcengine

import (
	"fmt"
	"strings"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

func TestEveryWord(t *testing.T) {
	vendortest.EveryWord(t, vendortest.Words{
		KnowledgeBaseID: "kb-8349ef57441ab57", DocumentID: "d1", Statuses: statuses,
		Answer: func(path, _, word string) string {
			row := fmt.Sprintf(`{"collection_name":"manuals","doc_id":"d1","doc_name":"a.txt","point_num":1,"status":{"process_status":%s}}`, word)
			switch {
			case strings.HasSuffix(path, "/doc/info"):
				return fmt.Sprintf(`{"code":0,"data":%s}`, row)
			case strings.Contains(path, "/collection/"):
				return `{"code":0,"data":{"collection_name":"manuals","resource_id":"kb-8349ef57441ab57"}}`
			}
			return fmt.Sprintf(`{"code":0,"data":{"count":1,"total_num":1,"doc_list":[%s]}}`, row)
		},
	}, func(conn rest.Conn) vendors.Driver { return open(t, nil, conn) })
}
