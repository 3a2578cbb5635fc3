package coze

import (
	"encoding/json"
	"net/http"
	"testing"

	"kb-mcp/vendors/rest"
)

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
			s.observe(a, &h)
			if s.is() != tt.want {
				t.Errorf("heard %d, want %d", s.is(), tt.want)
			}
			s.observe(a, &head{Detail: struct {
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
