package visible

import (
	"strings"
	"testing"
)

func TestVisible(t *testing.T) {
	tags := "\U000e0049\U000e0067\U000e006e\U000e007f"
	for in, want := range map[string]string{
		"":                                 "",
		"plain, 产品说明书, Grüße":              "plain, 产品说明书, Grüße",
		"a\nb\tc":                          "a\nb\tc",
		"a\r\nb\rc\u2028d\u2029e":          "a\nb\nc\nd\ne",
		"invoice\u202egnp.exe":             "invoicegnp.exe",
		"\u2066a\u2069\u200eb\u200f\u061c": "ab",
		"pass\u200bword\u2060\ufeff":       "password",
		"so\u00adft":                       "soft",
		"name" + tags:                      "name",
		"\x1b[31mred\x1b[0m\x00\x7f":       "[31mred[0m",
		"\u009b31mred\u0085":               "31mred",
		"ig\u200dno\u200cre":               "ignore",
		"产\u200d品":                         "产品",
		"می\u200cخواهم":                    "می\u200cخواهم", // Persian: I want
		"می\u200c\u200c\u200dخواهم":        "میخواهم",       // more than one joins nothing
		"می\u200c ":                        "می ",
		"क्\u200dष":                        "क्\u200dष", // Devanagari half form
		"ക്\u200d ":                        "ക്\u200d ", // Malayalam chillu at a word's end
		"👩\u200d👩\u200d👧":                  "👩\u200d👩\u200d👧",
		"👩🏽\u200d⚕\ufe0f":                  "👩🏽\u200d⚕\ufe0f",
		"❤\ufe0f\u200d🔥":                   "❤\ufe0f\u200d🔥",
		"1\ufe0f\u20e3 #\ufe0f":            "1\ufe0f\u20e3 #",
		"©\ufe0f ↔\ufe0f ☎\ufe0e":          "©\ufe0f ↔\ufe0f ☎\ufe0e",
		"a\ufe0fb\ufe01😀\U000e0101\ufe02":  "ab😀",
		"👍\u200d":                          "👍",
		"\u3164\uffa0\u115f\u034fx":        "x",
		"١\u0600":                          "١\u0600", // the Arabic number sign is seen
		"bad\xffbytes\u200b":               "bad\ufffdbytes",
	} {
		got := Text(in)
		if got != want {
			t.Errorf("%+q became %+q, want %+q", in, got, want)
		}
		if again := Text(got); again != got {
			t.Errorf("%+q became %+q at a second look", got, again)
		}
	}
	for in, want := range map[string]string{"a\nb\tc\u2028d\r\ne": "a b c d e", "x\u200b": "x", "两\u3000个": "两\u3000个"} {
		if got := Line(in); got != want {
			t.Errorf("%+q became %+q on one line, want %+q", in, got, want)
		}
	}
	for in, want := range map[string]bool{"a\r\nb": false, "a\tb": false, "a\u200bb": true, "👩\u200d👧": false} {
		if _, removed := Filter(in, false); removed != want {
			t.Errorf("%+q: something was removed: %v", in, removed)
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("می\u200cخواهم 👩\u200d👩 \u202e\x1b[1m\U000e0041")
	f.Fuzz(func(t *testing.T, s string) {
		got := Text(s)
		if again := Text(got); again != got {
			t.Fatalf("%+q, then %+q", got, again)
		}
		if strings.ContainsAny(got, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\x1b\u009b\ufeff") {
			t.Fatalf("%+q", got)
		}
	})
}

func BenchmarkVisible(b *testing.B) {
	s := strings.Repeat("产品说明书 (final) v2.pdf — très bien. ", 25)
	b.ReportAllocs()
	for b.Loop() {
		Text(s)
	}
}
