package ragflow

import (
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

// open makes the driver of a case: an auto one unless the case says otherwise.
func open(t testing.TB, env map[string]string, conn rest.Conn) vendors.Driver {
	c := Config{APIKey: "SECRET", BaseURL: "http://vendor.test"}
	for name, value := range env {
		switch name {
		case "RAGFLOW_API_KEY":
			c.APIKey = value
		case "RAGFLOW_BASE_URL":
			c.BaseURL = value
		case "RAGFLOW_API_GENERATION":
			c.Generation = value
		default:
			t.Fatalf("unknown variable %s", name)
		}
	}
	if p := c.Problems(); len(p) > 0 {
		t.Fatalf("config: %v", p)
	}
	return New(c, conn)
}

func TestDriver(t *testing.T) { vendortest.Run(t, "../../testdata/ragflow", open) }
