package sandbox

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// What both generations of RAGFlow do to the store.

// ragflowFailEvery makes one start in so many fail, by the document's number.
const ragflowFailEvery = 8

// ragflowPlan is the life of a started document. One in eight fails at its first
// start and succeeds at the next.
func (s *Sandbox) ragflowPlan(d *Document) Plan {
	if d.Seq%ragflowFailEvery == 0 && d.Started.IsZero() {
		return Failing("", "Internal server error while chunking: the file is damaged").sped(s.opts.Speed)
	}
	return Plan{Stages: []Stage{
		{Phase: Queued, For: 2 * time.Second}, {Phase: Parsing, For: 2 * time.Second},
		{Phase: Splitting, For: time.Second}, {Phase: Indexing, For: 3 * time.Second},
	}}.sped(s.opts.Speed)
}

// ragflowStart parses a document, anew if it was parsed before: its chunks are
// gone at once.
func (s *Sandbox) ragflowStart(id string) {
	now := s.now()
	s.store.Update(RAGFlow, id, func(d *Document) {
		d.Plan = s.ragflowPlan(d)
		d.Started, d.Updated = now, now
	})
}

// ragflowStop ends the parsing of a document for good. raw is what the run column
// says afterwards when it is not that.
func (s *Sandbox) ragflowStop(id, raw string) {
	now := s.now()
	s.store.Update(RAGFlow, id, func(d *Document) {
		d.Plan = d.Plan.Stopped(now.Sub(d.Started), Cancelled)
		d.Plan.Raw = raw
		d.Updated = now
	})
}

// ragflowBusy reports that a document is waiting or at work.
func (s *Sandbox) ragflowBusy(d *Document) bool {
	p := s.state(d).Phase
	return p == Queued || p.Working()
}

// ragflowIn finds a document of one dataset; nil for one of another.
func (s *Sandbox) ragflowIn(kb, id string) *Document {
	if d := s.store.Document(RAGFlow, id); d != nil && d.KB == kb {
		return d
	}
	return nil
}

// ragflowAdd stores an upload under a free name; nobody parses it yet.
func (s *Sandbox) ragflowAdd(kb, name, source, url, content string) *Document {
	now := s.now()
	return s.store.Add(Document{
		Platform: RAGFlow, KB: kb, Name: s.ragflowFree(kb, name), Format: suffix(name), Source: source, URL: url,
		Size: len(content), Text: content, Created: now, Updated: now,
	})
}

// ragflowFree is the name, or "a(1).txt" when it is taken.
func (s *Sandbox) ragflowFree(kb, name string) string {
	ext := path.Ext(name)
	free := name
	for n := 1; s.ragflowTaken(kb, free); n++ {
		free = fmt.Sprintf("%s(%d)%s", strings.TrimSuffix(name, ext), n, ext)
	}
	return free
}

func (s *Sandbox) ragflowTaken(kb, name string) bool {
	docs := s.store.Documents(RAGFlow, kb)
	for i := range docs.Len() {
		if docs.At(i).Name == name {
			return true
		}
	}
	return false
}

// ragflowFreeKB is a dataset's name, or "x(1)" when it is taken.
func (s *Sandbox) ragflowFreeKB(name string) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(s.store.KBs(RAGFlow), func(kb *KnowledgeBase) bool { return kb.Name == name })
	}
	free := name
	for n := 1; taken(free); n++ {
		free = fmt.Sprintf("%s(%d)", name, n)
	}
	return free
}

func (s *Sandbox) ragflowNewKB(name, description string) *KnowledgeBase {
	now := s.now()
	return s.store.AddKB(KnowledgeBase{
		Platform: RAGFlow, Name: s.ragflowFreeKB(name), Description: description, Created: now, Updated: now,
	})
}

// ragflowRename gives a document another name with the same extension. The text
// is why not; taken tells the two reasons apart.
func (s *Sandbox) ragflowRename(d *Document, name string) (extension, taken bool) {
	if path.Ext(strings.ToLower(name)) != path.Ext(strings.ToLower(d.Name)) {
		return true, false
	}
	if name != d.Name && s.ragflowTaken(d.KB, name) {
		return false, true
	}
	now := s.now()
	s.store.Update(RAGFlow, d.ID, func(d *Document) { d.Name, d.Updated = name, now })
	return false, false
}

// ragflowUnread reports a suffix that RAGFlow does not take.
func ragflowUnread(name string) bool {
	switch suffix(name) {
	case "exe", "dll", "bin", "zip", "rar", "7z", "gz", "tar", "iso", "":
		return true
	}
	return false
}

// ragflowPieces is a document's chunks, which are there when it is done.
func (s *Sandbox) ragflowPieces(d *Document) []string {
	if s.state(d).Phase != Completed {
		return nil
	}
	return d.Chunks()
}

// ragflowChunkID is the id of the n-th chunk of a document.
func ragflowChunkID(d *Document, n int) string { return digest("chunk", d.ID, n)[:16] }

// ragflowFields is an object as fields in the order of their names.
func ragflowFields(m map[string]any) []Field {
	fields := make([]Field, 0, len(m))
	for name, value := range m {
		kind := "string"
		if _, ok := value.(string); !ok {
			kind = "number"
		}
		fields = append(fields, Field{Name: name, Type: kind, Value: value})
	}
	slices.SortFunc(fields, func(a, b Field) int { return cmp.Compare(a.Name, b.Name) })
	return fields
}
