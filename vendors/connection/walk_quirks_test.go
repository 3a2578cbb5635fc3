package connection

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/paging"
)

// scripted is a platform whose listing a test makes up, page by page.
type scripted struct {
	shelf
	list func(q vendors.PageQuery) (vendors.Page[vendors.Document], error)
	asks []vendors.PageQuery
}

func (o *scripted) ListDocuments(_ context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
	o.asks = append(o.asks, q)
	return o.list(q)
}

// rows are n documents without a time, so that they have no order.
func rows(n int) []vendors.Document {
	list := make([]vendors.Document, n)
	for i := range list {
		list[i] = vendors.Document{DocumentID: fmt.Sprintf("r%03d", i), Name: "doc", Status: vendors.Completed}
	}
	return list
}

// slice is one page of rows.
func slice(list []vendors.Document, q vendors.PageQuery) []vendors.Document {
	from := min((q.Page-1)*q.Size, len(list))
	return slices.Clone(list[from:min(from+q.Size, len(list))])
}

// TestPagingThatIsIgnoredEnds: a platform that gives the same rows whatever page
// it is asked for is read once, in one call or in many.
func TestPagingThatIsIgnoredEnds(t *testing.T) {
	all, random := rows(70), rand.New(rand.NewPCG(1, 2))
	shuffled := func() []vendors.Document {
		list := slices.Clone(all)
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list
	}
	n := 0
	for name, give := range map[string]func() []vendors.Document{
		"the same rows":            func() []vendors.Document { return slices.Clone(all) },
		"in another order":         shuffled,
		"one less each time":       func() []vendors.Document { n++; return slices.Clone(all[:max(1, 70-n)]) },
		"in another order, less":   func() []vendors.Document { n++; return shuffled()[:max(60, 70-n)] },
		"fewer than a page":        func() []vendors.Document { return slices.Clone(all[:7]) },
		"newest first, with times": func() []vendors.Document { s := &shelf{}; s.put(70); return s.docs },
	} {
		for _, limit := range []int{20, 100} {
			for _, total := range []bool{false, true} {
				t.Run(fmt.Sprint(name, " ", limit, " ", total), func(t *testing.T) {
					n = 0
					o := &scripted{list: func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
						p := vendors.Page[vendors.Document]{Items: give(), More: true, NewestFirst: true}
						if total {
							p.Total = intp(len(p.Items))
						}
						return p, nil
					}}
					got := page(t, New("v", "p", o), ListQuery{KnowledgeBaseID: "kb", Limit: limit}, func(int) {})
					want := len(give())
					if strings.Contains(name, "less") || strings.Contains(name, "order") {
						want = 1
					}
					if len(got) < want || len(o.asks) > 20 {
						t.Errorf("%d rows of %d in %d requests", len(got), want, len(o.asks))
					}
					for i, id := range got {
						if slices.Contains(got[:i], id) && !strings.Contains(name, "order") {
							t.Errorf("%s came again", id)
						}
					}
					o.asks = nil
					sum, err := New("v", "p", o).Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
					if err != nil || len(o.asks) > 12 || sum.NextCursor != "" || sum.Summary.Total < want {
						t.Errorf("progress: %+v after %d requests, %v", sum.Summary, len(o.asks), err)
					}
				})
			}
		}
	}
}

// TestAListingThatGrowsWhileItIsIgnoredEnds: rows are added, and every page has
// them all.
func TestAListingThatGrowsWhileItIsIgnoredEnds(t *testing.T) {
	n := 30
	o := &scripted{list: func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
		n = min(n+3, 60)
		return vendors.Page[vendors.Document]{Items: rows(n), More: true}, nil
	}}
	got := page(t, New("v", "p", o), ListQuery{KnowledgeBaseID: "kb", Limit: 20}, func(int) {})
	if len(got) != 60 {
		t.Errorf("%d rows, 60 were there in the end", len(got))
	}
	once(t, got, ids(rows(60)))
}

