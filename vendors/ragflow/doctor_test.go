package ragflow

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// TestDiagnose is of servers of several ages, after one call or before any.
func TestDiagnose(t *testing.T) {
	for _, tt := range []struct {
		name, generation, version, language string
		want                                string // in the messages
		status                              vendors.Health
	}{
		{name: "new", generation: "current", version: `{"code":0,"data":"v0.27.0"}`, want: "RAGFlow v0.27.0.", status: vendors.Healthy},
		{name: "Python", generation: "current", version: `{"code":0,"data":"v0.27.0"}`, language: `{"code":0,"data":{"language":"python"}}`, want: "RAGFlow v0.27.0, Python server.", status: vendors.Healthy},
		{name: "Go", generation: "current", version: `{"code":0,"data":"unknown"}`, language: `{"code":0,"data":{"language":"go"}}`, want: "of an unreported version, Go server", status: vendors.Healthy},
		{name: "older", generation: "current", version: `{"code":100,"data":null,"message":"<NotFound '404: Not Found'>"}`, want: "does not report", status: vendors.Healthy},
		{name: "preview", generation: "preview", want: "preview", status: vendors.Healthy},
		{name: "nothing has answered", generation: "auto", want: "do not show", status: vendors.Doubtful},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/api/v1/system/version" && tt.version != "":
					io.WriteString(w, tt.version)
				case r.URL.Path == "/api/v1/language" && tt.version != "":
					io.WriteString(w, tt.language)
				default:
					t.Errorf("%s %s was asked", r.Method, r.URL)
				}
			}))
			t.Cleanup(srv.Close)
			d := New(Config{APIKey: "SECRET-0123456789", BaseURL: srv.URL, Generation: tt.generation},
				rest.Conn{Transport: srv.Client().Transport, Limiter: ratelimit.New(ratelimit.Rate{}, nil)})
			text := ""
			for _, f := range d.Diagnose(t.Context()) {
				text += f.Message + " "
				if f.Status != tt.status || (f.Hint == "") != (f.Status == vendors.Healthy) {
					t.Errorf("%+v", f)
				}
			}
			if !strings.Contains(text, tt.want) {
				t.Errorf("no %q in %q", tt.want, text)
			}
		})
	}
}
