package world

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// everything lists all documents of a platform.
func everything(s *World, platform string) (out []*Document) {
	for _, kb := range s.Store(platform).KBs() {
		out = append(out, s.Store(platform).Documents(kb.ID).Window(0, -1)...)
	}
	return out
}

func TestSeedCoversEveryStatus(t *testing.T) {
	s := New(Options{Now: func() time.Time { return start }})
	for platform, want := range map[string][]Phase{
		Coze:       {Queued, Parsing, Completed, Failed, Deleting, Other},
		Dify:       {Queued, Indexing, Completed, Failed, Paused, Other},
		RAGFlow:    {Unstarted, Queued, Parsing, Completed, Failed, Cancelled, Other},
		Volcengine: {Queued, Parsing, Completed, Failed, Deleting, Other},
	} {
		have := map[Phase]int{}
		var emoji, markup, signed, disabled bool
		for _, d := range everything(s, platform) {
			st := d.State(start)
			have[st.Phase]++
			emoji = emoji || strings.Contains(d.Name, "🚀")
			markup = markup || strings.Contains(d.Name, `<b>&"`)
			signed = signed || strings.Contains(d.URL, "?")
			disabled = disabled || d.Disabled || platform == Volcengine
			if st.Phase == Completed && d.Text == "" {
				t.Errorf("%s: %s is completed without a text", platform, d.Name)
			}
			if d.Created.After(start) || d.KB == "" {
				t.Errorf("%s: %s was made at %v in %q", platform, d.Name, d.Created, d.KB)
			}
		}
		for _, p := range want {
			if have[p] == 0 {
				t.Errorf("%s has no document that is %s", platform, p)
			}
			delete(have, p)
		}
		if len(have) > 0 {
			t.Errorf("%s has phases that it cannot have, or that the test forgot: %v", platform, have)
		}
		if !emoji || !markup || !signed || !disabled {
			t.Errorf("%s: emoji %v, markup %v, signed URL %v, disabled %v", platform, emoji, markup, signed, disabled)
		}
		if n := len(s.Store(platform).KBs()); n < 3 || n > 4 {
			t.Errorf("%s has %d knowledge bases", platform, n)
		}
	}
}

func TestSeedMoves(t *testing.T) {
	s := New(Options{Now: func() time.Time { return start }})
	for _, platform := range []string{Coze, Dify, RAGFlow, Volcengine} {
		moving, staying := 0, 0
		for _, d := range everything(s, platform) {
			if !d.State(start).Ended.IsZero() || d.Started.IsZero() {
				continue
			}
			switch end := d.State(start.Add(90 * time.Second)).Ended; {
			case end.IsZero():
				staying++
			case end.Sub(start) >= 20*time.Second:
				moving++
			}
		}
		if moving < 2 || staying < 1 {
			t.Errorf("%s: %d documents finish within 90 s and %d do not", platform, moving, staying)
		}
	}
}

func TestBulk(t *testing.T) {
	s := New(Options{Now: func() time.Time { return start }, Documents: 1000})
	for _, platform := range []string{Coze, Dify, RAGFlow, Volcengine} {
		docs := s.Store(platform).Documents(s.KnowledgeBaseID(platform, BulkName(platform)))
		have := map[Phase]int{}
		var created []time.Time
		for i := range docs.Len() {
			have[docs.At(i).State(start).Phase]++
			created = append(created, docs.At(i).Created)
		}
		if have[Failed] != 1000/97 || have[Indexing] != 1000/211 || len(slices.Compact(created)) != 1000 {
			t.Errorf("%s: %v, %d different seconds", platform, have, len(slices.Compact(created)))
		}
	}
}

func TestPlanNotation(t *testing.T) {
	p, err := parsePlan("queued 5, parsing/7 2.5, failed/1000")
	if err != nil || len(p.Stages) != 2 || p.Stages[1] != (Stage{Parsing, 2500 * time.Millisecond, "7"}) || p.Outcome != Failed || p.Raw != "1000" {
		t.Errorf("parsePlan = %+v, %v", p, err)
	}
	if _, err := parsePlan("parsing soon"); err == nil {
		t.Error("a length that is no number is accepted")
	}
}
