package shared

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeRedis answers every command by a function of the test; with "" it does not answer.
func fakeRedis(tb testing.TB, answer func(command []string) string) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	open, closed := map[net.Conn]bool{}, false
	tb.Cleanup(func() {
		l.Close()
		mu.Lock()
		closed = true
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	wg.Go(func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			mu.Lock()
			if open[c] = true; closed {
				c.Close()
			}
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for command := readCommand(in); command != nil; command = readCommand(in) {
					if _, err := io.WriteString(c, answer(command)); err != nil {
						return
					}
				}
			})
		}
	})
	return l.Addr().String()
}

// readCommand reads a list of strings; nil at the end.
func readCommand(in *bufio.Reader) []string {
	number := func(kind byte) int {
		line, err := in.ReadString('\n')
		if err != nil || line[0] != kind {
			return -1
		}
		n, err := strconv.Atoi(strings.TrimSpace(line[1:]))
		if err != nil {
			return -1
		}
		return n
	}
	var command []string
	for range number('*') {
		b := make([]byte, number('$')+2)
		if _, err := io.ReadFull(in, b); err != nil {
			return nil
		}
		command = append(command, string(b[:len(b)-2]))
	}
	return command
}

func script(command []string) bool { return strings.HasPrefix(strings.ToUpper(command[0]), "EVAL") }

// impossible are answers that the scripts cannot give.
func impossible() map[string]string {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(random.IntN(256))
	}
	return map[string]string{
		"silence": "", "empty list": "*0\r\n", "short list": "*1\r\n:1\r\n", "long list": "*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
		"number": ":1\r\n", "nothing": "$-1\r\n", "no list": "*-1\r\n", "status": "+OK\r\n", "blank": "\r\n", "lines": "\n\n\n",
		"words": "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n", "lists": "*3\r\n*0\r\n*0\r\n*0\r\n", "half": "*3\r\n:1\r\n:",
		"endless wait":    "*3\r\n:1\r\n:9223372036854775807\r\n:1\r\n",
		"wait before now": "*3\r\n:1\r\n:-9223372036854775808\r\n:1\r\n",
		"later than said": "*3\r\n:1\r\n:3600000000\r\n:1\r\n",
		"no such number":  "*3\r\n:7\r\n:0\r\n:1\r\n", "too large": "*3\r\n:1\r\n:99999999999999999999999999\r\n:1\r\n",
		"no process": "*3\r\n:1\r\n:0\r\n:0\r\n", "all processes": "*3\r\n:1\r\n:0\r\n:9223372036854775807\r\n",
		"error": "-ERR no\r\n", "bare error": "-\r\n", "no script": "-NOSCRIPT No matching script\r\n", "moved": "-MOVED\r\n",
		"moved away": "-MOVED 1 127.0.0.1:1\r\n", "loading": "-LOADING\r\n", "long error": "-" + strings.Repeat("x", 60_000) + "\r\n",
		"huge string": "$2147483647\r\n", "huge list": "*2147483647\r\n", "impossible list": "*99999999999999999999\r\n",
		"huge lists": strings.Repeat("*1000000\r\n", 6000), "deep": strings.Repeat("*1\r\n", 2_000_000),
		"endless line": "+" + strings.Repeat("a", 20<<20), "endless list": "*60\r\n" + strings.Repeat("$1000\r\n"+strings.Repeat("b", 1000)+"\r\n", 20_000),
		"map of lists": "%1\r\n*1\r\n:1\r\n:1\r\n", "push": strings.Repeat(">2\r\n+invalidate\r\n:1\r\n", 100_000), "attribute": "|1\r\n*0\r\n:1\r\n:1\r\n",
		"huge error": "!2147483647\r\n", "verbatim": "=1\r\na\r\n", "big": "(" + strings.Repeat("9", 60_000) + "\r\n", "float": ",nan\r\n", "bool": "#x\r\n",
		"two": strings.Repeat("*3\r\n:1\r\n:0\r\n:1\r\n", 2), "noise": string(noise), "HTTP": "HTTP/1.1 400 Bad Request\r\n\r\n",
	}
}

