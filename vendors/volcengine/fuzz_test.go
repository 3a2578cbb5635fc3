package volcengine

import (
	"testing"

	"kb-mcp/vendors/vendortest"
)

// FuzzDriver plays any body as the answer to any call.
func FuzzDriver(f *testing.F) { vendortest.Fuzz(f, cases, open) }
