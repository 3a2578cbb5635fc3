package rest

import (
	"testing"
)

// FuzzSieve: a text that holds a word is caught, wherever the word stands.
func FuzzSieve(f *testing.F) {
	f.Add("dataset-abcdefgh", "secret", "some text before ", "and behind")
	f.Add("secret", "secret", "", "")
	f.Add("四字节的密钥", "abcdef", "x", "")
	f.Fuzz(func(t *testing.T, one, two, before, behind string) {
		if len(one) < minSecret || len(two) < minSecret {
			return
		}
		if len(one) < len(two) {
			one, two = two, one
		}
		s := sieveOf([]string{one, two})
		if !s.catches(before+one+behind) || !s.catches(before+two+behind) {
			t.Errorf("%q or %q is not caught between %q and %q", one, two, before, behind)
		}
	})
}