// TestIgnoredPagesAreNotTheWholeListing: what cannot be read is said.
func TestIgnoredPagesAreNotTheWholeListing(t *testing.T) {
	o := &scripted{list: func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
		return vendors.Page[vendors.Document]{Items: rows(q.Size), Total: intp(250), More: true}, nil
	}}
	v := New("v", "p", o)
	q := ListQuery{KnowledgeBaseID: "kb", Limit: 20}
	var last DocumentList
	for n := 0; ; n++ {
		var err error
		if last, err = v.ListDocuments(t.Context(), q); err != nil || n > 5 {
			t.Fatalf("call %d: %v", n, err)
		}
		if q.Cursor = last.NextCursor; q.Cursor == "" {
			break
		}
	}
	if !last.Truncated || !strings.Contains(last.Hint, "230 of its rows did not come") {
		t.Errorf("%+v", last)
	}
	sum, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
	if err != nil || sum.Summary.Done || sum.Summary.Total != 250 || *sum.Summary.Scanned != 100 || !sum.Truncated || sum.Hint == "" {
		t.Errorf("%+v, %v", sum, err)
	}
	u, err := v.Unfinished(t.Context(), "kb")
	if err != nil || len(u.Incomplete) != 1 || !strings.Contains(u.Incomplete[0].Error.Message, "150 of its rows did not come") {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestPagesOfAnotherSize: a page with more or fewer rows than were asked for.
func TestPagesOfAnotherSize(t *testing.T) {
	all := rows(130)
	for name, list := range map[string]func(q vendors.PageQuery) (vendors.Page[vendors.Document], error){
		"fewer, as the platform's own maximum": func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
			q.Size = min(q.Size, 30)
			items := slice(all, q)
			return vendors.Page[vendors.Document]{Items: items, Total: intp(130), More: q.Page*q.Size < 130, Size: q.Size}, nil
		},
		"more, as the platform's own minimum": func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
			q.Size = max(q.Size, 150)
			return vendors.Page[vendors.Document]{Items: slice(all, q), Total: intp(130), More: false}, nil
		},
		"of varying length behind tokens": func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
			from, n := 0, 0
			fmt.Sscan(q.Token, &from, &n)
			to := min(from+1+(n*7)%40, 130)
			return vendors.Page[vendors.Document]{Items: slices.Clone(all[from:to]), More: to < 130, NextToken: fmt.Sprint(to, " ", n+1)}, nil
		},
		"empty in the middle": func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
			from := 0
			fmt.Sscan(q.Token, &from)
			if from%2 == 1 { // an empty page, then on
				return vendors.Page[vendors.Document]{More: true, NextToken: fmt.Sprint(from - 1)}, nil
			}
			to := min(from+10, 130)
			return vendors.Page[vendors.Document]{Items: slices.Clone(all[from:to]), More: to < 130, NextToken: fmt.Sprint(to + 1)}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, limit := range []int{7, 20, 100} {
				v := New("v", "p", &scripted{list: list})
				once(t, page(t, v, ListQuery{KnowledgeBaseID: "kb", Limit: limit}, func(int) {}), ids(all))
				sum, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
				if err != nil || sum.Summary.Total != 130 || !sum.Summary.Done {
					t.Errorf("%+v, %v", sum.Summary, err)
				}
			}
		})
	}
}

// TestAnswersThatAreTooLargeAreHalved: a page that is larger than what is read is
// asked for in smaller ones, from the row on that was reached.
func TestAnswersThatAreTooLargeAreHalved(t *testing.T) {
	all := rows(230)
	most := 30
	o := &scripted{}
	o.list = func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
		if q.Page > 1 { // the rows get larger further down
			most = 12
		}
		if q.Size > most {
			return vendors.Page[vendors.Document]{}, &vendors.Error{Kind: vendors.BadResponse, Message: "too large", Err: fmt.Errorf("body: %w", vendors.ErrTooLarge)}
		}
		return vendors.Page[vendors.Document]{Items: slice(all, q), Total: intp(230), More: q.Page*q.Size < 230}, nil
	}
	v := New("v", "p", o)
	once(t, page(t, v, ListQuery{KnowledgeBaseID: "kb", Limit: 100}, func(int) {}), ids(all))
	most = 30
	before := len(o.asks)
	sum, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
	if err != nil || sum.Summary.Total != 230 {
		t.Errorf("%+v, %v", sum.Summary, err)
	}
	if q := o.asks[before]; q.Size != 12 {
		t.Errorf("began with pages of %d, 12 are known to fit", q.Size)
	}
	most = 0
	if _, err := New("v", "p", o).ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Limit: 100}); vendors.KindOf(err) != vendors.BadResponse || len(o.asks) > 300 {
		t.Errorf("a row that is too large alone: %v", err)
	}
}

