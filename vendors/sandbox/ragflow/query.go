package ragflow

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kb-mcp/vendors/sandbox/ragflow/tables"
	"kb-mcp/vendors/sandbox/world"
)

// datasetQuery is the checked query of the dataset list.
type datasetQuery struct {
	page, pageSize     int
	orderby            string
	desc, parsing      bool
	id, name, keywords string
	ids                []string
}

// maxPage is the largest page_size since v0.26.
const maxPage = 100

// parseDatasetQuery checks like the platform's model of the request: every
// problem is one line (Go names the first, and nothing but it), and parameters
// that it does not know are problems too.
func (f *face) parseDatasetQuery(v url.Values) (datasetQuery, string) {
	q := datasetQuery{page: 1, pageSize: 30, orderby: "create_time", desc: true, id: v.Get("id"), name: v.Get("name"), ids: v["ids"]}
	var problems []string
	wrong := func(field, message string) {
		switch {
		case message == "":
		case f.server == tables.Go:
			problems = append(problems, message)
		default:
			problems = append(problems, fmt.Sprintf("Field: <%s> - Message: <%s> - Value: <%s>", field, message, v.Get(field)))
		}
	}
	wrong("id", f.datasetID(q.id))
	wrong("page", boundedInt(v, "page", &q.page))
	wrong("page_size", boundedInt(v, "page_size", &q.pageSize))
	if q.pageSize > maxPage && f.server == tables.Python {
		wrong("page_size", "Value error, page_size must be less than or equal to "+strconv.Itoa(maxPage))
	}
	if v.Has("orderby") {
		if q.orderby = v.Get("orderby"); q.orderby != "create_time" && q.orderby != "update_time" {
			wrong("orderby", "Input should be 'create_time' or 'update_time'")
		}
	}
	for field, into := range map[string]*bool{"desc": &q.desc, "include_parsing_status": &q.parsing} {
		ok := true
		if v.Has(field) {
			*into, ok = looseBool(v.Get(field))
		}
		if !ok {
			wrong(field, "Input should be a valid boolean, unable to interpret input")
		}
	}
	if v.Has("ext") {
		var ext struct{ Keywords string }
		if json.Unmarshal([]byte(v.Get("ext")), &ext) != nil {
			wrong("ext", "Input should be a valid dictionary")
		}
		q.keywords = ext.Keywords
	}
	f.extra(v, wrong)
	if f.server == tables.Go && len(problems) > 0 {
		return q, problems[0]
	}
	return q, strings.Join(problems, "\n")
}

// extra names the parameters that the list does not know.
func (f *face) extra(v url.Values, wrong func(field, message string)) {
	known := []string{"id", "name", "page", "page_size", "orderby", "desc", "ext"}
	if f.server != tables.Old {
		known = append(known, "ids", "include_parsing_status")
	}
	var extra []string
	for field := range v {
		if !slices.Contains(known, field) {
			extra = append(extra, field)
		}
	}
	slices.Sort(extra)
	for _, field := range extra {
		text := "Extra inputs are not permitted"
		if f.server == tables.Go {
			text += ": " + field
		}
		wrong(field, text)
	}
}

// keeps says whether the query asks for kb, its keywords aside.
func (q datasetQuery) keeps(kb *world.KnowledgeBase) bool {
	return (q.id == "" || kb.ID == q.id) && (q.name == "" || kb.Name == q.name) && (len(q.ids) == 0 || slices.Contains(q.ids, kb.ID))
}

// datasetID is what is wrong with an id: the servers want a UUID, with or without
// hyphens, v0.24 one of version 1, and Go one that has a version.
func (f *face) datasetID(id string) string {
	if id == "" {
		return ""
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	form := err == nil && len(raw) == 16
	switch {
	case f.server == tables.Old && (!form || raw[6]>>4 != 1):
		return "Invalid UUID1 format"
	case !form, f.server == tables.Go && raw[6]>>4 == 0:
		return "Invalid UUID format"
	}
	return ""
}

// boundedInt reads a number from 1 on into n; the text is what is wrong with it.
func boundedInt(v url.Values, field string, n *int) string {
	if !v.Has(field) {
		return ""
	}
	got, err := strconv.Atoi(v.Get(field))
	switch {
	case err != nil:
		return "Input should be a valid integer, unable to parse string as an integer"
	case got < 1:
		return "Input should be greater than or equal to 1"
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
