package coze_test

import (
	"testing"

	"kb-mcp/vendors/vendortest"
)

func FuzzAnswers(f *testing.F) {
	vendortest.Fuzz(f, "../../testdata/coze", open)
}
