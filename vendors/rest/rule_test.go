package rest

import (
	"errors"
	"testing"

	"kb-mcp/vendors"
)

func TestJudge(t *testing.T) {
	mark := errors.New("mark")
	rules := []Rule{
		{Codes: []string{"7"}, Texts: []string{"no such *thing"}, Kind: vendors.ErrNotFound, Message: "gone", Mark: mark},
		{Statuses: []int{403}, Texts: []string{"^rate limit", "too many"}, Kind: vendors.RateLimited},
		{Statuses: []int{403}, Kind: vendors.PermissionDenied},
		{Codes: []string{"7", "8"}, Kind: vendors.Conflict, Retry: vendors.Later},
		{Statuses: []int{5}, Kind: vendors.Unavailable},
		{Codes: []string{"105*"}, Kind: vendors.Internal},
	}
	for _, tt := range []struct {
		status     int
		code, text string
		want       vendors.Kind
	}{
		{200, "7", "No such 'thing'!", vendors.ErrNotFound},
		{200, "7", "no such big, blue thing", vendors.ErrNotFound},
		{200, "8", "no such thing", vendors.Conflict},
		{403, "", "Rate-limit reached", vendors.RateLimited},
		{403, "", "the rate limit is reached", vendors.PermissionDenied},
		{403, "7", "TOO many", vendors.RateLimited},
		{503, "9", "", vendors.Unavailable},
		{400, "9", "", ""},
		{400, "105001", "", vendors.Internal},
		{400, "15", "", ""},
	} {
		e := Judge(rules, Answer{Status: tt.status}, tt.code, tt.text)
		switch {
		case e == nil:
			if tt.want != "" {
				t.Errorf("%+v: no rule", tt)
			}
		case e.Kind != tt.want || e.HTTPStatus != tt.status || errors.Is(e, mark) != (tt.want == vendors.ErrNotFound):
			t.Errorf("%+v: %+v", tt, e)
		}
	}
}
