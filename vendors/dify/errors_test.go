package dify

import (
	"testing"

	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

func TestRules(t *testing.T) {
	vendortest.Rules(t, "../../testdata/dify", rules(), func(a rest.Answer) (code, text string) {
		var r refused
		_, _ = rest.Unmarshal(a, &r)
		return r.said()
	})
}
