package shared

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"kb-mcp/ratelimit"
)

const (
	// answerTime is how long Redis may take for one answer, with connecting. Only
	// the first of a queue waits so long, and once. A false alarm, in a process
	// that got no processor for a while, costs more.
	answerTime = time.Second
	// A Redis that failed is tried after firstPause, and then after twice as long
	// each time.
	firstPause, maxPause = time.Second, 5 * time.Second
)

// Redis is the server in which processes keep their accounts together. The
// connection is made when it is first needed. While Redis is unavailable,
// accounts return an error at once, and it is tried from time to time.
type Redis struct {
	client     *redis.Client
	log        *slog.Logger
	answerTime time.Duration

	mu        sync.Mutex
	pause     time.Duration // 0 while it can be used
	nextProbe time.Time     // while it is away: not tried before
	back      time.Time     // when it came back; zero when it was never away
	probes    sync.WaitGroup
}

var (
	errURL   = errors.New("must be redis://host:port, rediss://host:port or unix:///path")
	errAway  = errors.New("the shared account is away")
	errShape = errors.New("its answer is not of the documented form")
)

// Open makes the client of a server by its URL: redis, rediss or unix. roots are
// the authorities trusted by rediss, nil the system's. Errors never hold the
// URL, in which a password may stand.
func Open(address string, roots *x509.CertPool, log *slog.Logger) (*Redis, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "unix" && u.Host == "" {
		return nil, errURL
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, errURL
	}
	// A repeated reservation could book twice, and would take twice as long.
	o.MaxRetries, o.DialerRetries = -1, 1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = answerTime, -1, -1
	o.ContextTimeoutEnabled = true // see run
	// Each would be a trip more, and a command that some users may not give.
	o.DisableIdentity, o.MaintNotificationsConfig = true, &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	o.Protocol = 2
	if o.TLSConfig != nil {
		o.TLSConfig.RootCAs = roots
	}
	dial := redis.NewDialer(o)
	o.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return bounded(c), nil
	}
	redis.SetLogger(&logging.VoidLogger{}) // it writes to stderr, past our log and what keeps secrets out of it
	return &Redis{client: redis.NewClient(o), log: log, answerTime: answerTime}, nil
}

// Close ends the connections.
func (r *Redis) Close() error {
	err := r.client.Close()
	r.probes.Wait()
	return err
}

// Check uses Redis as accounts do, and says what is wrong.
func (r *Redis) Check(ctx context.Context) error {
	a := newAccount(r, "check", []ratelimit.Term{{N: 1, Window: time.Second}})
	name, keys, args := a.reservation("", 0)
	if _, err := r.run(ctx, reserveScript, bookedWithin(0), keys, args); err != nil {
		return err
	}
	_, err := r.run(ctx, giveBackScript, numbers(1), a.turns, []any{name})
	return err
}

// form reports whether a script can have given an answer.
type form func(answer []int64) bool

// numbers is the form of an answer of so many numbers, whatever they are.
func numbers(n int) form {
	return func(answer []int64) bool { return len(answer) == n }
}

// call runs a script. It returns errAway if that fails or the answer is not one
// that the script can give. A caller that leaves does not stop it: otherwise it
// would be unknown whether its turn was booked.
func (r *Redis) call(ctx context.Context, s *redis.Script, form form, keys []string, args ...any) ([]int64, error) {
	ok, probe := r.available(time.Now())
	if probe {
		r.probes.Go(func() { // ends within answerTime
			r.note(time.Now(), r.Check(context.Background()))
		})
	}
	if !ok {
		return nil, errAway
	}
	answer, err := r.run(ctx, s, form, keys, args)
	r.note(time.Now(), err)
	if err != nil {
		return nil, errAway
	}
	return answer, nil
}

// run uses Redis whatever happened before: in one trip, but for the first time
// that a server sees the script. A panic of the client counts as an error.
func (r *Redis) run(ctx context.Context, s *redis.Script, form form, keys []string, args []any) (answer []int64, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.answerTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, fmt.Errorf("the Redis client failed: %v", p)
		}
	}()
	if answer, err = s.Run(ctx, r.client, keys, args...).Int64Slice(); err != nil {
		return nil, err
	}
	if !form(answer) {
		return nil, errShape
	}
	return answer, nil
}

// available reports whether Redis can be used, and else whether the caller is to
// try whether it is back.
func (r *Redis) available(now time.Time) (ok, probe bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pause == 0 {
		return true, false
	}
	if now.Before(r.nextProbe) {
		return false, false
	}
	r.pause = min(2*r.pause, maxPause)
	r.nextProbe = now.Add(r.pause)
	return false, true
}

// note keeps how a use went, and logs when that is news.
func (r *Redis) note(now time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil && r.pause > 0:
		r.pause, r.back = 0, now
		r.log.Info("Redis can be used again: rate limits are shared between processes")
	case err != nil && r.pause == 0:
		r.pause, r.nextProbe = firstPause, now.Add(firstPause)
		r.log.Warn("Redis cannot be used: until it can, each process keeps to its share of the rate limits", "err", cut(err.Error()))
	}
}

// cut bounds what is logged of an error, whose text can be Redis's.
func cut(text string) string {
	const most = 300 // bytes
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// missed reports whether there may be turns of the last window that are not in
// the accounts, because some process took them while Redis was away. The last of
// them notices that it is back after the longest pause.
func (r *Redis) missed(window time.Duration, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.back.IsZero() && now.Before(r.back.Add(maxPause+window))
}
