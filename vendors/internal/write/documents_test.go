package write

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kb-mcp/vendors"
)

var (
	errGone   = vendors.Errorf(vendors.ErrNotFound, "no such document")
	errBroken = &vendors.Error{Kind: vendors.Unavailable, Message: "broken", VendorCode: "500", Effect: vendors.UnknownEffect}
	errLost   = &vendors.Error{Kind: vendors.Timeout, Message: "lost", Effect: vendors.UnknownEffect}
	errBusy   = &vendors.Error{Kind: vendors.RateLimited, Message: "busy"}
	errBad    = vendors.Errorf(vendors.Conflict, "not this one")
)

// platform holds documents and goes through a request one after the other.
type platform struct {
	docs  []string
	fails map[string]error // by document that breaks a request off
	lost  int              // so many answers are lost
	blind bool             // reading fails
	sent  []string         // requests
}

func (p *platform) send(_ context.Context, docs []vendors.Document) (map[string]error, error) {
	p.sent = append(p.sent, strings.Join(IDs(docs), "+"))
	for _, d := range docs {
		if err := p.fails[d.DocumentID]; err != nil {
			return nil, err
		}
		i := slices.Index(p.docs, d.DocumentID)
		if i < 0 {
			return nil, errGone
		}
		p.docs = slices.Delete(p.docs, i, i+1)
	}
	if p.lost > 0 {
		p.lost--
		return nil, errLost
	}
	return nil, nil
}

func (p *platform) read(_ context.Context, ids []string) (rep vendors.Report, err error) {
	if p.blind {
		return rep, errBusy
	}
	for _, id := range ids {
		if slices.Contains(p.docs, id) {
			rep.Documents = append(rep.Documents, vendors.Document{DocumentID: id, Status: vendors.Completed})
		} else {
			rep.Missing = append(rep.Missing, id)
		}
	}
	return rep, nil
}

