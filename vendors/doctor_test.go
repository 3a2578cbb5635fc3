package vendors

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	const date = "Sun, 22 Nov 2026 10:00:00 GMT"
	platform := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		date  string
		skew  time.Duration
		limit time.Duration
		want  Health // "" for no finding
	}{
		{name: "agree", date: date, skew: 2 * time.Second, limit: 15 * time.Minute, want: Healthy},
		{name: "noticeable to a signature", date: date, skew: 2 * time.Minute, limit: 15 * time.Minute, want: Doubtful},
		{name: "too far ahead", date: date, skew: 16 * time.Minute, limit: 15 * time.Minute, want: Broken},
		{name: "too far behind", date: date, skew: -15 * time.Minute, limit: 15 * time.Minute, want: Broken},
		{name: "nothing signed", date: date, skew: 2 * time.Minute, want: Healthy},
		{name: "nothing signed, odd", date: date, skew: -time.Hour, want: Doubtful},
		{name: "no date", want: ""},
		{name: "no date that one can read", date: "yesterday", want: ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Clock(tt.date, platform.Add(tt.skew), tt.limit)
			switch {
			case tt.want == "" && len(got) == 0:
			case len(got) != 1 || got[0].Status != tt.want || (got[0].Hint == "") != (tt.want == Healthy):
				t.Errorf("%+v, want %q", got, tt.want)
			}
		})
	}
}
