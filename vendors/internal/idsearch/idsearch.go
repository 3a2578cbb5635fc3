// Package idsearch finds documents of given ids in whatever a platform shows of
// a knowledge base.
package idsearch

import (
	"slices"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
)

// Search collects documents of given ids as they come in. It is not safe for
// concurrent use.
type Search struct {
	fold  func(string) string
	open  map[string]string // folded ids that are not found yet, to the caller's
	ids   []string
	out   vendors.Report
	blind bool // a row had no id
}

// New begins a search for ids, which are unique. fold maps ids that the
// platform treats as the same to one text; nil if there are none.
func New(ids []string, fold func(string) string) *Search {
	if fold == nil {
		fold = func(id string) string { return id }
	}
	s := &Search{fold: fold, open: make(map[string]string, len(ids)), ids: ids}
	for _, id := range ids {
		s.open[fold(id)] = id
	}
	return s
}

// Add keeps the wanted ones of docs, under the caller's ids, and reports
// whether nothing is left to find.
func (s *Search) Add(docs ...vendors.Document) (enough bool) {
	for _, d := range docs {
		key := s.fold(d.DocumentID)
		if id, wanted := s.open[key]; wanted {
			delete(s.open, key)
			d.DocumentID = id
			s.out.Documents = append(s.out.Documents, d)
		}
		s.blind = s.blind || d.DocumentID == ""
	}
	return len(s.open) == 0
}

// AddPage is Add for a page of a listing.
func (s *Search) AddPage(p vendors.Page[vendors.Document]) (enough bool) {
	s.blind = s.blind || p.Blind
	return s.Add(p.Items...)
}

// Each reads every document that is left by itself, until an error. An error
// that absent recognizes means that the document does not exist.
func (s *Search) Each(read func(id string) (vendors.Document, error), absent func(error) bool) error {
	for _, id := range s.Left() {
		d, err := read(id)
		switch {
		case err == nil:
			d.DocumentID = id
			s.Add(d)
		case absent(err):
			delete(s.open, s.fold(id))
			s.out.Missing = append(s.out.Missing, id)
		default:
			return err
		}
	}
	return nil
}

// Open is how many documents are left to find.
func (s *Search) Open() int { return len(s.open) }

// Left returns the ids that are left to find, in the caller's order.
func (s *Search) Left() []string {
	return slices.DeleteFunc(slices.Clone(s.ids), func(id string) bool {
		_, open := s.open[s.fold(id)]
		return !open
	})
}

// Report ends the search. err is the error that stopped it; without one, what
// was not found does not exist.
func (s *Search) Report(err error) (vendors.Report, error) {
	switch {
	case err != nil:
		return s.out, err
	case s.blind && len(s.open) > 0:
		return s.out, rest.NoID()
	}
	s.out.Missing = append(s.out.Missing, s.Left()...)
	return s.out, nil
}
