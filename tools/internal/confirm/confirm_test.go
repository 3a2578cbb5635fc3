package confirm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"kb-mcp/elicit"
	"kb-mcp/vendors"
)

func caller(party, session, tool string) context.Context {
	return vendors.WithCaller(context.Background(), vendors.Caller{Party: party, Session: session, Tool: tool})
}

func binding(t *testing.T, ctx context.Context, args any) []byte {
	t.Helper()
	to, err := boundTo(ctx, args)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// A state is good for ten minutes, for one time, and for its call.
func TestSeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, to := newSeals(), binding(t, caller("p", "s", "delete_documents"), []string{"a"})
		seal := func() string {
			state, err := s.seal("产品手册", to)
			if err != nil {
				t.Fatal(err)
			}
			return state
		}
		state := seal()
		for name, ctx := range map[string]context.Context{
			"party": caller("q", "s", "delete_documents"), "session": caller("p", "", "delete_documents"), "tool": caller("p", "s", "delete_knowledge_base"),
		} {
			if _, err := s.open(state, binding(t, ctx, []string{"a"})); !errors.Is(err, errAltered) {
				t.Errorf("another %s: %v", name, err)
			}
		}
		if _, err := s.open(state, binding(t, caller("p", "s", "delete_documents"), []string{"a", "b"})); !errors.Is(err, errAltered) {
			t.Errorf("other arguments: %v", err)
		}
		for i := range state {
			other := byte('A')
			if state[i] == other {
				other = 'B'
			}
			if _, err := s.open(state[:i]+string(other)+state[i+1:], to); err == nil || errors.Is(err, errUsed) {
				t.Fatalf("byte %d changed: %v", i, err)
			}
		}
		if _, err := newSeals().open(state, to); !errors.Is(err, errOtherProcess) {
			t.Errorf("another process: %v", err)
		}
		time.Sleep(goodFor - time.Second)
		if want, err := s.open(state, to); err != nil || want != "产品手册" {
			t.Errorf("%q, %v", want, err)
		}
		if _, err := s.open(state, to); !errors.Is(err, errUsed) {
			t.Errorf("a second time: %v", err)
		}
		state = seal()
		time.Sleep(goodFor)
		if _, err := s.open(state, to); !errors.Is(err, errExpired) {
			t.Errorf("after ten minutes: %v", err)
		}
	})
}

// The memory of used states is bounded, and nothing that it has forgotten is
// good again.
func TestSealsForgetNothingGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeals()
		first, err := s.seal("x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.open(first, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		for range mostUsed + 10 {
			state, err := s.seal("x", nil)
			if err == nil {
				_, err = s.open(state, nil)
			}
			if err != nil && !errors.Is(err, errExpired) { // of the same moment as a forgotten one
				t.Fatal(err)
			}
		}
		if len(s.used) > mostUsed || len(s.order) > mostUsed {
			t.Errorf("%d states are remembered", len(s.used))
		}
		if _, err := s.open(first, nil); err == nil {
			t.Error("a forgotten state is good again")
		}
		time.Sleep(goodFor)
		state, _ := s.seal("x", nil)
		if _, err := s.open(state, nil); err != nil || len(s.used) != 1 {
			t.Errorf("%v, %d remembered", err, len(s.used))
		}
	})
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		answer string
		want   error
	}{
		{`{"action":"accept","content":{"confirm":"3"}}`, nil},
		{`{"action":"accept","content":{"confirm":" 3\n"}}`, nil},
		{`{"action":"accept","content":{"confirm":3}}`, nil},
		{`{"action":"accept","content":{"confirm":3.5}}`, errWords},
		{`{"action":"accept","content":{"confirm":true}}`, errWords},
		{`{"action":"accept","content":{"Confirm":"3"}}`, errWords},
		{`{"action":"accept","content":["3"]}`, errWords},
		{`{"action":"accept"}`, errWords},
		{`{"action":"decline","content":{"confirm":"3"}}`, errDeclined},
		{`{"action":"cancel"}`, errClosed},
		{`{"action":"yes","content":{"confirm":"3"}}`, errNoAnswer},
		{`{}`, errNoAnswer},
	} {
		var answer mcp.ElicitationResult
		if err := json.Unmarshal([]byte(tt.answer), &answer); err != nil {
			t.Fatal(err)
		}
		err := judge(&answer, "3")
		if (err == nil) != (tt.want == nil) || tt.want != nil && (!errors.Is(err, tt.want) || vendors.KindOf(err) != vendors.Conflict || vendors.WriteReportOf(err).Outcome != "none") {
			t.Errorf("%s: %v", tt.answer, err)
		}
	}
	if judge(nil, "3") == nil || judge(&mcp.ElicitationResult{ElicitationResponse: mcp.ElicitationResponse{Action: "accept"}}, "") == nil {
		t.Error("no answer is a yes")
	}
}

// Silence ends before the call does, so that the delete never begins late.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(caller("", "s", "delete_documents"), 54*time.Second)
		defer cancel()
		ctx = elicit.With(ctx, elicit.Way{
			Offered: func() bool { return true },
			Ask: func(ctx context.Context, params json.RawMessage) (json.RawMessage, error) {
				if !strings.Contains(string(params), `"type":"object"`) {
					t.Errorf("%s", params)
				}
				<-ctx.Done()
				return nil, context.Cause(ctx)
			},
		})
		err := New(Auto, nil).Confirm(ctx, nil, func() (Question, error) { return Question{"Delete?", "Name", "x"}, nil })
		if !errors.Is(err, errSilence) || time.Since(began) != 44*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// What is wrong with a delete is said before anybody is asked.
func TestQuestionFails(t *testing.T) {
	ctx := elicit.With(context.Background(), elicit.Way{
		Offered: func() bool { return true },
		Ask: func(context.Context, json.RawMessage) (json.RawMessage, error) {
			t.Error("a person was asked")
			return nil, elicit.ErrRefused
		},
	})
	wrong := fmt.Errorf("no such id")
	if err := New(Require, nil).Confirm(ctx, nil, func() (Question, error) { return Question{}, wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
}

// FuzzState: whatever a client sends as a state, none but a sealed one opens.
func FuzzState(f *testing.F) {
	s := newSeals()
	good, err := s.seal("x", []byte("a call"))
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"", "!", good, good[:20], good + "A", strings.Repeat("A", 5000), "AAAA"} {
		f.Add(text, []byte("another call"))
	}
	f.Fuzz(func(t *testing.T, text string, to []byte) {
		want, err := s.open(text, to)
		if err == nil && (want != "x" || text != good || string(to) != "a call") {
			t.Errorf("%q opened: %q", text, want)
		}
		if err != nil && !errors.Is(err, errAltered) && !errors.Is(err, errOtherProcess) && !errors.Is(err, errUsed) {
			t.Error(err)
		}
	})
}
