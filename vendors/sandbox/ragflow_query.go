package sandbox

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// datasetQuery is the checked query of the dataset list.
type datasetQuery struct {
	page, pageSize     int
	orderby            string
	desc               bool
	id, name, keywords string
}

// ragflowMaxPage is the largest page_size since v0.26.
const ragflowMaxPage = 100

// parseDatasetQuery checks like the platform's model of the request: every
// problem is one line, and parameters that it does not know are problems too.
func parseDatasetQuery(v url.Values) (datasetQuery, string) {
	q := datasetQuery{page: 1, pageSize: 30, orderby: "create_time", desc: true, id: v.Get("id"), name: v.Get("name")}
	var problems []string
	wrong := func(field, message string) {
		problems = append(problems, fmt.Sprintf("Field: <%s> - Message: <%s> - Value: <%s>", field, message, v.Get(field)))
	}
	if msg := datasetID(q.id); msg != "" {
		wrong("id", msg)
	}
	if msg := boundedInt(v, "page", &q.page, 0); msg != "" {
		wrong("page", msg)
	}
	if msg := boundedInt(v, "page_size", &q.pageSize, ragflowMaxPage); msg != "" {
		wrong("page_size", msg)
	}
	if v.Has("orderby") {
		q.orderby = v.Get("orderby")
		if q.orderby != "create_time" && q.orderby != "update_time" {
			wrong("orderby", "Input should be 'create_time' or 'update_time'")
		}
	}
	if v.Has("desc") {
		ok := false
		if q.desc, ok = looseBool(v.Get("desc")); !ok {
			wrong("desc", "Input should be a valid boolean, unable to interpret input")
		}
	}
	if v.Has("ext") {
		var ext struct{ Keywords string }
		if json.Unmarshal([]byte(v.Get("ext")), &ext) != nil {
			wrong("ext", "Input should be a valid dictionary")
		}
		q.keywords = ext.Keywords
	}
	known := []string{"id", "name", "page", "page_size", "orderby", "desc", "ext"}
	var extra []string
	for field := range v {
		if !slices.Contains(known, field) {
			extra = append(extra, field)
		}
	}
	slices.Sort(extra)
	for _, field := range extra {
		wrong(field, "Extra inputs are not permitted")
	}
	return q, strings.Join(problems, "\n")
}

// keeps says whether the query asks for kb.
func (q datasetQuery) keeps(kb *KnowledgeBase) bool {
	return (q.id == "" || kb.ID == q.id) && (q.name == "" || kb.Name == q.name) && hasKeywords(kb.Name, q.keywords)
}

// datasetID is what is wrong with an id: the list wants a UUID, with or without
// hyphens.
func datasetID(id string) string {
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if id == "" || err == nil && len(raw) == 16 {
		return ""
	}
	return "Invalid UUID1 format"
}

// boundedInt reads a number from 1 to top (0: no top) into n; the text is what
// is wrong with it.
func boundedInt(v url.Values, field string, n *int, top int) string {
	if !v.Has(field) {
		return ""
	}
	got, err := strconv.Atoi(v.Get(field))
	switch {
	case err != nil:
		return "Input should be a valid integer, unable to parse string as an integer"
	case got < 1:
		return "Input should be greater than or equal to 1"
	case top > 0 && got > top:
		return "Input should be less than or equal to " + strconv.Itoa(top)
	}
	*n = got
	return ""
}

// looseBool takes every spelling of a boolean that the platform's models take.
func looseBool(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "t", "yes", "y", "on", "1":
		return true, true
	case "false", "f", "no", "n", "off", "0":
		return false, true
	}
	return false, false
}

// ragflowWindow is at most limit entries from offset on (none past the end); a
// negative limit is all of them.
func ragflowWindow[T any](all []T, offset, limit int) []T {
	if offset < 0 || offset >= len(all) {
		return nil
	}
	if rest := len(all) - offset; limit < 0 || limit > rest {
		limit = rest
	}
	return all[offset : offset+limit]
}

// sortKBs orders a dataset list; the list comes newest first.
func sortKBs(kbs []*KnowledgeBase, orderby string, desc bool) {
	slices.SortStableFunc(kbs, func(a, b *KnowledgeBase) int {
		c := a.Created.Compare(b.Created)
		if orderby == "update_time" {
			c = a.Updated.Compare(b.Updated)
		}
		if c == 0 {
			c = a.Seq - b.Seq
		}
		if desc {
			return -c
		}
		return c
	})
}