// TestHostileRedis: whatever a Redis answers, to everything or only to scripts,
// each caller gets a turn by the process's own account, nobody is left in the
// queue, and no answer takes more memory than it has bytes.
func TestHostileRedis(t *testing.T) {
	for name, answer := range impossible() {
		for _, polite := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, polite %v", name, polite), func(t *testing.T) {
				address := fakeRedis(t, func(command []string) string {
					if polite && !script(command) {
						return "-ERR unknown command\r\n" // the greeting: an old server
					}
					return answer
				})
				abused(t, address, "1000/s")
			})
		}
	}
}

// TestHostileRedisPart: the turn is booked as it should, and later answers
// about it are impossible.
func TestHostileRedisPart(t *testing.T) {
	for name, answer := range impossible() {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			n := 0
			abused(t, fakeRedis(t, func(command []string) string {
				mu.Lock()
				defer mu.Unlock()
				if !script(command) {
					return "-ERR unknown command\r\n"
				}
				if n++; n%3 != 0 {
					return "*3\r\n:1\r\n:1000\r\n:2\r\n"
				}
				return answer
			}), "1000/s,100000/min")
		})
	}
}

// TestSlowRedis: an answer that comes byte by byte is waited for once.
func TestSlowRedis(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	done := make(chan struct{})
	t.Cleanup(func() { close(done); l.Close(); wg.Wait() })
	wg.Go(func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			wg.Go(func() {
				defer c.Close()
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for i := 0; ; i++ {
					select {
					case <-done:
						return
					case <-tick.C:
					}
					if _, err := c.Write([]byte{"*3\r\n"[min(i, 1)]}); err != nil {
						return
					}
				}
			})
		}
	})
	abused(t, l.Addr().String(), "1000/s")
}

// abused uses a limiter that shares its rate through the Redis at an address.
func abused(t *testing.T, address, rate string) {
	t.Helper()
	var log bytes.Buffer
	r, err := Open("redis://"+address, nil, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.answerTime = 100 * time.Millisecond
	l := NewLimiter(r, "a", must(t, rate))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 4 {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				turn, err := l.Take(ctx)
				cancel()
				switch {
				case err != nil:
					t.Errorf("Take = %v", err)
				case i%2 == 0:
					turn.GiveBack()
				default:
					turn.Send()
					turn.Done(true)
				}
			}
			l.Pause(time.Microsecond)
		})
	}
	wg.Wait()
	_ = r.Check(t.Context())
	runtime.ReadMemStats(&after)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("16 calls took %v", took)
	}
	if n := takes(t, l, 1); n != 1 { // behind one that is left in the queue, nobody gets a turn
		t.Error("nobody gets a turn any more")
	}
	if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 100 {
		t.Errorf("%d MB were allocated", grown)
	}
	for line := range strings.Lines(log.String()) {
		if len(line) > 1000 {
			t.Errorf("a log line of %d bytes", len(line))
		}
	}
}

// TestAnswers: answers pass as they came, in whatever pieces.
func TestAnswers(t *testing.T) {
	const good = "*3\r\n:1\r\n:-5\r\n:1\r\n$-1\r\n*-1\r\n$5\r\na\r\n*9\r\n+OK\r\n-ERR *99999\r\n*0\r\n$0\r\n\r\n"
	for size := 1; size < len(good); size++ {
		a := &boundedConn{left: maxAnswer}
		for at := 0; at < len(good); at += size {
			if piece := good[at:min(at+size, len(good))]; !a.fits([]byte(piece)) {
				t.Errorf("in pieces of %d: stops at %q", size, piece)
			}
		}
		if a.header != 0 || a.skip != 0 {
			t.Errorf("in pieces of %d: waits for more", size)
		}
	}
}
