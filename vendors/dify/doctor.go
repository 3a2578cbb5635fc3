package dify

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Diagnose implements [vendors.Doctor]: every answer of Dify, refusals too,
// carries the server's version, and the list of knowledge bases says which are
// closed to the API and which cannot be searched because their model is
// missing. The cloud's limiter does not count the call.
func (d *Driver) Diagnose(ctx context.Context) []vendors.Finding {
	out, err := d.datasets(ctx, paging(1, pageSize))
	if err != nil {
		return nil // the calls before have said it
	}
	found := []vendors.Finding{versionFinding(out.version)}
	if !out.date.IsZero() {
		found = append(found, vendors.Clock(out.date.Format(http.TimeFormat), time.Now(), 0)...)
	}
	return append(found, unusable(out.Data)...)
}

// unusable warns of knowledge bases that exist but cannot be used.
func unusable(kbs []dataset) (found []vendors.Finding) {
	var closed, unembedded []string
	for _, w := range kbs {
		name := strconv.Quote(rest.Text(string(w.Name)))
		if w.EnableAPI.Valid && !w.EnableAPI.Set {
			closed = append(closed, name)
		}
		if w.Technique == highQuality && w.EmbeddingAvailable.Valid && !w.EmbeddingAvailable.Set {
			unembedded = append(unembedded, name)
		}
	}
	if len(closed) > 0 {
		found = append(found, vendors.Finding{Check: "api access", Status: vendors.Doubtful,
			Message: "Closed to API calls: " + firstNames(closed) + ".",
			Hint:    "Switch on API access of these knowledge bases in the Dify console, if agents should read them."})
	}
	if len(unembedded) > 0 {
		found = append(found, vendors.Finding{Check: "embedding model", Status: vendors.Doubtful,
			Message: "Their embedding model is not available, so searches and uploads fail: " + firstNames(unembedded) + ".",
			Hint:    "The owner of the Dify workspace must install or configure the model provider " + providers + "."})
	}
	return found
}

// firstNames lists a few of names.
func firstNames(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
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
