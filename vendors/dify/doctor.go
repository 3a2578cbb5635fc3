package dify

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Diagnose implements [vendors.Doctor]: every answer of Dify, refusals too,
// carries the server's version. The call is one that the cloud's limiter does
// not count.
func (d *Driver) Diagnose(ctx context.Context) []vendors.Finding {
	answer, err := d.client.Stream(ctx, rest.Call{
		Method: http.MethodGet, Path: []string{"datasets"}, Query: url.Values{"page": {"1"}, "limit": {"1"}},
	}, func(int, http.Header) bool { return true })
	if err != nil {
		return nil // the calls before have said it
	}
	answer.Body.Close()
	return append([]vendors.Finding{versionFinding(answer.Header.Get("X-Version"))},
		vendors.Clock(answer.Header.Get("Date"), time.Now(), 0)...)
}

// versionFinding judges the version that the server says it has.
func versionFinding(version string) vendors.Finding {
	f := vendors.Finding{Check: "version", Status: vendors.Healthy, Message: "Dify " + rest.Text(version) + "."}
	var major, minor int
	switch n, _ := fmt.Sscanf(version, "%d.%d", &major, &minor); {
	case version == "":
		f.Status, f.Message = vendors.Doubtful, "The server does not say which version of Dify it is."
		f.Hint = "Check that DIFY_BASE_URL points to Dify's API, and that no proxy removes the header X-Version."
	case n == 2 && (major < 1 || major == 1 && minor < 5):
		f.Status, f.Message = vendors.Doubtful, f.Message+" kb-mcp is made for 1.5 and newer."
		f.Hint = "Update Dify to 1.5.1 or newer: older servers lack some of the calls."
	}
	return f
}

var _ vendors.Doctor = (*Driver)(nil)
