package rest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// sample has what the drivers' types have, and what quick leaves to
// encoding/json.
type sample struct {
	ID       ID              `json:"id"`
	Name     Str             `json:"name"`
	Count    Num             `json:"count"`
	On       Flag            `json:"on"`
	Source   *Str            `json:"source"`
	Raw      json.RawMessage `json:"raw"`
	Any      any             `json:"any"`
	Plain    string          `json:"plain"`
	Rows     []sampleRow     `json:"rows"`
	Words    []string        `json:"words"`
	Bytes    []byte          `json:"bytes"`
	Upper    Str             `json:"BaseResp"`
	Again    *sample         `json:"again"`
	Map      map[string]Num  `json:"map"`
	Hidden   Str             `json:"-"`
	Untagged Num
	Inner    struct {
		Size Num `json:"size"`
	} `json:"inner"`
	sampleHead
	unseen int
}

type sampleHead struct {
	Code Str `json:"code"`
}

type sampleRow struct {
	ID   ID        `json:"id"`
	Part []sample2 `json:"part"`
}

type sample2 struct {
	Value Num `json:"value"`
}

// agree holds quick's reading of a body against encoding/json's.
func agree(t *testing.T, known *shapes, body []byte) (quick bool) {
	t.Helper()
	want, got := sample{Plain: "before", unseen: 1}, sample{Plain: "before", unseen: 1}
	err := json.Unmarshal(body, &want)
	if !quickly(body, &got, known) {
		if before := (sample{Plain: "before", unseen: 1}); !reflect.DeepEqual(got, before) {
			t.Fatalf("gave up on %q and left %+v", body, got)
		}
		return false
	}
	if err != nil {
		t.Fatalf("took %q, of which encoding/json says %v", body, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q is %+v, want %+v", body, got, want)
	}
	return true
}

func TestQuick(t *testing.T) {
	known := &shapes{}
	for _, tt := range []struct {
		body  string
		quick bool
	}{
		{`{}`, true},
		{`null`, true},
		{" {\n\"id\" : \"a\" , \"name\":\"x\\u00e9\\n\\\"y\", \"count\":-1.5e+3,\t\"on\":true,\"source\":\"s\"}\r\n", true},
		{`{"id":7311219484398790001,"count":"12","on":null,"source":null,"raw":{"a":[1,2]},"any":[{"b":0.1}],"plain":"p"}`, true},
		{`{"rows":[{"id":"a","part":[{"value":1},{"value":null}]},{"id":2,"part":[]},{},null],"words":["a","b"],"code":"0"}`, true},
		{`{"rows":null,"words":[],"bytes":"aGk=","inner":{"size":3,"more":{"x":[true,false]}},"again":{"again":{"id":"z"}},"map":{"a":1}}`, true},
		{`{"Untagged":7,"BaseResp":"x","unknown":{"ID":1},"Other":2,"größe":3}`, true},
		{`{"rows":[{"id":"a"}],"inner":null,"words":null,"again":null,"hidden":"h","unseen":9}`, true},
		{`{"name":"` + "\xff" + `"}`, true}, // not UTF-8: mended
		{`{"ID":"a"}`, false},
		{`{"untagged":7}`, false},
		{`{"baseresp":"x"}`, false},
		{`{"id":"a","id":"b"}`, false},
		{`{"\u0069d":"a"}`, false},
		{`{"plain":1}`, false},
		{`{"rows":{}}`, false},
		{`{"rows":[1]}`, false},
		{`[]`, false},
		{`{"inner":"x"}`, false},
		{`{"id":"a"}x`, false},
		{`{"id":"a",}`, false},
		{`{"id" "a"}`, false},
		{`{"id":"a"`, false},
		{`{"id":"` + "\x01" + `"}`, false},
		{`{"id":"\x"}`, false},
		{`{"id":"\u12"}`, false},
		{`{"count":01}`, false},
		{`{"count":1.}`, false},
		{`{"count":-}`, false},
		{`{"count":1e}`, false},
		{`{"count":NaN}`, false},
		{`{"on":tru}`, false},
		{`{"x":nulL}`, false},
		{``, false},
		{strings.Repeat(`{"again":`, 2*maxDepth) + `null` + strings.Repeat(`}`, 2*maxDepth), false},
		{`{"raw":` + strings.Repeat(`[`, 2*maxDepth) + strings.Repeat(`]`, 2*maxDepth) + `}`, false},
	} {
		if got := agree(t, known, []byte(tt.body)); got != tt.quick {
			t.Errorf("quick with %s: %v", tt.body, got)
		}
	}
}

// TestQuickUnknownRules leaves structs to encoding/json whose tags follow rules
// that quick does not know.
func TestQuickUnknownRules(t *testing.T) {
	body := []byte(`{"a":"5","code":"c","x":null}`)
	for _, fresh := range []func() any{
		func() any {
			return &struct {
				A int `json:"a,string"`
			}{}
		},
		func() any {
			return &struct {
				sampleHead
				Code Str `json:"code"`
			}{}
		},
		func() any { return &map[string]Str{} },
		func() any { return new(any) },
	} {
		got, want := fresh(), fresh()
		if err := json.Unmarshal(body, want); err != nil {
			t.Fatal(err)
		}
		if quickly(body, got, nil) && !reflect.DeepEqual(got, want) {
			t.Errorf("%T is %+v, want %+v", want, got, want)
		}
	}
	if quickly(body, nil, nil) || quickly(body, sample{}, nil) {
		t.Error("took what cannot be set")
	}
}

// FuzzQuick lets quick and encoding/json read the same; the platforms' cases
// are where it begins.
func FuzzQuick(f *testing.F) {
	paths, err := filepath.Glob("../../testdata/*/*.json")
	if err != nil || len(paths) == 0 {
		f.Fatal(paths, err)
	}
	for _, path := range paths {
		if b, err := os.ReadFile(path); err == nil && len(b) < 4000 {
			f.Add(b)
		}
	}
	f.Add([]byte(`{"rows":[{"id":"a","part":[{"value":1},{"value":null}]},{"id":2}],"words":["a\u00e9","b"],"code":"0","any":1e3}`))
	known := &shapes{}
	f.Fuzz(func(t *testing.T, body []byte) { agree(t, known, body) })
}
