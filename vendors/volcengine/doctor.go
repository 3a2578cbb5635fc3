package volcengine

import (
	"context"
	"net/http"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// signatureLife is how far X-Date may be from the platform's clock.
const signatureLife = 15 * time.Minute

// Diagnose implements [vendors.Doctor]: the clock, which signatures carry, from
// the Date header that any answer has; and which list the server speaks, as far
// as it was asked.
func (d *Driver) Diagnose(ctx context.Context) []vendors.Finding {
	api := vendors.Finding{Check: "api", Status: vendors.Healthy, Message: "kb-mcp speaks the knowledge base API v2 to this server."}
	if d.oldList.Load() {
		api.Message = "kb-mcp speaks the knowledge base API v1: this server has no doc/v2/list, so that lists are read by offset."
	}
	answer, err := d.client.Stream(ctx, rest.Call{Method: http.MethodGet, Path: []string{"ping"}},
		func(int, http.Header) bool { return true })
	if err != nil {
		return []vendors.Finding{api}
	}
	answer.Body.Close()
	return append([]vendors.Finding{api}, vendors.Clock(answer.Header.Get("Date"), d.now(), signatureLife)...)
}

var _ vendors.Doctor = (*Driver)(nil)
