// Package faults tries every fault on every platform and tool: what a broken
// network, a broken platform and a hostile one make of an answer.
package faults

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

const faultTable = "../../../../testdata/faults.md"

// TestFaults tries every fault on every platform and question: the answer is
// right or a classified error, in time, without a credential, and nothing is
// left behind. What agents see is testdata/faults.md, which KB_UPDATE=1
// rewrites.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of faults, some of which take their time")
	}
	httptest.NewServer(nil).Close() // the first socket has descriptors of the runtime's own
	left, files := goleak.IgnoreCurrent(), openFiles(t)
	defer func(w io.Writer) { log.SetOutput(w) }(log.Writer())
	log.SetOutput(io.Discard)
	t.Run("table", func(t *testing.T) {
		l := newLab(t)
		faults := slices.Concat(l.securityFaults(), connectionFaults(), slowFaults(), sizeFaults(), bodyFaults(), nestedFaults(), l.statusFaults(), refusals(), laterFaults())
		l.tryAll(faults)
		work := make(chan bodies)
		go func() { // tryBodies ends after it
			defer close(work)
			l.cuts(work)
			l.fields(work)
		}()
		l.tryBodies(work)
		t.Logf("%d requests", l.requests.Load())
		if n := l.visits.Load(); n != 0 {
			t.Errorf("another host got %d requests", n)
		}
		l.compare(slices.Concat(faults, cutFaults(), fieldFaults()))
	})
	goleak.VerifyNone(t, left)
	if n := openFiles(t); n > files {
		t.Errorf("%d open files, %d before", n, files)
	}
}

// openFiles counts the process's descriptors; 0 where they cannot be counted.
func openFiles(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	return len(list)
}

// tryAll tries faults on every column and question, many at a time because most
// wait, but not so many that a busy machine takes longer than a platform may.
func (l *lab) tryAll(faults []mishap) {
	var wg sync.WaitGroup
	many, few := make(chan struct{}, 256), make(chan struct{}, 2)
	for _, f := range faults {
		places, questions := many, cmp.Or(f.questions, -1)
		if f.heavy {
			places, questions = few, 1
		}
		for _, c := range l.columns {
			if f.only != nil && !f.only(c.face) {
				continue
			}
			for i, o := range c.operations {
				if i == questions {
					break
				}
				if len(o.asked) <= f.from {
					continue
				}
				wg.Go(func() {
					places <- struct{}{}
					defer func() { <-places }()
					l.try(c, f, o)
				})
			}
		}
	}
	wg.Wait()
}

const tableHead = `# Faults

What an agent sees when something goes wrong between kb-mcp and a platform, over every question that the platform can
be asked: the kind of error, ` + "`internal`" + ` never; or the right answer; or a valid one, in the documented form and of what the
platform said instead. A fault that may pass was tried again before it was reported. Made by TestFaults in cmd/kb-mcp/internal/faults.
`

// compare holds what was seen against the committed table.
func (l *lab) compare(faults []mishap) {
	var b bytes.Buffer
	b.WriteString(tableHead)
	group := ""
	for _, f := range faults {
		if f.group != group {
			group = f.group
			fmt.Fprintf(&b, "\n## %s\n\n| |", group)
			for _, c := range l.columns {
				fmt.Fprintf(&b, " %s |", c.face)
			}
			fmt.Fprintf(&b, "\n|---|%s\n", strings.Repeat("---|", len(l.columns)))
		}
		fmt.Fprintf(&b, "| %s |", f.row)
		for _, c := range l.columns {
			fmt.Fprintf(&b, " %s |", l.cell(f.row, c.face))
		}
		b.WriteByte('\n')
	}
	if os.Getenv("KB_UPDATE") != "" {
		if err := os.WriteFile(faultTable, b.Bytes(), 0o644); err != nil {
			l.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(faultTable)
	if err != nil {
		l.t.Fatal(err)
	}
	if d := gocmp.Diff(string(want), b.String()); d != "" {
		l.t.Errorf("agents see other things (-want +got); if meant, KB_UPDATE=1:\n%s", d)
	}
}