// told shows outcomes as "a:done b:failed/conflict/none".
func told(out []vendors.Outcome) string {
	var parts []string
	for _, o := range out {
		s := o.DocumentID + ":" + string(o.Result)
		if o.Err != nil {
			s += fmt.Sprintf("/%s/%s", vendors.KindOf(o.Err), vendors.WriteReportOf(o.Err).Outcome)
		}
		parts = append(parts, s)
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

func TestDocuments(t *testing.T) {
	absent := func(err error) bool { return errors.Is(err, errGone) }
	resend := func(err error) bool { return vendors.Answered(err) }
	for _, tt := range []struct {
		name string
		p    platform
		w    Documents
		want string
		sent string
		err  vendors.Kind
	}{
		{"all", platform{docs: []string{"a", "b", "c"}}, Documents{Batch: 2}, "a:done b:done c:done", "a+b c", ""},
		{"one each, one absent", platform{docs: []string{"a", "c"}}, Documents{Batch: 1, Absent: absent}, "a:done b:not_found c:done", "a b c", ""},
		{"of another knowledge base", platform{docs: []string{"b"}}, Documents{Batch: 9, ReadFirst: true}, "a:not_found b:done c:not_found", "b", ""},
		{"unread", platform{blind: true}, Documents{Batch: 9, ReadFirst: true}, "", "", vendors.RateLimited},
		{"refused at once", platform{docs: []string{"a", "b", "c"}, fails: map[string]error{"a": errBusy}}, Documents{Batch: 1}, "", "a", vendors.RateLimited},
		{"refused later", platform{docs: []string{"a", "b", "c"}, fails: map[string]error{"b": errBusy}}, Documents{Batch: 1},
			"a:done b:failed/rate_limited/none c:failed/rate_limited/none", "a b", ""},
		{"a bad one", platform{docs: []string{"a", "b", "c"}, fails: map[string]error{"b": errBad}}, Documents{Batch: 1},
			"a:done b:failed/conflict/none c:done", "a b c", ""},
		{"an answer lost", platform{docs: []string{"a", "b", "c"}, lost: 1}, Documents{Batch: 9, ReadFirst: true}, "a:done b:done c:done", "a+b+c", ""},
		{"lost and unread", platform{docs: []string{"a", "b"}, lost: 1}, Documents{Batch: 1}, "a:failed/timeout/unknown b:failed/timeout/none c:failed/timeout/none", "a", ""},
		{"sent once more", platform{docs: []string{"a", "b", "c"}, lost: 1}, Documents{Batch: 1, Again: true, Absent: absent}, "a:done b:done c:done", "a a b c", ""},
		{"broken off midway", platform{docs: []string{"a", "b", "c"}, fails: map[string]error{"b": errBroken}}, Documents{Batch: 9, ReadFirst: true},
			"a:done b:failed/unavailable/none c:failed/unavailable/none", "a+b+c", ""},
		{"the rest sent again", platform{docs: []string{"a", "b", "c"}, fails: map[string]error{"b": errBroken}}, Documents{Batch: 9, ReadFirst: true, Resend: resend},
			"a:done b:failed/unavailable/none c:done", "a+b+c b+c b c", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, w := tt.p, tt.w
			w.Send, w.Done = p.send, vendors.Done
			if w.ReadFirst {
				w.Read = p.read
			}
			out, err := w.Run(t.Context(), []string{"a", "b", "c"})
			if got := told(out); got != tt.want || strings.Join(p.sent, " ") != tt.sent || (err != nil) != (tt.err != "") || err != nil && vendors.KindOf(err) != tt.err {
				t.Errorf("%s after %q, %v\nwant %s after %q, %s", got, p.sent, err, tt.want, tt.sent, tt.err)
			}
		})
	}
}

func TestCreate(t *testing.T) {
	for _, tt := range []struct {
		name    string
		err     error
		found   []string
		lookErr error
		want    string
		outcome string
	}{
		{name: "made", want: "new"},
		{name: "refused", err: errBad, outcome: "none"},
		{name: "lost and there", err: errLost, found: []string{"x"}, want: "x"},
		{name: "lost and two", err: errLost, found: []string{"x", "y"}, outcome: "unknown"},
		{name: "lost and not there", err: errLost, outcome: "unknown"},
		{name: "failed and not there", err: errBroken, outcome: "none"},
		{name: "lost, and an older one has the name", err: errLost, lookErr: Refused{errBad}, outcome: "none"},
		{name: "failed and nobody can tell", err: errBroken, lookErr: errBusy, outcome: "unknown"},
	} {
		send := func(context.Context) (string, error) {
			if tt.err != nil {
				return "", tt.err
			}
			return "new", nil
		}
		made, _, err := Create(t.Context(), send, func(context.Context) ([]string, error) { return tt.found, tt.lookErr })
		if tt.outcome == "" && (err != nil || made != tt.want) || tt.outcome != "" && (err == nil || vendors.WriteReportOf(err).Outcome != tt.outcome) {
			t.Errorf("%s: %q, %v", tt.name, made, err)
		}
	}
}

func TestTextCheck(t *testing.T) {
	name := Text{Platform: "P", Most: 4, Bytes: true, Refused: `/\`}
	for value, ok := range map[string]bool{"abcd": true, "abcde": false, "文": true, "文文": false, " ": false, "a/b": false, "a\x00": false} {
		if err := name.Check("name", value); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
	if err := (Text{Platform: "P", Most: 2, Blank: true}).Check("description", ""); err != nil {
		t.Error(err)
	}
}

// A request that failed is looked at where it may have done something, or where
// a document may have changed since it was read.
func TestLooks(t *testing.T) {
	denied := vendors.Errorf(vendors.PermissionDenied, "no")
	half := &vendors.Error{Kind: vendors.Unsupported, Message: "it says what it did", Effect: vendors.SomeEffect}
	for _, tt := range []struct {
		w    Documents
		err  error
		look bool
	}{
		{Documents{}, errLost, true},
		{Documents{}, errBad, false},
		{Documents{Races: true}, errBad, true},
		{Documents{}, errGone, false},
		{Documents{Races: true}, errGone, true},
		{Documents{Midway: true}, errGone, true},
		{Documents{Races: true}, denied, false},
		{Documents{Midway: true}, denied, true},
		{Documents{Races: true, Midway: true}, errBusy, false},
		{Documents{Races: true, Midway: true}, half, false},
	} {
		if got := tt.w.mayHaveDone(tt.err, make([]vendors.Document, 1)); got != tt.look {
			t.Errorf("Races %v, Midway %v, %v: look %v", tt.w.Races, tt.w.Midway, tt.err, got)
		}
	}
}
