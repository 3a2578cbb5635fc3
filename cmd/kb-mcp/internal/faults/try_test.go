package faults

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kb-mcp/tools"
	"kb-mcp/vendors"
	"kb-mcp/vendors/vendortest"
)

// faultTime bounds a call; slack is what a busy machine may add. One request may
// take 30 s ([lab.connect]): what is left behind stays longer than half a call.
const (
	faultTime = 40 * time.Second
	slack     = 5 * time.Second
)

// try asks one question through a fault and notes what the agent sees. It ends
// when the listener has no connection left.
func (l *lab) try(c *column, f mishap, o operation) {
	carried := &safeBuffer{}
	srv := httptest.NewUnstartedServer(l.handler(c, f, carried))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	if f.start == nil {
		srv.Start()
	} else {
		f.start(srv)
	}
	defer srv.Close()
	conf := l.connect(c, f, srv.URL)
	ctx, cancel := context.WithTimeout(l.t.Context(), faultTime)
	defer cancel()
	began := time.Now()
	a, _ := conf.Tools().Call(ctx, o.tool, o.args)
	took := time.Since(began)
	where := fmt.Sprintf("%s, %s, %s", f.row, c.face, o.name)
	if took > faultTime+slack {
		l.t.Errorf("%s: answered after %s", where, took)
	}
	began = time.Now()
	srv.Close() // waits until its clients have left
	if took := time.Since(began); took > faultTime/2 {
		l.t.Errorf("%s: a connection was left behind for %s", where, took)
	}
	l.secret(where, string(a.Text), conf.secrets, carried)
	l.secret(where+": the log", conf.log.String(), conf.secrets, carried)
	l.note(f.row, c.face, l.judge(where, c, o, f, a)...)
}

// secret fails when text holds a credential, or what was sent for one.
func (l *lab) secret(where, text string, secrets []string, carried *safeBuffer) {
	for line := range strings.Lines(carried.String()) {
		if words := strings.Fields(line); len(words) > 0 {
			secrets = append(secrets, strings.TrimPrefix(words[len(words)-1], "Signature="))
		}
	}
	for _, s := range secrets {
		if strings.Contains(text, s) {
			l.t.Errorf("%s: a credential is in %s", where, text)
		}
	}
}

// What an agent sees that is no error.
const (
	rightAnswer = "right answer"
	otherAnswer = "valid answer" // in the documented form, of what the platform said instead
)

// judge returns what the agent sees, and fails when that is neither right nor a
// classified error.
func (l *lab) judge(where string, c *column, o operation, f mishap, a tools.Answer) []string {
	switch {
	case a.Failed:
		var e struct{ Error vendors.ErrorReport }
		if err := json.Unmarshal(a.Text, &e); err != nil {
			l.t.Errorf("%s: %v", where, err)
		}
		return []string{l.failure(where, c, f, e.Error, a.Text)}
	case bytes.Equal(a.Text, o.right):
		return []string{rightAnswer}
	}
	vendortest.Invariants(l.t, a.Text)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.Text))
	if err == nil {
		err = l.schemas[o.tool].Validate(v)
	}
	if err = errors.Join(err, json.Unmarshal(a.Text, new(any))); err != nil { // readers without big numbers can read it
		l.t.Errorf("%s: %v\n%s", where, err, a.Text)
	}
	if gaps := l.gaps(where, c, f, a.Text); len(gaps) > 0 {
		return gaps
	}
	if !f.differs {
		l.t.Errorf("%s: %s\nis not right, which is\n%s", where, a.Text, o.right)
	}
	return []string{otherAnswer}
}

// gaps are the errors that find_unfinished_documents tells of.
func (l *lab) gaps(where string, c *column, f mishap, text []byte) (labels []string) {
	var found struct {
		Incomplete []struct {
			Vendor string
			Error  json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &found); err != nil {
		l.t.Errorf("%s: %v", where, err)
	}
	for _, gap := range found.Incomplete {
		var e vendors.ErrorReport
		if err := json.Unmarshal(gap.Error, &e); err != nil {
			l.t.Errorf("%s: %v", where, err)
		}
		e.Vendor = gap.Vendor // it stands beside the error
		labels = append(labels, l.failure(where, c, f, e, gap.Error))
	}
	return labels
}

// errorKinds are what an error may be; internal is none of them.
var errorKinds = []vendors.Kind{vendors.InvalidArgument, vendors.Unauthenticated, vendors.PermissionDenied, vendors.ErrNotFound,
	vendors.Conflict, vendors.RateLimited, vendors.QuotaExhausted, vendors.Unsupported, vendors.Unavailable,
	vendors.VendorError, vendors.BadResponse, vendors.Timeout}

// failure checks the form of an error and returns its kind.
func (l *lab) failure(where string, c *column, f mishap, e vendors.ErrorReport, text []byte) string {
	wrong := ""
	switch {
	case !slices.Contains(errorKinds, e.Kind):
		wrong = "the kind is none"
	case e.Message == "" || e.Hint == "":
		wrong = "no message or no hint"
	case len(text) > 2048:
		wrong = fmt.Sprintf("%d bytes", len(text))
	case e.Kind == vendors.RateLimited && e.RetryAfterSeconds < 1:
		wrong = "rate_limited without a time"
	case e.RetryAfterSeconds < 0 || e.RetryAfterSeconds > 3600:
		wrong = "no time to wait for"
	case f.waits != nil && f.waits(c.face) > 0 && (e.RetryAfterSeconds > f.waits(c.face) || e.RetryAfterSeconds < f.waits(c.face)-30):
		wrong = "not the time that the platform said"
	case e.Vendor != c.vendor:
		wrong = "of another connection"
	}
	if wrong != "" {
		l.t.Errorf("%s: %s: %s", where, wrong, text)
	}
	return "`" + string(e.Kind) + "`"
}

// note remembers what was seen.
func (l *lab) note(row, column string, labels ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := [2]string{row, column}
	if l.seen[key] == nil {
		l.seen[key] = map[string]bool{}
	}
	for _, label := range labels {
		l.seen[key][label] = true
	}
}

// cell is what was seen in a row of a column, in a fixed order.
func (l *lab) cell(row, column string) string {
	return cmp.Or(strings.Join(slices.Sorted(maps.Keys(l.seen[[2]string{row, column}])), ", "), "–")
}

// strictSchema compiles an output schema, with nothing allowed beyond it.
func strictSchema(t *testing.T, raw json.RawMessage) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	closed(doc)
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("s.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("s.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// closed forbids the fields that a schema does not name.
func closed(schema any) {
	m, _ := schema.(object)
	if props, ok := m["properties"].(object); ok {
		m["additionalProperties"] = false
		for _, p := range props {
			closed(p)
		}
	}
	if m["items"] != nil {
		closed(m["items"])
	}
}
