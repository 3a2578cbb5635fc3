package settings

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/sandbox"
)

// A log that nobody reads holds nobody up; what is lost is counted, and told
// when there is room.
func TestLogNeverBlocks(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	lw := NewLogWriter(w)
	log := NewLogger(Settings{LogLevel: "info", LogFormat: "json"}, &rest.Secrets{}, lw)
	const lines = 20_000
	text := strings.Repeat("x", 200)
	for i := range lines { // 4 MB; a pipe holds 64 kB
		log.Info(text, "line", i)
	}
	told, read := make(chan struct{}), make(chan string)
	go func() {
		var all strings.Builder
		for lines := bufio.NewReader(r); ; {
			line, err := lines.ReadString('\n')
			if all.WriteString(line); err != nil {
				break
			}
			if strings.Contains(line, `"lines":`) {
				close(told)
			}
		}
		read <- all.String()
	}()
	select {
	case <-told:
	case <-time.After(20 * time.Second):
	}
	log.Info("the last")
	lw.Close()
	w.Close()
	out := <-read
	var lost int
	if i := strings.Index(out, `"lines":`); i < 0 {
		t.Fatalf("nothing says that lines were lost; the end is %.300q", out[max(0, len(out)-300):])
	} else if _, err := fmt.Sscanf(out[i:], `"lines":%d`, &lost); err != nil {
		t.Fatal(err)
	}
	if kept := strings.Count(out, text); kept+lost != lines || lost == 0 {
		t.Errorf("%d lines are there and %d lost, of %d", kept, lost, lines)
	}
	if !strings.HasSuffix(out, "\"the last\"}\n") {
		t.Errorf("the end is %.300q", out[max(0, len(out)-300):])
	}
}

// Closing waits for a reader a moment, not longer.
func TestLogCloses(t *testing.T) {
	r, w := io.Pipe() // which nobody reads
	defer r.Close()
	lw := NewLogWriter(w)
	fmt.Fprintln(lw, "a line")
	began := time.Now()
	lw.Close()
	if took := time.Since(began); took > 10*logFlush {
		t.Errorf("%v", took)
	}
	fmt.Fprintln(lw, "after the end")
}

func TestSignaturesStayOutOfTheLog(t *testing.T) {
	var b strings.Builder
	conf, err := Open(sandbox.Variables("http://127.0.0.1:1", sandbox.FaceVolcengine), &b, "0.0.0")
	if err != nil {
		t.Fatal(err)
	}
	conf.Log.Warn("odd", "cause", fmt.Errorf("missing colon: %q", "HMAC-SHA256 Credential=AK/1/air, SignedHeaders=host;x-date, Signature=0123456789abcdef"))
	if line := b.String(); strings.Contains(line, "0123456789abcdef") || strings.Contains(line, "AK/1") || !strings.Contains(line, "missing colon") {
		t.Error(line)
	}
}
