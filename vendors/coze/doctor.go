package coze

import (
	"context"
	"net/http"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Diagnose implements [vendors.Doctor]. The free plan counts every call, so the
// dialect is what the answers before have shown, and only a JWT app, whose
// signatures carry the time, costs a request: one that the plan does not count,
// because its path knows no GET.
func (d *Driver) Diagnose(ctx context.Context) []vendors.Finding {
	f := vendors.Finding{Check: "dialect", Status: vendors.Healthy}
	switch d.speech.is() {
	case hosted:
		f.Message = "Hosted Coze (coze.cn or coze.com)."
	case studio:
		f.Message = "A coze-studio server."
	default:
		f.Status, f.Message = vendors.Doubtful, "The answers do not show whether this is hosted Coze or coze-studio."
		f.Hint = "Set COZE_DIALECT to hosted or studio, and check that COZE_API_BASE is the root of the API."
	}
	list := []vendors.Finding{f}
	if d.tokens == nil {
		return list
	}
	answer, err := d.tokens.client.Stream(ctx, rest.Call{Method: http.MethodGet, Path: d.tokens.path},
		func(int, http.Header) bool { return true })
	if err != nil {
		return list
	}
	answer.Body.Close()
	return append(list, vendors.Clock(answer.Header.Get("Date"), d.now(), assertion)...)
}

var _ vendors.Doctor = (*Driver)(nil)
