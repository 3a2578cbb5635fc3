package vendors

import "time"

// Stalled is a suspicion with its evidence: nothing about an unsettled document
// has moved for longer than its platform's threshold. The status stays what the
// platform says.
type Stalled struct {
	Suspected        bool      `json:"suspected"`
	Since            time.Time `json:"since"`
	ThresholdSeconds int       `json:"threshold_seconds"`
	Why              string    `json:"why"`
	NextStep         string    `json:"next_step"`
}

// StallRule is a platform's word on when to be suspicious.
type StallRule struct {
	Threshold time.Duration
	NextStep  string // what a person can do; never to delete: it is a suspicion
	// UpdatesLie says that UpdatedAt moves although nothing happens to the
	// document, so that it is no evidence.
	UpdatesLie bool
}

// Suspicion is a driver's own reason to believe that an unsettled document is
// stuck, beside the thresholds: no worker runs, no stage is at work.
type Suspicion struct {
	Since    time.Time // zero: since this server first saw it so
	Why      string    // the evidence, one sentence
	NextStep string    // "": that of the rule
}

// Staller is a driver with a rule of its own.
type Staller interface{ StallRule() StallRule }
