package coze

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
		KnowledgeBaseID: "7363569245306940001", DocumentID: "7385083080979000001", Statuses: statuses,
		Answer: func(path, _, word string) string {
			row := fmt.Sprintf(`{"document_id":"7385083080979000001","name":"a.txt","document_name":"a.txt","status":%s,"slice_count":1}`, word)
			if strings.HasSuffix(path, "/process") {
				return fmt.Sprintf(`{"code":0,"data":{"data":[%s]}}`, row)
			}
			return fmt.Sprintf(`{"code":0,"document_infos":[%s],"total":1,"data":{"total_count":1,"dataset_list":[]}}`, row)
		},
	}, func(conn rest.Conn) vendors.Driver {
		return New(Config{Token: "SECRET", APIBase: "http://vendor.test", SpaceID: "7311219484398790001", Dialect: "hosted"}, conn)
	})
}
