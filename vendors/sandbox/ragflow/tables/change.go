package tables

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors/sandbox/world"
)

// What both generations of RAGFlow do to the store.

// FailEvery makes one start in so many fail, by the document's number.
const FailEvery = 8

// plan is the life of a started document. One in eight fails at its first
// start and succeeds at the next.
func (s *Tables) plan(d *world.Document) world.Plan {
	if d.Seq%FailEvery == 0 && d.Started.IsZero() {
		return world.Failing("", "Internal server error while chunking: the file is damaged").Sped(s.Speed())
	}
	return world.Plan{Stages: []world.Stage{
		{Phase: world.Queued, For: 2 * time.Second}, {Phase: world.Parsing, For: 2 * time.Second},
		{Phase: world.Splitting, For: time.Second}, {Phase: world.Indexing, For: 3 * time.Second},
	}}.Sped(s.Speed())
}

// Start parses a document, again if it was parsed before: its chunks are
// gone at once.
func (s *Tables) Start(id string) {
	now := s.Now()
	s.Update(id, func(d *world.Document) {
		d.Plan = s.plan(d)
		d.Started, d.Updated, d.Edited = now, now, nil
	})
}

// Stop ends the parsing of a document for good. raw is what the run column
// says afterwards when it is not that.
func (s *Tables) Stop(id, raw string) {
	now := s.Now()
	s.Update(id, func(d *world.Document) {
		d.Plan = d.Plan.Stopped(now.Sub(d.Started), world.Cancelled)
		d.Plan.Raw = raw
		d.Updated = now
	})
}

// Busy reports that a document is waiting or at work.
func (s *Tables) Busy(d *world.Document) bool {
	st := s.State(d)
	return st.Phase == world.Queued || st.Phase.Working() || IsStuck(st)
}

// Broken reports a document that a start cannot put into the queue: its
// pages cannot be counted, or (v0.24, method table) its rows.
func (s *Tables) Broken(d *world.Document, server Server) bool {
	if d.Format == "pdf" {
		return BrokenPDF(d.Text)
	}
	kb := s.KB(d.KB)
	return server == Old && d.Format == "html" && kb != nil && kb.Kind == "table"
}

// BrokenPDF reports a text that was uploaded as a PDF and is none. (The seeds'
// texts are what was extracted.)
func BrokenPDF(text string) bool { return strings.HasPrefix(text, "broken ") }

// In finds a document of one dataset; nil for one of another.
func (s *Tables) In(kb, id string) *world.Document {
	if d := s.Document(id); d != nil && d.KB == kb {
		return d
	}
	return nil
}

// Put stores an upload under a free name; nobody parses it yet.
func (s *Tables) Put(kb, name, source, url, content string) *world.Document {
	now := s.Now()
	name = s.Free(kb, name)
	return s.Add(world.Document{
		KB: kb, Name: name, Format: world.Suffix(name), Source: source, URL: url,
		Size: len(content), Text: content, Created: now, Updated: now,
	})
}

// Free is the name, or "a(1).txt" when it is taken. It is cut where it gets
// too long, which may take its extension.
func (s *Tables) Free(kb, name string) string {
	ext := path.Ext(name)
	free := name
	for n := 1; s.Named(kb, free); n++ {
		if free = fmt.Sprintf("%s(%d)%s", strings.TrimSuffix(name, ext), n, ext); len(free) > MaxName {
			free = free[:MaxName]
		}
	}
	return free
}

// MaxName is the longest name of a file, in bytes.
const MaxName = 255

// Named reports that a dataset has a document of a name, in whatever case.
func (s *Tables) Named(kb, name string) bool {
	docs := s.Documents(kb)
	for d := range docs.All() {
		if strings.EqualFold(d.Name, name) {
			return true
		}
	}
	return false
}

// FreeKB is a dataset's name, or "x(1)" when it is taken.
func (s *Tables) FreeKB(name string) string {
	free := name
	for n := 1; s.KbNamed(free) != nil; n++ {
		free = fmt.Sprintf("%s(%d)", name, n)
	}
	return free
}

// KbNamed is the dataset of a name, in whatever case.
func (s *Tables) KbNamed(name string) *world.KnowledgeBase {
	for _, kb := range s.KBs() {
		if strings.EqualFold(kb.Name, name) {
			return kb
		}
	}
	return nil
}

func (s *Tables) NewKB(name, description string) *world.KnowledgeBase {
	now := s.Now()
	return s.AddKB(world.KnowledgeBase{
		Name: s.FreeKB(name), Description: description, Created: now, Updated: now,
	})
}

// Unread reports a name whose suffix RAGFlow does not take.
func Unread(name string) bool { return !reads(world.Suffix(name)) }

func reads(suffix string) bool {
	const known = " pdf doc docx ppt pptx yml xml htm html json jsonl ldjson csv txt ini xls xlsx wps rtf hlp pages numbers key md mdx py js " +
		"java c cpp h php go ts sh cs kt sql eml msg epub wav flac ape alac mp3 aac ogg opus jpg jpeg png tif tiff gif bmp webp avif svg " +
		"mpg mpeg avi rmvb mov wmv mp4 mkv webm "
	return suffix != "" && strings.Contains(known, " "+suffix+" ")
}

// Pieces is a document's chunks, which are there when it is done, or when
// somebody has added one.
func (s *Tables) Pieces(d *world.Document) []world.Chunk {
	if s.State(d).Phase != world.Completed && d.Edited == nil {
		return nil
	}
	return d.Parts()
}

// ChunkID is the id of the n-th chunk of a document.
func ChunkID(d *world.Document, n int) string { return world.Digest("chunk", d.ID, n)[:16] }

// Fields is an object as fields in the order of their names.
func Fields(m map[string]any) []world.Field {
	fields := make([]world.Field, 0, len(m))
	for name, value := range m {
		kind := "string"
		if _, ok := value.(string); !ok {
			kind = "number"
		}
		fields = append(fields, world.Field{Name: name, Type: kind, Value: value})
	}
	slices.SortFunc(fields, func(a, b world.Field) int { return cmp.Compare(a.Name, b.Name) })
	return fields
}

// Rename gives a document another name with the same extension. The text
// is why not; taken tells the two reasons apart.
func (s *Tables) Rename(d *world.Document, name string) (extension, taken bool) {
	if world.Suffix(name) != world.Suffix(d.Name) {
		return true, false
	}
	if !strings.EqualFold(name, d.Name) && s.Named(d.KB, name) {
		return false, true
	}
	now := s.Now()
	s.Update(d.ID, func(d *world.Document) { d.Name, d.Updated = name, now })
	return false, false
}

// Set gives a document a life that begins now.
func (s *Tables) Set(id string, p world.Plan) {
	now := s.Now()
	s.Update(id, func(d *world.Document) { d.Plan, d.Started, d.Updated, d.Edited = p, now, now, nil })
}

func (s *Tables) ChangeKB(id string, name, description *string) {
	now := s.Now()
	s.UpdateKB(id, func(kb *world.KnowledgeBase) {
		if name != nil {
			kb.Name = *name
		}
		if description != nil {
			kb.Description = *description
		}
		kb.Updated = now
	})
}
