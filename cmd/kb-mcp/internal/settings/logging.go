package settings

import (
	"bytes"
	"io"
	"log/slog"
	"sync"
	"time"

	"kb-mcp/vendors/rest"
)

// NewLogger writes to w without secrets. When w is a [LogWriter] that has lost
// lines, the logger says so.
func NewLogger(s Settings, secrets *rest.Secrets, w io.Writer) *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(s.LogLevel)) != nil {
		level = slog.LevelInfo // reported as a problem
	}
	clean := cleanWriter{secrets: secrets, w: w}
	options := &slog.HandlerOptions{Level: level}
	log := slog.New(slog.NewTextHandler(clean, options))
	if s.LogFormat == "json" {
		log = slog.New(slog.NewJSONHandler(clean, options))
	}
	if lw, ok := w.(*LogWriter); ok {
		lw.onLoss(func(lines int) {
			log.Warn("log lines were lost, because nobody read them in time", "lines", lines)
		})
	}
	return log
}

// cleanWriter takes secrets out of log lines; slog writes a line at a time.
type cleanWriter struct {
	secrets *rest.Secrets
	w       io.Writer
}

// Write implements io.Writer.
func (c cleanWriter) Write(p []byte) (int, error) {
	// Clean would check a line end inside the text, as it may split a secret.
	line := string(bytes.TrimSuffix(p, []byte("\n")))
	if _, err := io.WriteString(c.w, c.secrets.Clean(rest.Unsigned(line))+"\n"); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Bounds of a [LogWriter].
const (
	logBytes = 1 << 20                // that wait to be read
	logFlush = 300 * time.Millisecond // for the last lines, at the end
)

// LogWriter passes lines on and never blocks its callers: a client that does
// not read our stderr would otherwise hold up every call, and the end of the
// process. What does not fit is lost and counted.
type LogWriter struct {
	w io.Writer

	mu     sync.Mutex
	lines  [][]byte
	bytes  int
	lost   int
	closed bool
	report func(lines int)
	wake   chan struct{} // has a token when there is something to do
	done   chan struct{}
}

// NewLogWriter starts the writing to w.
func NewLogWriter(w io.Writer) *LogWriter {
	l := &LogWriter{w: w, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.pass() // ends with Close
	return l
}

// onLoss sets what is called with the number of lost lines once there is room.
func (l *LogWriter) onLoss(report func(lines int)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report = report
}

// Write implements io.Writer; it never fails.
func (l *LogWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bytes+len(p) > logBytes || l.closed {
		l.lost++
		return len(p), nil
	}
	l.lines = append(l.lines, bytes.Clone(p))
	l.bytes += len(p)
	l.signal()
	return len(p), nil
}

func (l *LogWriter) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// pass writes the lines, as fast as they are read.
func (l *LogWriter) pass() {
	defer close(l.done)
	for range l.wake {
		for line := l.next(); line != nil; line = l.next() {
			_, _ = l.w.Write(line) // there is nowhere to report an error
		}
		l.mu.Lock()
		lost, report, closed := l.lost, l.report, l.closed
		if report != nil {
			l.lost = 0
		}
		l.mu.Unlock()
		if lost > 0 && report != nil && !closed {
			report(lost)
		}
		if closed {
			return
		}
	}
}

// next removes and returns a line, nil when none waits.
func (l *LogWriter) next() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == 0 {
		l.lines = nil
		return nil
	}
	line := l.lines[0]
	l.lines[0] = nil
	l.lines = l.lines[1:]
	l.bytes -= len(line)
	return line
}

// Close accepts no more lines, and gives those that wait a moment to be read.
func (l *LogWriter) Close() {
	l.mu.Lock()
	l.closed = true
	l.signal()
	l.mu.Unlock()
	select {
	case <-l.done:
	case <-time.After(logFlush):
	}
}
