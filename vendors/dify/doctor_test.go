package dify

import (
	"strings"
	"testing"

	"kb-mcp/vendors"
)

func TestVersionFinding(t *testing.T) {
	for version, want := range map[string]vendors.Health{
		"1.17.1": vendors.Healthy, "1.5.0": vendors.Healthy, "2.0.0-beta": vendors.Healthy, "edge": vendors.Healthy,
		"1.4.3": vendors.Doubtful, "0.15.8": vendors.Doubtful, "": vendors.Doubtful,
	} {
		f := versionFinding(version)
		if f.Status != want || (f.Hint == "") != (want == vendors.Healthy) || !strings.Contains(f.Message, version) {
			t.Errorf("%q: %+v", version, f)
		}
	}
}
