package shared

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/ratelimit"
	"kb-mcp/ratelimit/shared/redistest"
)

func TestOpen(t *testing.T) {
	for _, good := range []string{
		"redis://localhost:6379", "redis://h", "rediss://user:canary@redis.example.com:6380/3", "redis://:canary@[::1]:6379",
		"unix:///run/redis.sock", "unix://user:canary@/run/redis.sock?db=2", "redis://h?pool_size=3",
	} {
		r, err := Open(good, nil, nil) // connects to nothing
		if err != nil {
			t.Errorf("%s: %v", good, err)
			continue
		}
		r.Close()
	}
	for _, bad := range []string{
		"", "canary", "redis://", "http://canary:6379", "redis://:canary@", "redis://canary:port", "redis://canary/many", "redis://canary?unknown=1", "redis://\x00canary",
	} {
		r, err := Open(bad, nil, nil)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v, %v", bad, r, err)
		}
	}
}

// TestRedisGoesAndComesBack: one line each, whatever the number of accounts, and
// no password in them.
func TestRedisGoesAndComesBack(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "canary")
	var log bytes.Buffer
	r := open(t, "redis://:canary@"+server.Addr, slog.New(slog.NewTextHandler(&log, nil)))
	var accounts []*account
	for _, name := range []string{"a", "b", "c"} {
		s := newAccount(r, name, must(t, "100/s").Terms())
		reserved(t, s)
		accounts = append(accounts, s)
	}
	if log.Len() > 0 {
		t.Errorf("while all is well it logs\n%s", &log)
	}
	for range 2 {
		log.Reset()
		server.Stop()
		for range 20 {
			for _, s := range accounts {
				if b, err := reserve(s, 0); !errors.Is(err, errAway) {
					t.Fatalf("without a server: %+v, %v", b, err)
				}
				s.GiveBack(ratelimit.Booking{ID: "x"})
				s.Pause(time.Second)
			}
		}
		server.Restart()
		r.probes.Wait()
		r.nextProbe = time.Now() // not after a pause
		accounts[0].GiveBack(ratelimit.Booking{ID: "x"})
		r.probes.Wait()
		for _, s := range accounts {
			reserved(t, s)
		}
		if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "WARN") || !strings.Contains(log.String(), "INFO") || strings.Contains(log.String(), "canary") {
			t.Errorf("%d lines, want one of each:\n%s", n, &log)
		}
	}
}

// TestRedisRestartedUnnoticed: a server that has forgotten the scripts and
// dropped the connections is no failure.
func TestRedisRestartedUnnoticed(t *testing.T) {
	server := redistest.Start(t)
	var log bytes.Buffer
	s := newAccount(open(t, server.URL(), slog.New(slog.NewTextHandler(&log, nil))), "a", must(t, "100/s").Terms())
	reserved(t, s)
	server.Restart()
	reserved(t, s)
	if log.Len() > 0 {
		t.Errorf("it logs\n%s", &log)
	}
}

func TestRedisThatRefuses(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "canary")
	s := newAccount(open(t, "redis://:canary-wrong@"+server.Addr, nil), "a", must(t, "100/s").Terms())
	if b, err := reserve(s, 0); !errors.Is(err, errAway) {
		t.Errorf("with a wrong password: %+v, %v", b, err)
	}
	if err := s.redis.Check(t.Context()); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("Check = %v", err)
	}
	good := open(t, "redis://:canary@"+server.Addr, nil)
	if err := good.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
}

// TestRedisOverTLS goes through a proxy that ends TLS, whose certificate only
// the given authorities know.
func TestRedisOverTLS(t *testing.T) {
	server, web := redistest.Start(t), httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(web.Close)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: web.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { l.Close() })
	wg.Go(func() {
		for in, err := l.Accept(); err == nil; in, err = l.Accept() {
			out, err := net.Dial("tcp", server.Addr)
			if err != nil {
				t.Error(err)
				return
			}
			wg.Go(func() { io.Copy(out, in); out.Close() })
			wg.Go(func() { io.Copy(in, out); in.Close() })
		}
	})
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	for _, known := range []*x509.CertPool{nil, roots} {
		r, err := Open("rediss://"+l.Addr().String(), known, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.answerTime = 10 * time.Second
		if err := r.Check(t.Context()); (err == nil) != (known != nil) {
			t.Errorf("authorities known %v: %v", known != nil, err)
		}
		r.Close()
	}
}

// TestRedisIsLeftAlone: while it is away it is looked for after 1, 2, 4 and then
// every 5 seconds, by one caller.
func TestRedisIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, began := &Redis{log: slog.New(slog.DiscardHandler)}, time.Now()
		if here, look := r.available(time.Now()); !here || look {
			t.Errorf("at first it is here %v, looked for %v", here, look)
		}
		var looks []time.Duration
		failed := errors.New("no answer")
		for r.note(time.Now(), failed); time.Since(began) < 20*time.Second; time.Sleep(100 * time.Millisecond) {
			for range 3 {
				here, look := r.available(time.Now())
				if here {
					t.Error("it is here")
				}
				if look {
					looks = append(looks, time.Since(began))
				}
				r.note(time.Now(), failed)
			}
		}
		if want := []time.Duration{1e9, 3e9, 7e9, 12e9, 17e9}; !slices.Equal(looks, want) {
			t.Errorf("looked for at %v, want %v", looks, want)
		}
		if r.note(time.Now(), nil); !r.missed(time.Minute, time.Now()) {
			t.Error("back, and nothing is missing of what others did")
		}
		if here, look := r.available(time.Now()); !here || look {
			t.Errorf("in the end it is here %v, looked for %v", here, look)
		}
		if time.Sleep(time.Minute + maxPause); r.missed(time.Minute, time.Now()) || !r.missed(time.Hour, time.Now()) {
			t.Error("what is missing lasts a window and the longest pause")
		}
	})
}
