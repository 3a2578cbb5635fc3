package envelope

import (
	"testing"

	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

func TestRules(t *testing.T) {
	vendortest.Rules(t, "../../../testdata/ragflow", rules, func(a rest.Answer) (code, text string) {
		var out Ack
		rest.Unmarshal(a, &out)
		return out.plainCode(), out.Text()
	})
}
