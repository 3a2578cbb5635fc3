package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kb-mcp/vendors"
	"kb-mcp/vendors/sandbox"
)

// visitor is one session: it asks, and checks what it hears.
type visitor struct {
	w     *soakWorld
	road  road
	rng   *rand.Rand
	known *known
	last  atomic.Int64
	over  func() bool // time is up
}

func (w *soakWorld) visitor(r road, rng *rand.Rand) *visitor {
	v := &visitor{w: w, road: r, rng: rng, over: func() bool { return false }}
	v.last.Store(1)
	return v
}

// failed notes what should not have happened.
func (v *visitor) failed(format string, args ...any) {
	where := ""
	if v.known != nil {
		where = v.known.vendor
	}
	v.w.t.Errorf("%T, %s: %s", v.road, where, fmt.Sprintf(format, args...))
}

// callTime is more than any call may take.
const soakCallTime = 58 * time.Second

// ask makes one call and decodes its result into out; the error is what the
// agent would read.
func (v *visitor) ask(tool string, args map[string]any, out any) *vendors.ErrorReport {
	ctx, cancel := context.WithTimeout(context.Background(), soakCallTime)
	defer cancel()
	if args == nil {
		args = map[string]any{}
	}
	b, err := json.Marshal(args)
	if err != nil {
		v.failed("%v", err)
		return nil
	}
	id := int(v.last.Add(1))
	params := fmt.Sprintf(`"_meta":{"progressToken":"%d"},"name":%q,"arguments":%s`, id, tool, b)
	answer, before, err := v.road.call(ctx, id, "tools/call", params)
	what := tool + " " + string(b)
	switch {
	case err != nil:
		v.failed("%s: %v", what, err)
	case answer.Error != nil || answer.Result == nil || len(answer.Result.Content) != 1:
		v.failed("%s: no result: %s", what, compact(answer))
	case answer.Result.IsError:
		return v.refused(what, answer)
	default:
		v.told(what, id, before)
		v.answered(tool, what, answer, out)
	}
	return nil
}

// told checks that progress rises and is the call's own.
func (v *visitor) told(what string, id int, before []message) {
	last := -1.0
	for _, m := range before {
		if m.Method != "notifications/progress" || m.Params.ProgressToken != fmt.Sprint(id) || m.Params.Progress <= last {
			v.failed("%s, as request %d, heard %s", what, id, compact(before))
		}
		last = m.Params.Progress
	}
}

// answered checks the form of a result.
func (v *visitor) answered(tool, what string, answer message, out any) {
	text := []byte(answer.Result.Content[0].Text)
	v.w.happened(tool + " answered")
	one, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		v.failed("%s: %v in %s", what, err, text)
		return
	}
	other, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer.Result.StructuredContent))
	if err != nil || !reflect.DeepEqual(one, other) {
		v.failed("%s: text and structuredContent differ, %v:\n%s\n%s", what, err, text, answer.Result.StructuredContent)
	}
	if err := v.w.schemas[tool].Validate(one); err != nil {
		v.failed("%s: %v", what, err)
	}
	if n := utf8.RuneCount(text); n > 20_000 {
		v.failed("%s: %d characters", what, n)
	}
	if err := json.Unmarshal(text, out); err != nil {
		v.failed("%s: %v", what, err)
	}
}

// refused checks the form of an error.
func (v *visitor) refused(what string, answer message) *vendors.ErrorReport {
	text := answer.Result.Content[0].Text
	var e struct{ Error vendors.ErrorReport }
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		v.failed("%s: %v in %s", what, err, text)
	}
	r := e.Error
	if !slices.Contains(kinds(), r.Kind) || r.Message == "" || r.Hint == "" || len(text) > 2048 || answer.Result.StructuredContent != nil ||
		r.Kind == vendors.RateLimited && r.RetryAfterSeconds == 0 || strings.Contains(text, "cancelled") { // nobody cancels what is asked here
		v.failed("%s: a bad error: %s", what, text)
	}
	for _, secret := range []string{sandbox.CozeToken, sandbox.DifyKey, sandbox.RAGFlowKey, sandbox.RAGFlowToken, sandbox.VolcengineSecretKey, "X-Signature", "Signature="} {
		if strings.Contains(text, secret) {
			v.failed("%s: a secret: %s", what, text)
		}
	}
	v.w.happened("failed: " + string(r.Kind))
	return &r
}

// kinds are the kinds of failure, without internal.
func kinds() []vendors.Kind {
	return []vendors.Kind{
		vendors.InvalidArgument, vendors.Unauthenticated, vendors.PermissionDenied, vendors.ErrNotFound, vendors.Conflict, vendors.RateLimited,
		vendors.QuotaExhausted, vendors.Unsupported, vendors.Unavailable, vendors.VendorError, vendors.BadResponse, vendors.Timeout,
	}
}

// passing reports whether a good call may fail so under the faults of a front.
func passing(k vendors.Kind) bool {
	return slices.Contains([]vendors.Kind{vendors.RateLimited, vendors.Unavailable, vendors.Timeout, vendors.BadResponse}, k)
}

// get asks until it is answered. It is false when it gave up: with a passing
// failure at the end of the time, or with another, which is noted.
func (v *visitor) get(tool string, args map[string]any, out any) bool {
	for {
		r := v.ask(tool, args, out)
		if r == nil {
			return !v.w.t.Failed()
		}
		if !passing(r.Kind) {
			v.failed("%s %s: %s", tool, compact(args), compact(r))
			return false
		}
		if v.over() {
			return false
		}
		v.pause(min(time.Second, time.Duration(r.RetryAfterSeconds)*time.Second))
	}
}

// pause is an agent's between two tries.
func (v *visitor) pause(d time.Duration) {
	<-time.After(max(d, 50*time.Millisecond))
}

// args are a tool's for the visitor's connection.
func (v *visitor) args(kb string, more ...any) map[string]any {
	m := map[string]any{"vendor": v.known.vendor}
	if kb != "" {
		m["knowledge_base_id"] = kb
	}
	for i := 0; i < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}
