package write

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"kb-mcp/vendors"
)

// Text is what a platform accepts for a name or a description.
type Text struct {
	Platform string // as people write it
	Most     int    // characters, or bytes with Bytes; 0 is any number
	Bytes    bool   // a Chinese character has 3
	Refused  string // characters that it must not hold, beside control characters
	Blank    bool   // it may be blank, and hold control characters
}

// Check refuses a value of arg that the platform would refuse, cut or change.
func (t Text) Check(arg, value string) error {
	if !t.Blank && strings.TrimSpace(value) == "" {
		return vendors.Errorf(vendors.InvalidArgument, "`%s` is blank.", arg)
	}
	size, unit := utf8.RuneCountInString(value), "characters"
	if t.Bytes {
		size, unit = len(value), "bytes"
	}
	switch {
	case t.Most > 0 && size > t.Most:
		e := vendors.Errorf(vendors.InvalidArgument, "`%s` has %d %s; %s accepts at most %d.", arg, size, unit, t.Platform, t.Most)
		if t.Bytes {
			e.Hint = "Give a shorter one; a Chinese character has 3 bytes."
		}
		return e
	case !t.Blank && strings.ContainsFunc(value, unicode.IsControl):
		return vendors.Errorf(vendors.InvalidArgument, "`%s` holds a control character.", arg)
	case t.Refused != "" && strings.ContainsAny(value, t.Refused):
		return vendors.Errorf(vendors.InvalidArgument, "`%s` holds a character that %s does not accept.", arg, t.Platform).
			WithHint(fmt.Sprintf("Leave out every one of %s", t.Refused))
	}
	return nil
}

// CheckSize refuses content that is larger than a platform accepts.
func CheckSize(platform string, size, most int64) error {
	if size <= most {
		return nil
	}
	return vendors.Errorf(vendors.InvalidArgument, "The content has %d bytes; %s accepts at most %d in one upload.", size, platform, most).
		WithHint("Split it into several documents.")
}
