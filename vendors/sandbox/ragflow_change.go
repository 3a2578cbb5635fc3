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
		d.Started, d.Updated, d.Edited = now, now, nil
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
	st := s.state(d)
	return st.Phase == Queued || st.Phase.Working() || stuck(st)
}

// ragflowBroken reports a document that a start cannot put into the queue: its
// pages cannot be counted, or (v0.24, method table) its rows.
func (s *Sandbox) ragflowBroken(d *Document, server ragflowServer) bool {
	if d.Format == "pdf" {
		return brokenPDF(d.Text)
	}
	kb := s.store.KB(RAGFlow, d.KB)
	return server == ragOld && d.Format == "html" && kb != nil && kb.Kind == "table"
}

// brokenPDF reports a text that was uploaded as a PDF and is none. (The seeds'
// texts are what was extracted.)
func brokenPDF(text string) bool { return strings.HasPrefix(text, "broken ") }

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
	name = s.ragflowFree(kb, name)
	return s.store.Add(Document{
		Platform: RAGFlow, KB: kb, Name: name, Format: suffix(name), Source: source, URL: url,
		Size: len(content), Text: content, Created: now, Updated: now,
	})
}

// ragflowFree is the name, or "a(1).txt" when it is taken. It is cut where it gets
// too long, which may take its extension.
func (s *Sandbox) ragflowFree(kb, name string) string {
	ext := path.Ext(name)
	free := name
	for n := 1; s.ragflowNamed(kb, free); n++ {
		if free = fmt.Sprintf("%s(%d)%s", strings.TrimSuffix(name, ext), n, ext); len(free) > ragflowMaxName {
			free = free[:ragflowMaxName]
		}
	}
	return free
}

// ragflowMaxName is the longest name of a file, in bytes.
const ragflowMaxName = 255

// ragflowNamed reports that a dataset has a document of a name, in whatever case.
func (s *Sandbox) ragflowNamed(kb, name string) bool {
	docs := s.store.Documents(RAGFlow, kb)
	for i := range docs.Len() {
		if strings.EqualFold(docs.At(i).Name, name) {
			return true
		}
	}
	return false
}

// ragflowFreeKB is a dataset's name, or "x(1)" when it is taken.
func (s *Sandbox) ragflowFreeKB(name string) string {
	free := name
	for n := 1; s.ragflowKBNamed(free) != nil; n++ {
		free = fmt.Sprintf("%s(%d)", name, n)
	}
	return free
}

// ragflowKBNamed is the dataset of a name, in whatever case.
func (s *Sandbox) ragflowKBNamed(name string) *KnowledgeBase {
	for _, kb := range s.store.KBs(RAGFlow) {
		if strings.EqualFold(kb.Name, name) {
			return kb
		}
	}
	return nil
}

func (s *Sandbox) ragflowNewKB(name, description string) *KnowledgeBase {
	now := s.now()
	return s.store.AddKB(KnowledgeBase{
		Platform: RAGFlow, Name: s.ragflowFreeKB(name), Description: description, Created: now, Updated: now,
	})
}

// ragflowUnread reports a name whose suffix RAGFlow does not take.
func ragflowUnread(name string) bool { return !ragflowReads(suffix(name)) }

func ragflowReads(suffix string) bool {
	const known = " pdf doc docx ppt pptx yml xml htm html json jsonl ldjson csv txt ini xls xlsx wps rtf hlp pages numbers key md mdx py js " +
		"java c cpp h php go ts sh cs kt sql eml msg epub wav flac ape alac mp3 aac ogg opus jpg jpeg png tif tiff gif bmp webp avif svg " +
		"mpg mpeg avi rmvb mov wmv mp4 mkv webm "
	return suffix != "" && strings.Contains(known, " "+suffix+" ")
}

// ragflowPieces is a document's chunks, which are there when it is done, or when
// somebody has added one.
func (s *Sandbox) ragflowPieces(d *Document) []Chunk {
	if s.state(d).Phase != Completed && d.Edited == nil {
		return nil
	}
	return d.Parts()
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
