package idsearch

import (
	"errors"
	"strings"
	"testing"

	"kb-mcp/vendors"
)

func doc(id string) vendors.Document { return vendors.Document{DocumentID: id} }

// told shows a report as "a b -c".
func told(rep vendors.Report) string {
	var parts []string
	for _, d := range rep.Documents {
		parts = append(parts, d.DocumentID)
	}
	for _, id := range rep.Missing {
		parts = append(parts, "-"+id)
	}
	return strings.Join(parts, " ")
}

func TestSearch(t *testing.T) {
	gone, broken := errors.New("gone"), errors.New("broken")
	read := func(failing string) func(string) (vendors.Document, error) {
		return func(id string) (vendors.Document, error) {
			switch id {
			case failing:
				return vendors.Document{}, broken
			case "B":
				return vendors.Document{}, gone
			}
			return doc(strings.ToLower(id)), nil
		}
	}
	for _, tt := range []struct {
		name string
		rows []vendors.Document
		fail string // the document whose reading fails
		each bool
		want string
		err  bool
	}{
		{"rows", []vendors.Document{doc("c"), doc("x"), doc("a"), doc("c")}, "", false, "C A -B -D", false},
		{"all", []vendors.Document{doc("a"), doc("b"), doc("c"), doc("d"), doc("")}, "", false, "A B C D", false},
		{"a row without an id", []vendors.Document{doc("a"), doc("")}, "", false, "A", true},
		{"the rest one by one", []vendors.Document{doc("c")}, "", true, "C A D -B", false},
		{"one by one until an error", nil, "C", true, "A -B", true},
	} {
		s := New([]string{"A", "B", "C", "D"}, strings.ToLower)
		if enough := s.Add(tt.rows...); enough != (s.Open() == 0) || len(s.Left()) != s.Open() {
			t.Errorf("%s: enough %v, %d open, left %q", tt.name, enough, s.Open(), s.Left())
		}
		var err error
		if tt.each {
			err = s.Each(read(tt.fail), func(err error) bool { return errors.Is(err, gone) })
		}
		rep, err := s.Report(err)
		if got := told(rep); got != tt.want || (err != nil) != tt.err {
			t.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
}

func TestCaseCounts(t *testing.T) {
	s := New([]string{"a"}, nil)
	if s.AddPage(vendors.Page[vendors.Document]{Items: []vendors.Document{doc("A")}}) || !s.Add(doc("a")) {
		t.Error("ids differ in case")
	}
	s = New([]string{"a"}, nil)
	s.AddPage(vendors.Page[vendors.Document]{Blind: true})
	if _, err := s.Report(nil); err == nil {
		t.Error("a page with a row without an id is searched for sure")
	}
}
