package rest

import (
	"reflect"
	"strings"
	"testing"

	"kb-mcp/vendors"
)

// sample has what the drivers' types have.
type sample struct {
	ID    ID          `json:"id"`
	Name  Str         `json:"name"`
	Count Num         `json:"count"`
	On    Flag        `json:"on"`
	Plain string      `json:"plain"`
	Rows  []sampleRow `json:"rows"`
	Inner struct {
		Size Num `json:"size"`
	} `json:"inner"`
	sampleHead
}

type sampleHead struct {
	Code Str `json:"code"`
}

type sampleRow struct {
	ID   ID   `json:"id"`
	Tags []ID `json:"tags"`
}

func TestUnmarshal(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       sample
	}{
		{"nothing", `null`, sample{}},
		{"unknown members", `{"x":{"id":[1,{"id":2}]},"id":"a"}`, sample{ID: "a"}},
		{"all digits of an id", `{"id":7311219484398790001,"rows":[{"id":12345678901234567890}]}`,
			sample{ID: "7311219484398790001", Rows: []sampleRow{{ID: "12345678901234567890"}}}},
		{"null", `{"id":null,"count":null,"on":null,"rows":null,"inner":null,"code":null}`, sample{}},
		{"an empty list is not null", `{"rows":[]}`, sample{Rows: []sampleRow{}}},
		{"an embedded struct", `{"code":0}`, sample{sampleHead: sampleHead{Code: "0"}}},
		{"names in another case", `{"ID":"a","Name":"b","ROWS":[{}]}`, sample{}},
		{"an escaped name", `{"\u0069d":"a"}`, sample{ID: "a"}},
		{"a name twice", `{"id":"a","rows":[{"id":"x","tags":[1]}],"id":"b","rows":[{"id":"y"}]}`,
			sample{ID: "b", Rows: []sampleRow{{ID: "y"}}}},
		{"a text cut inside a character", `{"name":"` + "\xe4\xb8" + `","plain":"` + "\xe4" + `"}`,
			sample{Name: "\ufffd\ufffd", Plain: "\ufffd"}},
		{"another type than a lenient field's", `{"id":{"a":1},"name":[1],"count":"many","on":{},"plain":"p"}`, sample{Plain: "p"}},
	} {
		for _, rows := range []int{0, 3} {
			var got sample
			if malformed, mistyped := Unmarshal(Answer{Body: []byte(tt.body), rows: rows}, &got); malformed != nil || mistyped != nil {
				t.Errorf("%s: %v, %v", tt.name, malformed, mistyped)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
			}
		}
	}
}

// TestUnmarshalMistyped: a member of a wrong type costs no other.
func TestUnmarshalMistyped(t *testing.T) {
	for _, body := range []string{
		`{"id":"a","plain":{"b":[1]},"rows":[{"id":"r"}],"code":"7"}`,
		`{"inner":"none","id":"a","rows":[{"id":"r"}],"code":"7"}`,
		`{"id":"a","rows":[{"tags":"many","id":"r"}],"code":"7"}`,
		`{"id":"a","rows":[{"tags":{"x":1},"id":"r"}],"plain":true,"code":"7","inner":[]}`,
	} {
		var got sample
		malformed, mistyped := Unmarshal(Answer{Status: 200, Body: []byte(body)}, &got)
		if malformed != nil || vendors.KindOf(mistyped) != vendors.BadResponse {
			t.Errorf("%s: %v, %v", body, malformed, mistyped)
		}
		if got.ID != "a" || got.Code != "7" || len(got.Rows) != 1 || got.Rows[0].ID != "r" {
			t.Errorf("%s: %+v", body, got)
		}
	}
	var got sample
	if malformed, mistyped := Unmarshal(Answer{Body: []byte(`["a"]`)}, &got); malformed != nil || mistyped == nil {
		t.Errorf("a list: %v, %v", malformed, mistyped)
	}
}

func TestUnmarshalBroken(t *testing.T) {
	for _, body := range []string{
		``, ` `, `<html>`, `{"id":"a"`, `{"id":"a"}x`, `{"id":"a",}`, `{"id" "a"}`, `{"id":"` + "\x01" + `"}`, `{"id":"\x"}`,
		`{"count":01}`, `{"count":NaN}`, `{"on":tru}`, `{"plain":1,"id":"a"`, `{"plain":1}{`, "\ufeff{}",
		`{"a":` + strings.Repeat(`[`, maxNesting) + strings.Repeat(`]`, maxNesting) + `}`,
	} {
		var got sample
		malformed, mistyped := Unmarshal(Answer{Status: 200, Body: []byte(body)}, &got)
		if vendors.KindOf(malformed) != vendors.BadResponse || mistyped != nil {
			t.Errorf("%q: %v, %v", body, malformed, mistyped)
		}
	}
}
