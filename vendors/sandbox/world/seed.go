package world

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed seed.json
var seedJSON []byte

// seedKB is one knowledge base of seed.json. Times are ages: seconds before the
// sandbox's start.
type seedKB struct {
	ID, Name, Description, Kind, Technique string
	Project                                string
	Disabled, Private                      bool
	Age                                    float64
	Documents                              []seedDocument
}

// seedDocument is one document of seed.json.
type seedDocument struct {
	ID, Name, Source, URL, Text string
	Format                      *string // when it is not the name's suffix
	Size, Pieces, Hits          int
	Metadata                    []Field
	Age                         float64
	Started                     *float64 // when it is not Age
	Earlier                     float64  // an ingestion completed this long ago; 0: none did
	Disabled, Archived          bool
	Caption                     string // Coze: of an image
	Interval                    int    // Coze: hours after which it fetches itself again

	// Plan is the stages, then the outcome, joined by commas: "queued 5,
	// parsing 20, indexing 60, completed". A raw value follows a slash:
	// "parsing/7 90". Without an outcome it is completed; "unstarted" alone
	// means that nobody asked for ingestion.
	Plan          string
	Curve         []float64
	Code, Message string
}

// seed loads seed.json into the store, every age counted from now.
func (w *World) seed() {
	var all map[string][]seedKB
	if err := json.Unmarshal(seedJSON, &all); err != nil {
		panic("sandbox: seed.json: " + err.Error())
	}
	base := w.Now()
	for _, platform := range Platforms() {
		for _, k := range all[platform] {
			kb := w.Store(platform).AddKB(KnowledgeBase{
				ID: k.ID, Name: k.Name, Description: k.Description,
				Kind: k.Kind, Technique: k.Technique, Project: k.Project, Disabled: k.Disabled, Private: k.Private,
				Created: ago(base, k.Age), Updated: ago(base, k.Age),
			})
			for _, d := range k.Documents {
				doc := d.document(base, w.Speed())
				doc.KB = kb.ID
				w.Store(platform).Add(doc)
			}
		}
	}
}

// ago is the second that was age seconds before base.
func ago(base time.Time, age float64) time.Time {
	return base.Add(-time.Duration(age * float64(time.Second))).Truncate(time.Second).UTC()
}

func (d seedDocument) document(base time.Time, speed float64) Document {
	plan, err := parsePlan(d.Plan)
	if err != nil {
		panic(fmt.Sprintf("sandbox: seed.json: %s: %v", d.Name, err))
	}
	plan.Curve, plan.Code, plan.Message = d.Curve, d.Code, d.Message
	doc := Document{
		ID: d.ID, Name: d.Name, Format: Suffix(d.Name), Source: cmp.Or(d.Source, "file"), URL: d.URL,
		Text: d.Text, Size: d.Size, Pieces: d.Pieces, Hits: d.Hits, Metadata: d.Metadata,
		Created: ago(base, d.Age), Updated: ago(base, d.Age),
		Plan: plan.Sped(speed), Disabled: d.Disabled, Archived: d.Archived,
		Coze: CozeDetail{Caption: d.Caption, Interval: d.Interval},
	}
	if d.Format != nil {
		doc.Format = *d.Format
	}
	if plan.Outcome != Unstarted {
		doc.Started = doc.Created
	}
	if d.Started != nil {
		doc.Started = ago(base, *d.Started)
	}
	if d.Earlier > 0 {
		doc.Earlier = ago(base, d.Earlier)
	}
	return doc
}

// parsePlan reads the notation that [seedDocument] describes.
func parsePlan(text string) (Plan, error) {
	var p Plan
	for part := range strings.SplitSeq(text, ",") {
		word, length, staged := strings.Cut(strings.TrimSpace(part), " ")
		name, raw, _ := strings.Cut(word, "/")
		if !staged {
			p.Outcome, p.Raw = Phase(name), raw
			continue
		}
		secs, err := strconv.ParseFloat(length, 64)
		if err != nil {
			return p, err
		}
		p.Stages = append(p.Stages, Stage{Phase(name), time.Duration(secs * float64(time.Second)), raw})
	}
	return p, nil
}

// bulk adds the large knowledge base to every platform: documents one second
// apart, all in the past, every 97th failed and every 211th at work for weeks.
func (w *World) bulk(n int) {
	if n <= 0 {
		return
	}
	base := w.Now()
	for _, platform := range Platforms() {
		first := ago(base, float64(n+3600))
		kb := w.Store(platform).AddKB(KnowledgeBase{
			Name: BulkName(platform), Description: "Archive 档案库",
			Technique: "high_quality", Project: "default", Created: first, Updated: first,
		})
		for i := range n {
			w.Store(platform).Add(bulkDocument(platform, kb.ID, i, first.Add(time.Duration(i)*time.Second)))
		}
	}
}

// BulkName is the name of the large knowledge base. Volcengine's names take
// ASCII letters, digits and underlines only.
func BulkName(platform string) string {
	if platform == Volcengine {
		return "archive"
	}
	return "Archive 档案库"
}

func bulkDocument(platform, kb string, i int, at time.Time) Document {
	name := fmt.Sprintf("%05d.md", i+1)
	text := fmt.Sprintf("第%d号档案", i+1)
	d := Document{
		KB: kb, Name: name, Format: "md", Source: "file",
		Text: text, Size: len(text), Created: at, Updated: at, Started: at,
		Plan: Immediate(Completed),
	}
	switch {
	case (i+1)%97 == 0:
		d.Plan = Plan{Outcome: Failed, Code: bulkCode(platform), Message: "the file is damaged"}
	case (i+1)%211 == 0:
		d.Plan = Plan{Stages: []Stage{{Phase: Indexing, For: 30 * 24 * time.Hour}}}
	}
	return d
}

// bulkCode is a failure code for the one platform that has codes.
func bulkCode(platform string) string {
	if platform == Volcengine {
		return "35002"
	}
	return ""
}
