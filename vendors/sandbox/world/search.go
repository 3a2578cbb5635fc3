package world

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Hit is one chunk that a search found.
type Hit struct {
	Document *Document
	Number   int // the number of the chunk in its document
	Text     string
	Score    float64 // 0..1: the share of the query's terms that the chunk holds
}

// Search finds the chunks of a knowledge base that hold a term of the query,
// best first and then newest first. Only what is completed and switched on is
// searched.
func (s *Side) Search(kb, query string) []Hit {
	docs := s.Documents(kb)
	want := Terms(query)
	var hits []Hit
	for d := range docs.All() {
		if d.Disabled || d.Archived || s.State(d).Phase != Completed {
			continue
		}
		for _, c := range d.Parts() {
			if found := holds(strings.ToLower(c.Text), want); found > 0 && !c.Disabled {
				hits = append(hits, Hit{d, c.Number, c.Text, float64(found) / float64(len(want))})
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	return hits
}

// holds says how many of the terms text holds.
func holds(text string, terms []string) int {
	n := 0
	for _, t := range terms {
		if strings.Contains(text, t) {
			n++
		}
	}
	return n
}

// Terms cuts a query into words in lower case; a run of Chinese characters,
// which has no spaces, into its pairs of neighbours.
func Terms(query string) []string {
	var out []string
	words := strings.FieldsFunc(strings.ToLower(query), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for _, w := range words {
		run := []rune(w)
		if len(run) < 3 || !unicode.Is(unicode.Han, run[0]) {
			out = append(out, w)
			continue
		}
		for i := range len(run) - 1 {
			out = append(out, string(run[i:i+2]))
		}
	}
	return out
}
