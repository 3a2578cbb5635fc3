package ratelimit

import (
	"context"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// patience is how long Redis may take for one answer, with connecting. Only
	// the first of a queue waits so long, and once: a false alarm, in a process
	// that got no processor for a while, costs more.
	patience = time.Second
	// A Redis that failed is looked for after firstPause, and then after twice
	// as long each time.
	firstPause, maxPause = time.Second, 5 * time.Second
)

// Redis is the server in which processes keep their accounts together. It is
// connected to when it is first needed. While it is away, accounts say so at
// once, and it is looked for from time to time.
//
// The client stands in functions only. Where the linker sees it reach an
// interface, through redis.Script or a field of something that is one, it keeps
// the methods of all commands: 3 MB of the binary.
type Redis struct {
	eval     func(ctx context.Context, s script, keys []string, args []any) ([]int64, error)
	close    func() error
	log      *slog.Logger
	patience time.Duration

	mu    sync.Mutex
	pause time.Duration // 0 while it can be used
	look  time.Time     // when it is away: not looked for before
	back  time.Time     // when it came back; zero when it was never away
	looks sync.WaitGroup
}

// OpenRedis makes the client of a server by its URL: redis, rediss or unix.
// roots are the authorities trusted by rediss, nil the system's. Errors never
// hold the URL, in which a password may stand.
func OpenRedis(address string, roots *x509.CertPool, log *slog.Logger) (*Redis, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "unix" && u.Host == "" {
		return nil, errRedisURL
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, errRedisURL
	}
	o.MaxRetries = -1 // a repeated reservation could book twice, and would take twice as long
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = patience, -1, -1
	o.ContextTimeoutEnabled = true // see run
	o.DisableIdentity = true       // CLIENT SETINFO: a trip more, that some users may not make
	if o.TLSConfig != nil {
		o.TLSConfig.RootCAs = roots
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := redis.NewClient(o)
	return &Redis{eval: evaluator(c), close: func() error { return c.Close() }, log: log, patience: patience}, nil
}

var errRedisURL = errors.New("must be redis://host:port, rediss://host:port or unix:///path")

// Close ends the connections.
func (r *Redis) Close() error {
	err := r.close()
	r.looks.Wait()
	return err
}

// errAway says that Redis cannot be used now.
var errAway = errors.New("the shared account is away")

// script is a Lua program, which Redis remembers by its hash.
type script struct{ source, hash string }

func newScript(source string) script {
	sum := sha1.Sum([]byte(source))
	return script{source, hex.EncodeToString(sum[:])}
}

// call runs a script, or says errAway. A caller that leaves does not stop it:
// else nobody would know whether its turn was booked.
func (r *Redis) call(ctx context.Context, s script, keys []string, args ...any) ([]int64, error) {
	here, look := r.state(time.Now())
	if look {
		r.looks.Go(func() { // ends within patience
			r.heard(time.Now(), r.Check(context.Background()))
		})
	}
	if !here {
		return nil, errAway
	}
	answer, err := r.run(ctx, s, keys, args)
	r.heard(time.Now(), err)
	if err != nil {
		return nil, errAway
	}
	return answer, nil
}

// run asks Redis whatever happened before.
func (r *Redis) run(ctx context.Context, s script, keys []string, args []any) ([]int64, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.patience)
	defer cancel()
	return r.eval(ctx, s, keys, args)
}

// evaluator runs scripts by their hash, in one trip.
func evaluator(c *redis.Client) func(context.Context, script, []string, []any) ([]int64, error) {
	return func(ctx context.Context, s script, keys []string, args []any) ([]int64, error) {
		answer, err := c.EvalSha(ctx, s.hash, keys, args...).Int64Slice()
		if redis.HasErrorPrefix(err, "NOSCRIPT") { // a new server, or a restarted one
			answer, err = c.Eval(ctx, s.source, keys, args...).Int64Slice()
		}
		return answer, err
	}
}

// state reports whether Redis can be used, and else whether the caller is the
// one to look whether it is back.
func (r *Redis) state(now time.Time) (here, look bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pause == 0 {
		return true, false
	}
	if now.Before(r.look) {
		return false, false
	}
	r.pause = min(2*r.pause, maxPause)
	r.look = now.Add(r.pause)
	return false, true
}

// heard notes how asking went, and logs when that is news.
func (r *Redis) heard(now time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil && r.pause > 0:
		r.pause, r.back = 0, now
		r.log.Info("Redis can be used again: rate limits are shared between processes")
	case err != nil && r.pause == 0:
		r.pause, r.look = firstPause, now.Add(firstPause)
		r.log.Warn("Redis cannot be used: until it can, each process keeps to its share of the rate limits", "err", err)
	}
}

// missed reports whether there may be turns of the last window that are not in
// the accounts, because some process took them while Redis was away. The last of
// them notices that it is back after the longest pause.
func (r *Redis) missed(window time.Duration, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.back.IsZero() && now.Before(r.back.Add(maxPause+window))
}

// Check uses Redis as accounts do, and says what is wrong.
func (r *Redis) Check(ctx context.Context) error {
	s := NewShared(r, "check", Rate{terms: []Term{{N: 1, Window: time.Second}}})
	keys, args := s.reservation("", 0)
	if _, err := r.run(ctx, reserveScript, keys, args); err != nil {
		return err
	}
	_, err := r.run(ctx, giveBackScript, s.turns, args[:1])
	return err
}
