// Package nearest finds the name that a misspelt one was meant to be: of an
// argument, a tool, a command, a variable.
package nearest

import "strings"

// Of gives the one of known that given most likely means, or "" when none is
// near. Case, separators and camel case make no difference; of equally near
// ones the first wins.
func Of(given string, known []string) string {
	want := squash(given)
	best, distance := "", reach(len(want))+1
	for _, name := range known {
		if d := edits(want, squash(name)); d < distance {
			best, distance = name, d
		}
	}
	return best
}

// longest is how much of a name is compared: names of ours are shorter, and
// what is given may be anything.
const longest = 64

// reach is how many edits apart two names may be: a third of a short one is
// another word.
func reach(n int) int {
	switch {
	case n < 3:
		return 0
	case n < 6:
		return 1
	case n < 10:
		return 2
	}
	return 3
}

// squash is a name's letters and digits in lower case.
func squash(s string) string {
	s = s[:min(len(s), longest)]
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, s)
}

// edits counts the insertions, deletions, replacements and swaps of neighbours
// that lead from a to b.
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// Is reports whether given is one of names, whatever its case and separators.
func Is(given string, names []string) bool {
	want := squash(given)
	for _, name := range names {
		if want != "" && squash(name) == want {
			return true
		}
	}
	return false
}
