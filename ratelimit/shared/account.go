// Package shared lets several processes keep to one rate together: their
// limiters book turns of one account in [Redis], by its clock. While Redis is
// away, each process keeps to its share of the rate.
package shared

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

	"kb-mcp/ratelimit"
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
	// request arrives: a process that wakes 15 ms late, and one after it that does
	// not, may be nearer to each other there, and so may their requests.
	margin = 25 * time.Millisecond
	// A process counts as using the account for twice the shortest window after
	// its last request, within these bounds.
	shortPeriod, longPeriod = 10 * time.Second, 10 * time.Minute
	// Answers beyond these are not believed.
	maxProcesses = 10_000
	maxWait      = 366 * 24 * time.Hour
)

// account implements [ratelimit.Account]. A turn costs one trip to Redis, one
// more when it was waited for so long that it is booked again, and one more when
// its request was late.
type account struct {
	redis         *Redis
	terms         []ratelimit.Term
	period        time.Duration // for which a process is seen
	process       string        // this one, in this account
	names         atomic.Uint64 // given to turns
	seen          atomic.Int64  // processes, at the last answer
	closed, using string        // keys: until when; by whom
	turns         []string      // keys, one for each term
}

// NewLimiter makes a limiter that shares its rate with those of the same name in
// other processes; only a hash of the name is stored. Without Redis, and for a
// rate without limits, nothing is shared.
//
// Processes with different rates share as well, each keeping the account to its
// own: else a change of the rate, which reaches one process after the other,
// would open a second account beside the first. So only the windows are in the
// keys.
func NewLimiter(r *Redis, name string, rate ratelimit.Rate) *ratelimit.Limiter {
	if r == nil || rate.Off() {
		return ratelimit.New(rate, nil)
	}
	return ratelimit.New(rate, newAccount(r, name, rate.Terms()))
}

func newAccount(r *Redis, name string, terms []ratelimit.Term) *account {
	sum := sha256.Sum256([]byte(name))
	prefix := "kb-mcp:{" + hex.EncodeToString(sum[:12]) + "}:" // the braces keep all keys in one slot of a cluster
	a := &account{
		redis: r, terms: terms, process: rand.Text()[:10],
		period: min(max(shortPeriod, 2*terms[0].Window), longPeriod),
		closed: prefix + "closed", using: prefix + "using",
	}
	for _, t := range terms {
		a.turns = append(a.turns, prefix+t.Unit())
	}
	return a
}

// Book implements [ratelimit.Account]. The old turn has gone back also when none
// is booked.
func (a *account) Book(ctx context.Context, old ratelimit.Booking, within time.Duration) (ratelimit.Booking, error) {
	name, keys, args := a.reservation(old.ID, within)
	sent := time.Now()
	answer, err := a.redis.call(ctx, reserveScript, bookedWithin(within), keys, args...)
	if err != nil {
		return ratelimit.Booking{}, err
	}
	a.seen.Store(answer[2])
	now, wait := time.Now(), time.Duration(answer[1])*time.Microsecond
	if answer[0] == 0 {
		return ratelimit.Booking{}, &ratelimit.BusyError{After: wait}
	}
	return ratelimit.Booking{ID: name, Made: now, At: now.Add(wait), Earliest: sent.Add(wait)}, nil
}

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

// reservation returns the arguments of reserve.lua for a turn of a new name.
func (a *account) reservation(instead string, within time.Duration) (name string, keys []string, args []any) {
	name = a.process + strconv.FormatUint(a.names.Add(1), 36)
	limit := int64(-1) // none
	if within != 0 {
		limit = max(0, within.Microseconds())
	}
	keys = append([]string{a.closed, a.using}, a.turns...)
	args = []any{name, instead, a.process, a.period.Microseconds(), limit}
	for _, t := range a.terms {
		args = append(args, t.N, (t.Window + margin).Microseconds())
	}
	return name, keys, args
}

// GiveBack implements [ratelimit.Account]. While Redis is away the turn is lost.
func (a *account) GiveBack(b ratelimit.Booking) {
	_, _ = a.redis.call(context.Background(), giveBackScript, numbers(1), a.turns, b.ID)
}

// Counted implements [ratelimit.Account]. Where the request was counted more
// than the margin after its turn, the account moves the turn: else a window on a
// machine with five times more to do than it can holds up to 65 requests of 50.
func (a *account) Counted(b ratelimit.Booking, at time.Time) {
	late := at.Sub(b.Earliest) - margin
	if late <= 0 {
		return
	}
	args := []any{b.ID, late.Microseconds()}
	for _, t := range a.terms {
		args = append(args, (t.Window + margin).Microseconds())
	}
	_, _ = a.redis.call(context.Background(), moveScript, numbers(0), a.turns, args...)
}

// Pause implements [ratelimit.Account]. It extends and never shortens; while
// Redis is away, only the caller's process knows of it.
func (a *account) Pause(d time.Duration) {
	_, _ = a.redis.call(context.Background(), closeScript, numbers(0), []string{a.closed}, d.Microseconds())
}

// Incomplete implements [ratelimit.Account].
func (a *account) Incomplete(window time.Duration, now time.Time) bool {
	return a.redis.missed(window, now)
}

// Processes implements [ratelimit.Account].
func (a *account) Processes() int { return int(max(1, a.seen.Load())) }
