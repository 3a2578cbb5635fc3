package volcengine

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Diagnose implements [vendors.Doctor]: the clock, which signatures carry, from
// the Date header that any answer has; which list the server speaks, as far as it
// was asked; and a project that holds nothing.
func (d *Driver) Diagnose(ctx context.Context) []vendors.Finding {
	api := vendors.Finding{Check: "api", Status: vendors.Healthy, Message: "kb-mcp speaks the knowledge base API v2 to this server."}
	if d.oldList.Load() {
		api.Message = "kb-mcp speaks the knowledge base API v1: this server has no doc/v2/list, so that lists are read by offset."
	}
	found := append([]vendors.Finding{api}, d.emptyProject(ctx)...)
	answer, err := d.client.Stream(ctx, rest.Call{Method: http.MethodGet, Path: []string{"ping"}},
		func(int, http.Header) bool { return true })
	if err != nil {
		return found
	}
	answer.Body.Close()
	return append(found, vendors.Clock(answer.Header.Get("Date"), d.now(), signatureLife)...)
}

// emptyProject warns of a project without knowledge bases while others have
// some: the platform answers the name of an unknown project with an empty list.
func (d *Driver) emptyProject(ctx context.Context) []vendors.Finding {
	mine, err := d.collections(ctx, d.project)
	if err != nil || len(mine) > 0 {
		return nil
	}
	all, err := d.collections(ctx, "")
	if err != nil || len(all) == 0 {
		return nil
	}
	others := map[string]bool{}
	for _, c := range all {
		others[string(c.Project)] = true
	}
	names := slices.Sorted(maps.Keys(others))
	return []vendors.Finding{{
		Check: "project", Status: vendors.Doubtful,
		Message: fmt.Sprintf("The project %q has no knowledge base, while other projects of the account have %d.", d.project, len(all)),
		Hint:    "Set VOLCENGINE_PROJECT to the project that is meant, one of: " + strings.Join(names[:min(len(names), 10)], ", ") + ".",
	}}
}
