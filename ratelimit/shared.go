package ratelimit

import (
	"context"
	"errors"
	"time"
)

// Shared is an account of turns that several processes keep together.
type Shared struct{}

type booking struct {
	id     string
	wait   time.Duration
	booked bool
	at     time.Time
}

var errAway = errors.New("away")

func (s *Shared) reserve(context.Context, time.Duration) (booking, error) { return booking{}, errAway }
func (s *Shared) giveBack(booking)                                        {}
func (s *Shared) close(time.Duration)                                     {}
func (s *Shared) replicas() int                                           { return 1 }
