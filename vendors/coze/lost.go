package coze

import (
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// sentences joins two; a system's words have no full stop.
func sentences(first, second string) string {
	return strings.TrimSuffix(first, ".") + ". " + second
}

// clockSlack is how far the platform's clock may be from ours. Beyond it a look
// after a lost answer finds nothing, rather than what somebody else made.
const clockSlack = 2 * time.Second

// since reports whether something was created after a call began. A row whose
// time is not filled in yet was.
func (d *Driver) since(began time.Time, created rest.Num) bool {
	at := vendors.Seconds(created.Int)
	if at.IsZero() {
		return true
	}
	return !at.Before(began.Add(-clockSlack)) && !at.After(d.now().Add(clockSlack))
}
