package dify

import (
	"strings"

	"kb-mcp/vendors/rest"
)

// Limits of a text of the platform before it is cut to one line.
const (
	maxWords = 4096 // bytes
	maxLines = 5    // a validation text's first lines say it
)

// tidy makes a text of the platform fit to show. Dify appends route suggestions
// to some texts and documentation links to validation texts.
func tidy(s string) string {
	s, _, _ = strings.Cut(s[:min(len(s), maxWords)], " You have requested this URI")
	kept, n := "", 0
	for line := range strings.Lines(s) {
		if n == maxLines || strings.Contains(line, "For further information visit") {
			break
		}
		kept, n = kept+line, n+1
	}
	return rest.Text(kept)
}
