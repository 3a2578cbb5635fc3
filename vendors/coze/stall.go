package coze

import (
	"time"

	"kb-mcp/vendors"
)

// StallRule implements [vendors.Staller]. Coze gives no time of movement, and
// its percentage and estimate are what moves; ingestion takes minutes, and a
// process cache of two hours hides longer ones on coze-studio.
func (d *Driver) StallRule() vendors.StallRule {
	return vendors.StallRule{
		Threshold: 30 * time.Minute,
		NextStep:  "Look at the document in Coze; on coze-studio check that its message queue and its worker run.",
	}
}
