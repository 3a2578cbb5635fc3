package ragflow

import (
	"testing"

	"kb-mcp/vendors/vendortest"
)

func FuzzDriver(f *testing.F) { vendortest.Fuzz(f, "../../testdata/ragflow", open) }
