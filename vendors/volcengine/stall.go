package volcengine

import (
	"time"

	"kb-mcp/vendors"
)

// StallRule implements [vendors.Staller]. There is no percentage and no time of
// movement (update_time also moves on a rename); failures show within seconds,
// while media take long.
func (d *Driver) StallRule() vendors.StallRule {
	return vendors.StallRule{
		Threshold: time.Hour,
		NextStep:  "Look at the document in the Volcengine console; if it stays, give its id to Volcengine's support.",
	}
}
