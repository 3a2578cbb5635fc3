package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"time"
)

// line writes one line of the report.
func (b *bench) line(format string, args ...any) { fmt.Fprintf(b.stdout, format+"\n", args...) }

var modelName = regexp.MustCompile(`model name\s*:\s*(.+)`)

// machine says what was measured on.
func machine() string {
	model := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := modelName.FindSubmatch(info); m != nil {
			model = string(m[1])
		}
	}
	return fmt.Sprintf("Measured on %d cores (%s), %s, %s, everything on this one machine.\n",
		runtime.NumCPU(), model, runtime.GOOS, runtime.Version())
}

func (b *bench) tableHead() {
	b.line("| callers | over | server | calls/s | p50 | p99 | CPU per call | | peak memory | vendor requests per answer | new vendor connections per 1,000 calls |")
	b.line("|---:|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")
}

// tableRows writes a group; the CPU's ratio is to the reference over the same
// transport.
func (b *bench) tableRows(n int, list []*contestant) {
	reference := map[string]time.Duration{}
	for _, c := range list {
		if c.name == nameReference {
			reference[c.transport] = c.perCall()
		}
	}
	for _, c := range list {
		cpu, times, memory := "", "", ""
		if c.process != nil {
			cpu = fmt.Sprintf("%d µs", c.perCall().Microseconds())
			times = fmt.Sprintf("x %.2f", ratio(c.perCall(), reference[c.transport]))
			memory = fmt.Sprintf("%.0f MB", float64(c.peakMemory)/1e6)
		}
		calls := float64(c.calls)
		b.line("| %d | %s | %s | %.0f | %s | %s | %s | %s | %s | %.2f | %.1f |", n, c.transport, c.name,
			calls/c.wall.Seconds(), ms(median(c.p50)), ms(median(c.p99)), cpu, times, memory,
			float64(c.vendor.Requests)/calls, 1000*float64(c.vendor.Connections)/calls)
	}
}

// perCall is the server's processor time for one call.
func (c *contestant) perCall() time.Duration { return c.cpu / time.Duration(max(c.calls, 1)) }

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

// median of durations: of those of turns it leaves out what a slow moment of the
// machine did to one.
func median(list []time.Duration) time.Duration { return percentile(list, 0.5) }

func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }
