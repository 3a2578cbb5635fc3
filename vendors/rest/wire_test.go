package rest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

// wire holds every type that reads what platforms write in several ways.
type wire struct {
	ID      ID   `json:"id"`
	Str     Str  `json:"str"`
	Num     Num  `json:"num"`
	Flag    Flag `json:"flag"`
	IDs     []ID `json:"ids"`
	Named   map[string]Num
	Pointer *Num `json:"pointer"`
}

func TestWire(t *testing.T) {
	for _, tt := range []struct {
		in   string
		id   ID
		str  Str
		num  string // "" for not valid
		flag string
	}{
		{in: `null`},
		{in: `""`},
		{in: `"7"`, id: "7", str: "7", num: "7 7"},
		{in: `7`, id: "7", str: "7", num: "7 7"},
		{in: `0`, id: "0", str: "0", num: "0 0", flag: "false"},
		{in: `1`, id: "1", str: "1", num: "1 1", flag: "true"},
		{in: `"1"`, id: "1", str: "1", num: "1 1", flag: "true"},
		{in: `"0"`, id: "0", str: "0", num: "0 0", flag: "false"},
		{in: `true`, str: "true", flag: "true"},
		{in: `"true"`, id: "true", str: "true", flag: "true"},
		{in: `false`, str: "false", flag: "false"},
		{in: `-1`, id: "-1", str: "-1", num: "-1 -1"},
		{in: `7343523134532321284`, id: "7343523134532321284", str: "7343523134532321284", num: "7343523134532321284 7.343523134532321e+18"},
		{in: `9223372036854775807`, id: "9223372036854775807", str: "9223372036854775807", num: "9223372036854775807 9.223372036854776e+18"},
		{in: `12345678901234567890`, id: "12345678901234567890", str: "12345678901234567890"},
		{in: `1.5`, id: "1.5", str: "1.5", num: "1 1.5"},
		{in: `"99.99"`, id: "99.99", str: "99.99", num: "99 99.99"},
		{in: `1e3`, id: "1e3", str: "1e3", num: "1000 1000"},
		{in: `1e400`, id: "1e400", str: "1e400"},
		{in: `"NaN"`, id: "NaN", str: "NaN"},
		{in: `"Infinity"`, id: "Infinity", str: "Infinity"},
		{in: `" 12 "`, id: " 12 ", str: " 12 ", num: "12 12"},
		{in: `"12 kB"`, id: "12 kB", str: "12 kB"},
		{in: `"中文"`, id: "中文", str: "中文"},
		{in: `"\u4e2d\n\""`, id: "中\n\"", str: "中\n\""},
		{in: `{}`}, {in: `[]`}, {in: `[1]`}, {in: `{"id":1}`},
	} {
		t.Run(tt.in, func(t *testing.T) {
			got := wire{ID: "old", Str: "old", Num: Num{Valid: true, Int: 9}, Flag: Flag{Set: true, Valid: true}}
			text := fmt.Sprintf(`{"id":%[1]s,"str":%[1]s,"num":%[1]s,"flag":%[1]s,"ids":[%[1]s],"Named":{"a":%[1]s},"pointer":%[1]s}`, tt.in)
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			if got.ID != tt.id || got.Str != tt.str || len(got.IDs) != 1 || got.IDs[0] != tt.id {
				t.Errorf("ID %q, Str %q, want %q and %q", got.ID, got.Str, tt.id, tt.str)
			}
			num := ""
			if got.Num.Valid {
				num = fmt.Sprint(got.Num.Int, " ", got.Num.Float)
			}
			if num != tt.num || got.Named["a"] != got.Num || got.Pointer != nil && *got.Pointer != got.Num {
				t.Errorf("Num %q, want %q", num, tt.num)
			}
			flag := ""
			if p := got.Flag.Ptr(); p != nil {
				flag = fmt.Sprint(*p)
			}
			if flag != tt.flag {
				t.Errorf("Flag %q, want %q", flag, tt.flag)
			}
		})
	}
}

