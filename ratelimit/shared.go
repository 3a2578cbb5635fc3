package ratelimit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed reserve.lua
var reserveSource string

//go:embed giveback.lua
var giveBackSource string

//go:embed move.lua
var moveSource string

//go:embed close.lua
var closeSource string

var (
	reserveScript  = redis.NewScript(reserveSource)
	giveBackScript = redis.NewScript(giveBackSource)
	moveScript     = redis.NewScript(moveSource)
	closeScript    = redis.NewScript(closeSource)
)

const (
	// margin is how much longer than the window a turn takes up its place. The
	// account knows when a turn may be used, and the platform counts when its
	// request arrives: a process that wakes late, and one after it that does
	// not, may be nearer to each other there by this.
	margin = 25 * time.Millisecond
	// stale is how late a turn may be used; the rest of margin is for the way.
	stale = 15 * time.Millisecond
	// trust is how long a booking is believed: meanwhile the platform may have
	// closed for all, or an earlier turn may have been late.
	trust = 200 * time.Millisecond
	// A process counts as one that uses the account for twice the shortest
	// window after it asked, within these bounds: a slow rate lets it ask less
	// often.
	shortPeriod, longPeriod = 10 * time.Second, 10 * time.Minute
)

// Shared is an account of turns that several processes keep together in Redis,
// by its clock. A turn costs one trip to Redis, one more when it was waited for
// longer than trust, and one more when its request was late.
type Shared struct {
	redis         *Redis
	rate          Rate
	period        time.Duration // for which a process is seen
	process       string        // this one, in this account
	names         atomic.Uint64 // given to turns
	seen          atomic.Int64  // processes, at the last answer
	closed, using string        // keys: until when; by whom
	turns         []string      // keys, one for each term
}

// NewShared is the account of that name in Redis: whoever gives the same name
// uses the same account, and only a hash of it is stored. It is nil, which means
// that nothing is shared, without Redis and for a rate without limits.
//
// Processes with different rates share as well, each keeping the account to its
// own: else a change of the rate, which reaches one process after the other,
// would open a second account beside the first. So only the windows are in the
// keys.
func NewShared(r *Redis, account string, rate Rate) *Shared {
	if r == nil || rate.Off() {
		return nil
	}
	sum := sha256.Sum256([]byte(account))
	prefix := "kb-mcp:{" + hex.EncodeToString(sum[:12]) + "}:" // the braces keep all keys in one slot of a cluster
	s := &Shared{
		redis: r, rate: rate, process: rand.Text()[:10],
		period: min(max(shortPeriod, 2*rate.terms[0].Window), longPeriod),
		closed: prefix + "closed", using: prefix + "using",
	}
	for _, t := range rate.terms {
		s.turns = append(s.turns, prefix+unitOf(t.Window))
	}
	return s
}

// booking is a turn of a shared account.
type booking struct {
	id     string
	wait   time.Duration // from the answer on
	booked bool          // false: it would have come later than allowed
	made   time.Time     // by this process's clock, as is at
	at     time.Time     // when the turn comes, or a little after it
	least  time.Time     // the turn does not come before
}

// good reports whether a turn may still be used as it was booked; else it is to
// be booked again.
func (b booking) good(now time.Time) bool {
	return now.Sub(b.at) < stale && now.Sub(b.made) < trust
}

// reserve books the next free turn. within bounds the wait, 0 does not: a turn
// later than that is not booked, and wait says when it would have come. The only
// error is errAway. It takes no longer than patience, also when ctx is done.
func (s *Shared) reserve(ctx context.Context, within time.Duration) (booking, error) {
	return s.rebook(ctx, booking{}, within)
}

// rebook gives a turn back and books the next free one, which may be the same,
// in one step, so that nobody comes between. The old one has gone back also when
// none is booked.
func (s *Shared) rebook(ctx context.Context, old booking, within time.Duration) (booking, error) {
	keys, args := s.reservation(old.id, within)
	asked := time.Now()
	answer, err := s.redis.call(ctx, reserveScript, bookedWithin(within), keys, args...)
	if err != nil {
		return booking{}, err
	}
	s.seen.Store(answer[2])
	now, wait := time.Now(), time.Duration(answer[1])*time.Microsecond
	return booking{id: args[0].(string), wait: wait, booked: answer[0] == 1, made: now, at: now.Add(wait), least: asked.Add(wait)}, nil
}

// maxProcesses is how many processes may share an account.
const maxProcesses = 10_000

// maxWait is the longest wait that is believed: of a few turns a day, more than
// anybody waits for.
const maxWait = 366 * 24 * time.Hour

// bookedWithin is the form of reserve.lua's answer: whether it booked, after which
// wait, and how many processes use the account. A turn that comes later than
// allowed is never booked.
func bookedWithin(within time.Duration) form {
	return func(a []int64) bool {
		if len(a) != 3 || a[0] < 0 || a[0] > 1 || a[2] < 1 || a[2] > maxProcesses {
			return false
		}
		most := maxWait
		if a[0] == 1 && within != 0 {
			most = max(0, within)
		}
		return a[1] >= 0 && a[1] <= most.Microseconds()
	}
}

// reservation is what reserve.lua wants; the first argument is the turn's name.
func (s *Shared) reservation(instead string, within time.Duration) (keys []string, args []any) {
	keys = append([]string{s.closed, s.using}, s.turns...)
	name := s.process + strconv.FormatUint(s.names.Add(1), 36)
	limit := int64(-1) // none
	if within != 0 {
		limit = max(0, within.Microseconds())
	}
	args = []any{name, instead, s.process, s.period.Microseconds(), limit}
	for _, t := range s.rate.terms {
		args = append(args, t.N, (t.Window + margin).Microseconds())
	}
	return keys, args
}

// giveBack lets somebody else have a turn that was not used. It takes no longer
// than patience; when Redis is away the turn is lost.
func (s *Shared) giveBack(b booking) {
	_, _ = s.redis.call(context.Background(), giveBackScript, numbers(1), s.turns, b.id)
}

// counted says when the platform has counted the request of a turn at the latest.
// Where that is more than the margin after the turn, the account moves the turn:
// on a machine with five times more to do than it could, windows of 50 held up to
// 65 requests without this, and 51 with it.
func (s *Shared) counted(b booking, at time.Time) {
	late := at.Sub(b.least) - margin
	if late <= 0 {
		return
	}
	args := []any{b.id, late.Microseconds()}
	for _, t := range s.rate.terms {
		args = append(args, (t.Window + margin).Microseconds())
	}
	_, _ = s.redis.call(context.Background(), moveScript, numbers(0), s.turns, args...)
}

// close lets nobody in any process through for d from now. It extends and never
// shortens, and takes no longer than patience; when Redis is away, only the
// caller knows.
func (s *Shared) close(d time.Duration) {
	_, _ = s.redis.call(context.Background(), closeScript, numbers(0), []string{s.closed}, d.Microseconds())
}

// parts is in how many parts a term must be divided for now: in one, unless
// turns of its window may be missing in the account.
func (s *Shared) parts(window time.Duration, now time.Time) int {
	if s.redis.missed(window, now) {
		return s.replicas()
	}
	return 1
}

// replicas is how many processes used the account lately, at least 1.
func (s *Shared) replicas() int { return int(max(1, s.seen.Load())) }
