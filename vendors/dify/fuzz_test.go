package dify_test

import (
	"testing"

	"kb-mcp/vendors/vendortest"
)

func FuzzDriver(f *testing.F) {
	vendortest.Fuzz(f, "../../testdata/dify", open)
}