func TestWireAbsent(t *testing.T) {
	var got wire
	if err := json.Unmarshal([]byte(`{}`), &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != "" || got.Str != "" || got.Num.Ptr() != nil || got.Flag.Ptr() != nil {
		t.Errorf("got %+v", got)
	}
	if json.Unmarshal([]byte(`{"id":"\x"}`), &got) == nil {
		t.Error("malformed JSON was accepted")
	}
}

func TestNum(t *testing.T) {
	show := func(p *int64) string {
		if p == nil {
			return "-"
		}
		return fmt.Sprint(*p)
	}
	for n, want := range map[Num]string{
		{}:                     "- - -",
		{Int: -1, Valid: true}: "-1 - -",
		{Int: 0, Valid: true}:  "0 0 -",
		{Int: 5, Valid: true}:  "5 5 5",
	} {
		if got := show(n.Ptr()) + " " + show(n.Count()) + " " + show(n.Positive()); got != want {
			t.Errorf("%+v: Ptr, Count, Positive = %s, want %s", n, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]int{
		0: 0, 1: 100, 0.5: 50, 0.29: 29, 0.57: 57, 0.999: 99, 0.9999999: 99, 1e-9: 0, -1: 0, 2: 100,
		math.Inf(1): 100, math.Inf(-1): 0, 0.1 + 0.2: 30,
	} {
		if got := Percent(share); got == nil || *got != want {
			t.Errorf("Percent(%v) = %v, want %d", share, got, want)
		}
	}
	if got := Percent(math.NaN()); got != nil {
		t.Errorf("Percent(NaN) = %d", *got)
	}
}

func TestSuffix(t *testing.T) {
	for name, want := range map[string]string{
		"a.pdf": "pdf", "A.PDF": "pdf", "a.b.docx": "docx", ".gitignore": "", "a": "", "": "", "a.": "",
		"报告.xlsx": "xlsx", "版本 2.0 报告": "", "a.markdown": "markdown", "a.properties": "properties", "a.longsuffixes": "", "a.p df": "",
		"a.mp4": "mp4", "https://h/a.pdf?x": "", "x.7z": "7z", "a.文件": "",
	} {
		if got := Suffix(name); got != want {
			t.Errorf("Suffix(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "0": 0, "5": 5 * time.Second, "0.25": 250 * time.Millisecond, "-1": 0, "soon": 0, "NaN": 0, "+Inf": 0, "1e300": 0,
		"3600": time.Hour, "3601": time.Hour, "999999999": time.Hour,
		now.Add(90 * time.Second).Format(http.TimeFormat):                  90 * time.Second,
		now.Add(-time.Minute).Format(http.TimeFormat):                      0,
		now.AddDate(100, 0, 0).Format(http.TimeFormat):                     time.Hour,
		now.Add(time.Minute).Format("Monday, 02-Jan-06 15:04:05") + " GMT": time.Minute,
	} {
		if got := retryAfter(http.Header{"Retry-After": {v}}, now); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", v, got, want)
		}
	}
}

// FuzzRetryAfter: whatever the header says, the wait is none or bounded.
func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, s := range []string{"", "1", "-1", "0.5", "1e9", "9223372036854775808", "soon", " 7 ", now.Add(time.Minute).Format(http.TimeFormat), "Sunday, 06-Nov-94 08:49:37 GMT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d := retryAfter(http.Header{"Retry-After": {s}}, now); d < 0 || d > maxRetryAfter {
			t.Errorf("retryAfter(%q) = %v", s, d)
		}
	})
}

// FuzzWire: whatever value a platform puts into a field, the other fields of
// the document are read.
func FuzzWire(f *testing.F) {
	for _, s := range []string{`1`, `"a"`, `null`, `true`, `{}`, `[]`, `-0`, `1e999`, `"\ud800"`, `"0x1p-2"`, `"""`, ``, `{"id":{"id":1}}`, `" "`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var bare wire
		json.Unmarshal(data, &bare) // must not panic
		text := strings.ReplaceAll(`{"id":@,"str":@,"num":@,"flag":@,"ids":[@],"Named":{"":@},"pointer":@}`, "@", string(data))
		var w wire
		err := json.Unmarshal([]byte(text), &w)
		if json.Valid(data) && err != nil && len(data) < 5000 { // beyond, nesting has a bound
			t.Fatalf("%s: %v", data, err)
		}
		if n := w.Num; math.IsNaN(n.Float) || math.IsInf(n.Float, 0) || !n.Valid && n != (Num{}) {
			t.Errorf("%s: Num %+v", data, n)
		}
		if c := w.Num.Count(); c != nil && *c < 0 {
			t.Errorf("%s: Count %d", data, *c)
		}
		if p := Percent(w.Num.Float); p == nil || *p < 0 || *p > 100 {
			t.Errorf("%s: Percent %v", data, p)
		}
		if s := Suffix(string(data)); strings.ContainsAny(s, ". /?") || len(s) > 10 {
			t.Errorf("Suffix(%q) = %q", data, s)
		}
	})
}
