package connection

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/breaker"
)

// TestBreaker: after a lasting refusal the platform is asked once in a while;
// in between the answer is the refusal, at once, with the time that is left.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writer{err: &vendors.Error{Kind: vendors.Unauthenticated, Message: "The key is wrong.", VendorCode: "401"}}
		v := New("v", "p", w)
		search := func() (e *vendors.Error) {
			_, err := v.Search(t.Context(), vendors.SearchQuery{KnowledgeBaseID: "kb", Query: "q", Limit: 1})
			errors.As(err, &e)
			return e
		}
		// asks checks whether the platform was asked, and for how long it will not be.
		asks := func(want bool, remembered time.Duration) {
			t.Helper()
			before := len(w.calls)
			e := search()
			if asked := len(w.calls) > before; asked != want {
				t.Errorf("the platform was asked: %v, want %v", asked, want)
			}
			if e == nil || e.Message != "The key is wrong." || e.VendorCode != "401" {
				t.Fatalf("%+v", e)
			}
			if !want && (e.After != remembered || !strings.Contains(e.Hint, "retry_after_seconds") || vendors.ReportOf(e).RetryAfterSeconds == 0) {
				t.Errorf("%+v, want the error to be remembered: %v", e, remembered)
			}
		}
		asks(true, 0)
		time.Sleep(4 * time.Second)
		asks(false, 6*time.Second)
		if _, err := v.ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Limit: 1}); vendors.KindOf(err) != vendors.Unauthenticated {
			t.Errorf("another operation: %v", err)
		}
		time.Sleep(6 * time.Second)
		for _, remembered := range []time.Duration{20, 40, 80, 160, 300, 300} {
			asks(true, 0) // refused again at once
			asks(false, remembered*time.Second)
			time.Sleep(remembered * time.Second)
		}
		time.Sleep(time.Hour)
		asks(true, 0)
		asks(false, breaker.First)
		time.Sleep(breaker.First)
		if w.err = nil; search() != nil {
			t.Error("still refused after the credential was mended")
		}
	})
}

// A used up quota concerns the operation that met it: a full knowledge base can
// still be read.
func TestBreakerOfQuotas(t *testing.T) {
	w := &writer{err: vendors.Errorf(vendors.QuotaExhausted, "The plan is used up.")}
	v := New("v", "p", w)
	for range 3 {
		if _, err := v.Upload(vendors.WithCaller(t.Context(), vendors.Caller{Tool: "upload_document"}), vendors.Upload{KnowledgeBaseID: "kb"}); vendors.KindOf(err) != vendors.QuotaExhausted {
			t.Error(err)
		}
	}
	if len(w.calls) != 1 {
		t.Errorf("asked %v", w.calls)
	}
	if _, err := v.ListDocuments(t.Context(), ListQuery{KnowledgeBaseID: "kb", Limit: 1}); err != nil {
		t.Errorf("another operation: %v", err)
	}
}
