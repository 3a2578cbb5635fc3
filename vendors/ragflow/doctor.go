package ragflow

import (
	"context"
	"net/http"

	"kb-mcp/vendors"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// Diagnose implements [vendors.Doctor]: the generation that the calls before
// found, and the version, which servers report since 0.25.
func (d *Driver) Diagnose(ctx context.Context) []vendors.Finding {
	f := vendors.Finding{Check: "generation", Status: vendors.Healthy}
	switch d.generation() {
	case preview:
		f.Message = "The API of RAGFlow 0.8 - 0.10 (preview); it has no chunks and no search."
		return []vendors.Finding{f}
	case current:
		f.Message = "The current API (RAGFlow 0.14 and newer)."
		return []vendors.Finding{f, d.version(ctx)}
	}
	f.Status, f.Message = vendors.Doubtful, "The answers do not show which generation of RAGFlow's API this is."
	f.Hint = "Check that RAGFLOW_BASE_URL is the server's root, e.g. http://127.0.0.1:9380."
	return []vendors.Finding{f}
}

// version reads the server's version, and whether it is the Python or the Go
// server (v0.27). One that does not know the paths is an old Python server.
func (d *Driver) version(ctx context.Context) vendors.Finding {
	var version envelope.Answer[rest.Str]
	err := d.now.rc.Do(ctx, rest.Call{Method: http.MethodGet, Path: []string{"api", "v1", "system", "version"}}, &version)
	f := vendors.Finding{Check: "version", Status: vendors.Healthy}
	text := rest.Text(string(version.Payload()))
	switch {
	case err != nil || text == "":
		f.Message = "The server does not report its version; RAGFlow does since 0.25."
		return f
	case text == "unknown":
		text = "of an unreported version"
	}
	f.Message = "RAGFlow " + text + "."
	var language envelope.Answer[struct {
		Name rest.Str `json:"language"`
	}]
	if d.now.rc.Do(ctx, rest.Call{Method: http.MethodGet, Path: []string{"api", "v1", "language"}}, &language) != nil {
		return f
	}
	switch name := language.Payload().Name; name {
	case "python":
		f.Message = "RAGFlow " + text + ", Python server."
	case "go":
		f.Message = "RAGFlow " + text + ", Go server: a document that waits for a worker may show as not started."
	}
	return f
}

var _ vendors.Doctor = (*Driver)(nil)
