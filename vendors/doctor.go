package vendors

import (
	"context"
	"fmt"
	"time"
)

// Doctor is a driver that knows more of a connection's health than that a call
// succeeds: the server's version or dialect, the clock that signatures need. It
// is asked after a call that the platform answered, and makes two requests of
// its own at most.
type Doctor interface {
	Diagnose(ctx context.Context) []Finding
}

// Health is how a check ended.
type Health string

// The outcomes of a check.
const (
	Healthy  Health = "ok"
	Doubtful Health = "warning" // works, or could not be seen
	Broken   Health = "failed"
)

// Finding is what one check of a connection found. Hint says what to do about
// it, unless it is [Healthy].
type Finding struct {
	Check   string `json:"check"`
	Status  Health `json:"status"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Skews from which a clock is worth a word.
const (
	skewNoticed = time.Minute     // where a signature carries the time
	skewOdd     = 5 * time.Minute // where times are only shown
)

// Clock compares this machine's clock with the Date header of an answer. limit
// is how far apart they may be before signatures are refused; 0 where nothing
// is signed. A platform that sends no date gives no finding.
func Clock(date string, now time.Time, limit time.Duration) []Finding {
	theirs, err := time.Parse(time.RFC1123, date)
	if err != nil {
		return nil
	}
	skew := now.Sub(theirs).Round(time.Second)
	f := Finding{Check: "clock", Status: Healthy, Message: "This machine's clock agrees with the platform's."}
	direction := "ahead of"
	if skew < 0 {
		direction = "behind"
	}
	switch skew = skew.Abs(); {
	case limit > 0 && skew >= limit:
		f.Status = Broken
		f.Message = fmt.Sprintf("This machine's clock is %s %s the platform's, which refuses signatures that are more than %s off.", skew, direction, limit)
	case limit > 0 && skew > skewNoticed, skew > skewOdd:
		f.Status = Doubtful
		f.Message = fmt.Sprintf("This machine's clock is %s %s the platform's.", skew, direction)
	}
	if f.Status != Healthy {
		f.Hint = "Set this machine's clock by NTP (timedatectl set-ntp true); a container has the clock of its host."
	}
	return []Finding{f}
}
