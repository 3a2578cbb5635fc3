package coze

import (
	"errors"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// lost tells whether a write may have been carried out although it failed: no
// answer came, or none that says what happened. A code of Coze that is no fault
// of its own is a refusal, and not lost.
func lost(err error) (*vendors.Error, bool) {
	var e *vendors.Error
	if !errors.As(err, &e) || e.Unsent {
		return nil, false
	}
	switch e.Kind {
	case vendors.Timeout, vendors.Unavailable:
		return e, true
	case vendors.BadResponse: // with 404 the path is not there, with 300 nobody came so far
		return e, e.HTTPStatus < 300
	}
	return nil, false
}

// unknown is what a lost answer is to the agent when looking did not tell what
// happened either. Once keeps it from being called retryable.
func unknown(e *vendors.Error, whether, check string) error {
	c := *e
	c.Message = sentences(e.Message, "It is UNKNOWN whether "+whether+".")
	c.Hint, c.Once = check, true
	return &c
}

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

// unsent marks the failure to obtain a token, before which nothing was asked.
func unsent(err error) error {
	var e *vendors.Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	c.Unsent = true
	return &c
}
