package coze

import (
	"encoding/json"
	"net/http"
	"testing"

	"kb-mcp/vendors"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

// Every code of the sheet's error table, which cases would show one by one.
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
		if broken, _ := rest.Unmarshal(a, &h); broken != nil {
			h.Msg = plain(a.Body)
		}
		return h.code(), string(h.Msg)
	})
}

func TestDetection(t *testing.T) {
	tests := []struct {
		name, body, header string
		want               dialect
	}{
		{"BaseResp null", `{"code":0,"BaseResp":null,"msg":""}`, "", studio},
		{"BaseResp object", `{"code":0,"BaseResp":{}}`, "", studio},
		{"msg", `{"code":0,"msg":"success"}`, "", studio},
		{"code", `{"code":105000001,"msg":"permission denied"}`, "", studio},
		{"bind error", `{"code":400,"msg":"bind body failed, err=Mismatch type int64 with value string"}`, "", studio},
		{"studio's header", `{"code":0}`, "X-Log-ID", studio},
		{"detail", `{"code":0,"detail":{"logid":"2024"}}`, "", hosted},
		{"hosted's header", `{"code":0}`, "X-Tt-Logid", hosted},
		{"hosted with a gateway's header", `{"code":0,"detail":{"logid":"2024"}}`, "X-Log-ID", hosted},
		{"nothing", `{"code":0,"msg":"","total":1}`, "", undecided},
		{"empty detail", `{"code":0,"detail":{}}`, "", undecided},
		{"a code of both", `{"code":700012006,"msg":"access token invalid"}`, "", undecided},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h head
			if err := json.Unmarshal([]byte(tt.body), &h); err != nil {
				t.Fatal(err)
			}
			a := rest.Answer{Status: 200, Header: http.Header{}}
			if tt.header != "" {
				a.Header.Set(tt.header, "x")
			}
			var s dialectState
			s.hear(a, &h)
			if s.is() != tt.want {
				t.Errorf("heard %d, want %d", s.is(), tt.want)
			}
			s.hear(a, &head{Detail: struct {
				LogID rest.Str `json:"logid"`
			}{"x"}})
			if tt.want != undecided && s.is() != tt.want {
				t.Error("a later answer changed the dialect")
			}
		})
	}
}

func TestPageNumbers(t *testing.T) {
	tests := []struct {
		dialect       dialect
		first         int // seen; -1: nothing
		page1, page10 int
	}{
		{undecided, -1, 0, 9}, {hosted, -1, 1, 10}, {studio, -1, 0, 9},
		{hosted, 0, 0, 9}, {studio, 1, 1, 10},
	}
	for _, tt := range tests {
		var s dialectState
		s.set(tt.dialect)
		if tt.first >= 0 {
			s.firstIs(tt.first)
		}
		if s.page(1) != tt.page1 || s.page(10) != tt.page10 {
			t.Errorf("dialect %d, first page %d: %d and %d", tt.dialect, tt.first, s.page(1), s.page(10))
		}
	}
}

func TestIsID(t *testing.T) {
	for id, want := range map[string]bool{
		"7385083080979000001": true, "0": true, "9223372036854775807": true,
		"": false, "9223372036854775808": false, "-1": false, "+1": false, "1e3": false, "１": false, "1/2": false, "kb": false,
	} {
		if isID(id) != want {
			t.Errorf("isID(%q) is %v", id, !want)
		}
	}
}
