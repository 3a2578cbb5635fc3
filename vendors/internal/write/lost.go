package write

import (
	"context"
	"errors"
	"time"

	"kb-mcp/vendors"
)

// lookTime is kept back from a request that makes something, so that a lost
// answer can still be looked for.
const lookTime = 8 * time.Second

// Create makes something by send. When the answer is lost, find returns the
// candidates: listed now, of the same name, and not there before. If there is
// exactly one, it is what was made, and found is true; if there is none, and
// the platform itself reported a failure, nothing was made. An error of find
// leaves it open, unless it is [Refused].
func Create[T any](ctx context.Context, send func(context.Context) (T, error), find func(context.Context) ([]T, error)) (made T, found bool, err error) {
	sending, cancel := sparing(ctx)
	defer cancel()
	made, err = send(sending)
	if !vendors.Unsure(err) || ctx.Err() != nil {
		return made, false, err
	}
	list, lookErr := find(ctx)
	var refused Refused
	switch {
	case errors.As(lookErr, &refused):
		return made, false, refused.Why
	case lookErr != nil:
	case len(list) == 1:
		return list[0], true, nil
	case len(list) == 0 && vendors.Answered(err):
		err = vendors.NothingDone(err)
	}
	return made, false, err
}

// Refused is an error of find that says why nothing was made, like an older row
// of the same name.
type Refused struct{ Why error }

// Error implements error.
func (r Refused) Error() string { return r.Why.Error() }

// FoundNote is the note on a document that was found after the answer to its
// upload was lost.
const FoundNote = "The answer to the upload was lost; the document was looked for and is there."

// sparing reserves time to look for the result of a request that may take as
// long as its call.
func sparing(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok || time.Until(end) < 2*lookTime {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-lookTime))
}

// Again sends a delete, and repeats it when its answer was lost: the second one
// deletes nothing else, and if it finds nothing, as absent reports, the first
// one did it.
func Again(send func() error, absent func(error) bool) error {
	err := send()
	if !vendors.Unsure(err) {
		return err
	}
	switch again := send(); {
	case again == nil, absent(again):
		return nil
	case !vendors.Unsure(again) && vendors.KindOf(again) == vendors.Conflict:
		return again
	}
	return err
}

// slack is what a platform's clocks may differ by from each other.
const slack = 5 * time.Second

// Window is the time of a write whose answer may be lost.
type Window struct{ opened time.Time }

// Open begins a window now.
func Open() Window { return Window{time.Now()} }

// Holds reports whether something was created since the window was opened. now
// is the platform's clock in the answer that shows it, because ours may differ.
// A row without a time was not filled in yet.
func (w Window) Holds(created, now time.Time) bool {
	if created.IsZero() {
		return true
	}
	return now.Sub(created) <= time.Since(w.opened)+slack
}
