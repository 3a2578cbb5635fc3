package coze

import (
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

// TestJudge walks all known codes, which cases would show one by one.
func TestJudge(t *testing.T) {
	tests := []struct {
		want   vendors.Kind
		status int
		msg    string
		codes  []int64
	}{
		{vendors.InvalidArgument, 200, "", []int64{4000, 4300, 4301, 4302, 4303, 4304, 4105, 105000000, 105000017}},
		{vendors.InvalidArgument, 400, "", []int64{400, 12345}},
		{vendors.Unauthenticated, 200, "", []int64{4100, 700012006}},
		{vendors.Unauthenticated, 401, "", []int64{401, 12345, 4100}},
		{vendors.Unauthenticated, 200, "The token you entered is incorrect. Please check and try again.", []int64{4101}},
		{vendors.PermissionDenied, 200, "", []int64{4101, 4102, 700012015, 105000001}},
		{vendors.PermissionDenied, 401, "the token lacks a permission", []int64{4101}},
		{vendors.PermissionDenied, 403, "", []int64{12345}},
		{vendors.ErrNotFound, 200, "", []int64{4200, 105000011, 105000012}},
		{vendors.ErrNotFound, 404, "", []int64{4200, 105000011}},
		{vendors.Conflict, 200, "", []int64{105000010, 105000018}},
		{vendors.RateLimited, 200, "", []int64{4009, 4013, 4020}},
		{vendors.RateLimited, 429, "", []int64{4009, 4000, 12345}},
		{vendors.QuotaExhausted, 200, "", []int64{4008, 4011, 4019, 4022, 4027, 4028, 6003, 702082020, 702095072}},
		{vendors.QuotaExhausted, 429, "", []int64{4008}},
		{vendors.Unavailable, 200, "", []int64{5000, 720701013, 105000099, 105999999}},
		{vendors.Unavailable, 500, "", []int64{500, 12345, 105000099}},
		{vendors.BadResponse, 404, "", []int64{4000, 404}},
		{vendors.VendorError, 200, "", []int64{1, 4999, 500, 106000000}},
	}
	for _, tt := range tests {
		for _, code := range tt.codes {
			h := head{Code: rest.Num{Int: code, Valid: true}, Msg: rest.Str(tt.msg)}
			if got := judge(rest.Answer{Status: tt.status}, &h).Kind; got != tt.want {
				t.Errorf("code %d with HTTP %d %q is %s, want %s", code, tt.status, tt.msg, got, tt.want)
			}
		}
	}
}

func TestRules(t *testing.T) {
	vendortest.Rules(t, "../../testdata/coze", rules(), func(a rest.Answer) (code, text string) {
		var h head
		if malformed, _ := rest.Unmarshal(a, &h); malformed != nil {
			h.Msg = plain(a.Body)
		}
		return h.code(), string(h.Msg)
	})
}
