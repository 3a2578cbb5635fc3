package ratelimit

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		in, out string
		terms   []Term
	}{
		{"off", "off", nil},
		{" OFF ", "off", nil},
		{"10/s", "10/s", []Term{{10, time.Second}}},
		{"1/sec", "1/s", []Term{{1, time.Second}}},
		{"2/secs", "2/s", []Term{{2, time.Second}}},
		{"1/Second", "1/s", []Term{{1, time.Second}}},
		{"10/SECONDS", "10/s", []Term{{10, time.Second}}},
		{"8/m", "8/min", []Term{{8, time.Minute}}},
		{"8/min", "8/min", []Term{{8, time.Minute}}},
		{"8/mins", "8/min", []Term{{8, time.Minute}}},
		{"8/minute", "8/min", []Term{{8, time.Minute}}},
		{"8/minutes", "8/min", []Term{{8, time.Minute}}},
		{"5/h", "5/hour", []Term{{5, time.Hour}}},
		{"5/hours", "5/hour", []Term{{5, time.Hour}}},
		{"3000/d", "3000/day", []Term{{3000, day}}},
		{"100000/days", "100000/day", []Term{{100000, day}}},
		{"\t007 / s ", "7/s", []Term{{7, time.Second}}},
		{"3000/day , 10/s", "10/s,3000/day", []Term{{10, time.Second}, {3000, day}}},
		{"4/d,3/h,2/m,1/s", "1/s,2/min,3/hour,4/day", []Term{{1, time.Second}, {2, time.Minute}, {3, time.Hour}, {4, day}}},
	} {
		r, err := Parse(tt.in)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.in, err)
			continue
		}
		if r.String() != tt.out || r.Off() != (tt.out == "off") {
			t.Errorf("Parse(%q) = %v, off %v; want %v", tt.in, r, r.Off(), tt.out)
		}
		if diff := cmp.Diff(tt.terms, r.Terms()); diff != "" {
			t.Errorf("Parse(%q): terms differ (-want +got):\n%s", tt.in, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for in, why := range map[string]string{
		"":                 "it is not a number, a slash and a unit",
		"10":               "it is not a number, a slash and a unit",
		"10/s,":            "it is not a number, a slash and a unit",
		"10/s,off":         "it is not a number, a slash and a unit",
		"/s":               "the number must be",
		"0/s":              "the number must be",
		"-1/s":             "the number must be",
		"+1/s":             "the number must be",
		"1.5/s":            "the number must be",
		"1_0/s":            "the number must be",
		"100001/s":         "the number must be",
		"9999999999999/s":  "the number must be",
		"10/":              "the unit must be",
		"10/2s":            "the unit must be",
		"10/s/s":           "the unit must be",
		"10/week":          "the unit must be",
		"10/s,5/second":    "a unit may occur only once",
		"10/s,3/d,20/days": "a unit may occur only once",
	} {
		r, err := Parse(in)
		if err == nil {
			t.Errorf("Parse(%q) = %v, want an error", in, r)
			continue
		}
		if got := err.Error(); !strings.Contains(got, why) || !strings.Contains(got, `"10/s", "8/min,3000/day" or "off"`) {
			t.Errorf("Parse(%q): %q lacks the reason %q or the allowed form", in, got, why)
		}
	}
}

func TestZeroRate(t *testing.T) {
	var r Rate
	if !r.Off() || r.String() != "off" {
		t.Errorf("the zero Rate is %v, off %v", r, r.Off())
	}
}

// FuzzParse: what is accepted comes back from its own text, unchanged.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"off", "10/s", "8/min, 3000/day", "1/S,2/Minutes,3/h", "0/s", "10/s,10/s", ",", "/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(r.String())
		if err != nil || again.String() != r.String() {
			t.Fatalf("Parse(%q) = %v, and again %v, %v", s, r, again, err)
		}
		if diff := cmp.Diff(r.Terms(), again.Terms()); diff != "" {
			t.Fatalf("Parse(%q): terms differ after a round trip:\n%s", s, diff)
		}
		for _, term := range r.Terms() {
			if term.N < 1 || term.N > maxN || term.Window <= 0 {
				t.Fatalf("Parse(%q) gave the term %v", s, term)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse("8/min,3000/day"); err != nil {
			b.Fatal(err)
		}
	}
}

// must parses a rate that a test wrote itself.
func must(tb testing.TB, s string) Rate {
	tb.Helper()
	r, err := Parse(s)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}
