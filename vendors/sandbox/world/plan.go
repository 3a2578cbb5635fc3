package world

import (
	"time"
)

// Phase is where a document stands in the sandbox's own words. Each face turns
// it into its platform's.
type Phase string

// The phases. Other is a value that the platform never documented: the word
// or number to report is in [State.Raw].
const (
	Unstarted Phase = "unstarted"
	Queued    Phase = "queued"
	Parsing   Phase = "parsing"
	Cleaning  Phase = "cleaning"
	Splitting Phase = "splitting"
	Indexing  Phase = "indexing"
	Completed Phase = "completed"
	Failed    Phase = "failed"
	Cancelled Phase = "cancelled"
	Paused    Phase = "paused"
	Deleting  Phase = "deleting"
	Other     Phase = "other"
)

// Working reports whether p is one of the four stages of work.
func (p Phase) Working() bool {
	return p == Parsing || p == Cleaning || p == Splitting || p == Indexing
}

// Stage is one step of a plan. Raw, when set, is what the platform reports
// during it instead of its usual value.
type Stage struct {
	Phase Phase
	For   time.Duration
	Raw   string
}

// Plan is what will happen to a document once its ingestion is asked for: the
// stages one after another, then Outcome for good.
type Plan struct {
	Stages  []Stage
	Outcome Phase  // "" is Completed
	Code    string // the platform's failure code, where it has one
	Message string // the platform's failure reason
	Raw     string // what the platform reports at the outcome instead of its usual value

	// Curve holds the fraction done at equally spaced moments of the working
	// stages (queueing is no work); between them it is straight. Empty is a
	// straight line from 0 to 1.
	Curve []float64
}

// State is a document at one moment.
type State struct {
	Phase Phase
	Stage Phase  // the last working stage entered, also when paused or failed; "" before
	Raw   string // reported instead of the platform's usual value, when not empty

	Fraction    float64 // done of the whole work, 0..1; 1 exactly when Completed
	Within      float64 // done of the current stage, 0..1
	ChunksDone  int     // rises during Indexing; with a curve it follows the curve
	ChunksTotal int     // 0 before Indexing

	Since     time.Time     // when the phase began; zero when Unstarted
	Ended     time.Time     // when the outcome was reached; zero before
	Elapsed   time.Duration // from the start to now, or to Ended
	Remaining time.Duration // until the outcome; 0 once it is reached

	Code, Message string // of a Failed document
}

// Normal is the life of an uploaded document: about ten seconds to Completed.
func Normal() Plan {
	return Plan{Stages: []Stage{
		{Phase: Queued, For: time.Second}, {Phase: Parsing, For: 2 * time.Second},
		{Phase: Splitting, For: time.Second}, {Phase: Indexing, For: 6 * time.Second},
	}}
}

// Failing is a life that ends in failure after about three seconds.
func Failing(code, message string) Plan {
	return Plan{
		Stages:  []Stage{{Phase: Queued, For: time.Second}, {Phase: Parsing, For: 2 * time.Second}},
		Outcome: Failed, Code: code, Message: message,
	}
}

// Immediate reaches its outcome at once.
func Immediate(outcome Phase) Plan { return Plan{Outcome: outcome} }

// Stopped returns the plan as it is when a person ends it after elapsed: what
// was done stays done, and outcome (Cancelled or Paused) holds from then on.
func (p Plan) Stopped(elapsed time.Duration, outcome Phase) Plan {
	done := p.fraction(elapsed)
	out := Plan{Outcome: outcome, Curve: []float64{0, done}}
	for _, st := range p.Stages {
		if elapsed <= 0 {
			break
		}
		st.For = min(st.For, elapsed)
		elapsed -= st.For
		out.Stages = append(out.Stages, st)
	}
	return out
}

// Sped returns the plan with every duration divided by speed.
func (p Plan) Sped(speed float64) Plan {
	stages := make([]Stage, len(p.Stages))
	for i, st := range p.Stages {
		st.For = time.Duration(float64(st.For) / speed)
		stages[i] = st
	}
	p.Stages = stages
	return p
}

// length is the time from the start to the outcome.
func (p Plan) length() time.Duration {
	var sum time.Duration
	for _, st := range p.Stages {
		sum += st.For
	}
	return sum
}

// fraction is the work done after elapsed, before the outcome is considered.
func (p Plan) fraction(elapsed time.Duration) float64 {
	var work, done time.Duration
	for _, st := range p.Stages {
		spent := max(0, min(elapsed, st.For))
		elapsed -= st.For
		if st.Phase.Working() {
			work += st.For
			done += spent
		}
	}
	if work == 0 {
		return 0
	}
	return p.curve(float64(done) / float64(work))
}

// curve maps a share x of the working time to the fraction done.
func (p Plan) curve(x float64) float64 {
	switch n := len(p.Curve); n {
	case 0:
		return x
	case 1:
		return p.Curve[0]
	default:
		pos := x * float64(n-1)
		i := min(int(pos), n-2)
		return p.Curve[i] + (p.Curve[i+1]-p.Curve[i])*(pos-float64(i))
	}
}

// State says where the document stands at now. It depends on nothing but the
// document's plan, its start and now.
func (d *Document) State(now time.Time) State {
	if d.Started.IsZero() {
		return State{Phase: Unstarted}
	}
	s := State{Elapsed: max(0, now.Sub(d.Started))}
	left, since := s.Elapsed, d.Started
	for _, st := range d.Plan.Stages {
		if st.Phase.Working() {
			s.Stage = st.Phase
		}
		if left < st.For {
			s.Phase, s.Raw, s.Since = st.Phase, st.Raw, since
			s.Within = float64(left) / float64(st.For)
			s.Fraction = d.Plan.fraction(s.Elapsed)
			s.Remaining = d.Plan.length() - s.Elapsed
			s.chunks(d)
			return s
		}
		left -= st.For
		since = since.Add(st.For)
	}
	s.Ended, s.Since = since, since
	s.Elapsed = since.Sub(d.Started)
	s.outcome(d)
	return s
}

// outcome fills in what holds once every stage is over.
func (s *State) outcome(d *Document) {
	s.Phase, s.Raw = d.Plan.Outcome, d.Plan.Raw
	s.Fraction = d.Plan.fraction(s.Elapsed)
	switch s.Phase {
	case "", Completed:
		s.Phase, s.Fraction, s.Within = Completed, 1, 1
	case Failed:
		s.Code, s.Message = d.Plan.Code, d.Plan.Message
	}
	s.chunks(d)
}

// chunks counts what indexing has written so far.
func (s *State) chunks(d *Document) {
	switch {
	case s.Phase == Completed:
		s.ChunksTotal = d.ChunkCount()
		s.ChunksDone = s.ChunksTotal
	case s.Phase == Indexing && len(d.Plan.Curve) == 0:
		s.ChunksTotal = d.ChunkCount()
		s.ChunksDone = int(s.Within * float64(s.ChunksTotal))
	case s.Stage == Indexing:
		s.ChunksTotal = d.ChunkCount()
		s.ChunksDone = int(s.Fraction * float64(s.ChunksTotal))
	}
}

// Began says when the document entered phase p, which may also be its outcome;
// the zero time when it has not by now, or never does.
func (d *Document) Began(p Phase, now time.Time) time.Time {
	if d.Started.IsZero() {
		return time.Time{}
	}
	at := d.Started
	for _, st := range d.Plan.Stages {
		if at.After(now) {
			return time.Time{}
		}
		if st.Phase == p {
			return at
		}
		at = at.Add(st.For)
	}
	outcome := d.Plan.Outcome
	if outcome == "" {
		outcome = Completed
	}
	if outcome != p || at.After(now) {
		return time.Time{}
	}
	return at
}

// Changed is when the document last changed: its end counts.
func (d *Document) Changed(st State) time.Time {
	if st.Ended.After(d.Updated) {
		return st.Ended
	}
	return d.Updated
}