// TestASearchEnginesWindow: what a platform refuses to give ends what was read,
// and is said.
func TestASearchEnginesWindow(t *testing.T) {
	o := &scripted{list: func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
		if q.Page*q.Size > paging.Window {
			return vendors.Page[vendors.Document]{}, vendors.Errorf(vendors.VendorError, "Result window is too large")
		}
		list := rows(0)
		for i := range q.Size {
			list = append(list, vendors.Document{DocumentID: fmt.Sprint(q.Page*q.Size + i), Status: vendors.Completed})
		}
		return vendors.Page[vendors.Document]{Items: list, Total: intp(12_345), More: true}, nil
	}}
	v := New("v", "p", o)
	sum, err := v.Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
	if err != nil || sum.Summary.Total != 12_345 || *sum.Summary.Scanned != paging.Window || sum.Summary.Done || !strings.Contains(sum.Hint, "10000 rows") {
		t.Errorf("%+v, %q, %v", sum.Summary, sum.Hint, err)
	}
	if u, err := v.Unfinished(t.Context(), "kb"); err != nil || len(u.Incomplete) != 1 || !strings.Contains(u.Incomplete[0].Error.Message, "10000 rows") {
		t.Errorf("%+v, %v", u.Incomplete, err)
	}
}

// TestARefusedFilterIsDoneHere: a platform whose words have changed is asked for
// all rows instead, and remembered for it.
func TestARefusedFilterIsDoneHere(t *testing.T) {
	all := rows(250)
	for _, i := range []int{3, 120, 249} {
		all[i].Status = vendors.Failed
	}
	o := &scripted{list: func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
		if q.Status != "" {
			e := vendors.Errorf(vendors.VendorError, "Invalid filter run status conditions: FAIL")
			e.VendorCode = "102"
			return vendors.Page[vendors.Document]{}, e
		}
		return vendors.Page[vendors.Document]{Items: slice(all, q), Total: intp(250), More: q.Page*q.Size < 250}, nil
	}}
	v := New("v", "p", o)
	got := page(t, v, ListQuery{KnowledgeBaseID: "kb", Status: vendors.Failed, Limit: 2}, func(int) {})
	if !slices.Equal(got, []string{"r003", "r120", "r249"}) {
		t.Errorf("%v", got)
	}
	refused := 0
	for _, q := range o.asks {
		if q.Status != "" {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("asked %d times for what was refused", refused)
	}
	out, err := v.ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Status: vendors.Failed, Limit: 20})
	if err != nil || out.Total != nil {
		t.Errorf("the total %v counts all rows, %v", out.Total, err)
	}
	o.list = func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
		return vendors.Page[vendors.Document]{}, vendors.Errorf(vendors.VendorError, "no")
	}
	if _, err := New("v", "p", o).ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Status: vendors.Failed, Limit: 20}); vendors.KindOf(err) != vendors.VendorError {
		t.Errorf("what is refused altogether: %v", err)
	}
}

// TestAWalkIsBoundedInRows: a platform that gives more rows than were asked for
// does not fill the memory.
func TestAWalkIsBoundedInRows(t *testing.T) {
	n := 0
	o := &scripted{list: func(q vendors.PageQuery) (vendors.Page[vendors.Document], error) {
		list := make([]vendors.Document, 1000)
		for i := range list {
			n++
			list[i] = vendors.Document{DocumentID: fmt.Sprint(n), Status: vendors.Completed}
		}
		return vendors.Page[vendors.Document]{Items: list, More: true}, nil
	}}
	sum, err := New("v", "p", o).Progress(t.Context(), ProgressRequest{KnowledgeBaseID: "kb"})
	if err != nil || *sum.Summary.Scanned != paging.MaxRows || sum.NextCursor == "" || !strings.Contains(sum.Hint, "at most 200 pages or 20000 rows") {
		t.Errorf("%+v, %q, %v", sum.Summary, sum.Hint, err)
	}
}
