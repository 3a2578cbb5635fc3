package dify

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// copied is an error to be changed.
func copied(err error) *vendors.Error {
	c := *vendors.Classify(err)
	return &c
}

// slack is what a platform's clocks may differ by from each other.
const slack = 5 * time.Second

// window is the time of a write whose answer was lost. What was created in it
// is told by the platform's own clock, because ours may differ.
type window struct{ start time.Time }

func open() window { return window{time.Now()} }

// holds reports whether something was created since the window opened. date is
// the server's clock in the answer that shows it.
func (w window) holds(created rest.Num, date time.Time) bool {
	return created.Valid && created.Int > 0 && date.Unix()-created.Int <= int64((time.Since(w.start)+slack)/time.Second)
}

// clock is the server's time in an answer, or ours when it does not say.
func (d *Driver) clock(date time.Time) time.Time {
	if date.IsZero() {
		return d.memory.now()
	}
	return date
}

// remove deletes at a path. A lost delete is sent once more: it deletes nothing
// else, and a second one that finds nothing (marked as missing) means that the
// first did it.
func (d *Driver) remove(ctx context.Context, missing error, path ...string) error {
	call := rest.Call{Method: http.MethodDelete, Path: path, Write: rest.Once}
	err := d.client.Do(ctx, call, &nothing{})
	if !vendors.Unsure(err) {
		return err
	}
	switch again := d.client.Do(ctx, call, &nothing{}); {
	case again == nil, errors.Is(again, missing):
		return nil
	case !vendors.Unsure(again) && vendors.KindOf(again) == vendors.Conflict:
		return again
	}
	return err
}

// nothing is the answer of a delete: 204 without a body or, from 1.4 to 1.12,
// 200 with the body 204.
type nothing struct{}

func (*nothing) is(a rest.Answer) bool {
	return a.Status == http.StatusNoContent || a.Status == http.StatusOK && bytes.Equal(bytes.TrimSpace(a.Body), []byte("204"))
}

// accept implements payload: anything else is no answer of a delete.
func (*nothing) accept(http.Header) bool { return false }
