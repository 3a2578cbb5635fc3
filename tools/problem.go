package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"kb-mcp/nearest"
	"kb-mcp/vendors"
	"kb-mcp/vendors/visible"
)

// problem is one thing that is wrong with the arguments of a call.
type problem struct {
	arg        string // the argument
	text, hint string // sentences, the text without its end
	mistyped   bool   // an argument of the tool has a value that it does not take
	unknown    bool   // it is not an argument of the tool
	meant      string // which one is, most likely
}

// Bounds of one error text: its JSON stays under 2 KB.
const (
	maxProblems = 8
	maxWords    = 700 // bytes of its message, and of its hint
)

// mistakes makes one error of everything that is wrong, so that the next call
// can be right. Without problems it is nil.
func mistakes(params []param, list []problem) error {
	if len(list) == 0 {
		return nil
	}
	var texts, hints []string
	size, unknown := 0, false
	for _, p := range list {
		unknown = unknown || p.unknown
		if size += len(p.text); len(texts) == maxProblems || size > maxWords && len(texts) > 0 {
			continue
		}
		texts, hints = append(texts, p.text), append(hints, p.hint)
		if p.meant != "" && len(list) > 1 {
			hints = append(hints, fmt.Sprintf("Did you mean `%s` by `%s`?", p.meant, visible.Short(p.arg)))
		} else if p.meant != "" {
			hints = append(hints, fmt.Sprintf("Did you mean `%s`?", p.meant))
		}
	}
	if unknown {
		hints = append(hints, knownArguments(params))
	}
	text := texts[0] + "."
	if len(list) > 1 {
		text = fmt.Sprintf("%d arguments are wrong: %s", len(list), strings.Join(texts, "; "))
		if more := len(list) - len(texts); more > 0 {
			text += fmt.Sprintf("; and %d more", more)
		}
		text += "."
	}
	return vendors.Errorf(vendors.InvalidArgument, "%s", text).WithHint(sentences(hints))
}

// sentences joins hints as far as there is room, the first always.
func sentences(hints []string) string {
	var b strings.Builder
	for _, h := range hints {
		switch {
		case h == "" || strings.Contains(b.String(), h):
		case b.Len() == 0:
			b.WriteString(h)
		case b.Len()+len(h) < maxWords:
			b.WriteString(" " + h)
		}
	}
	return b.String()
}

func (p param) missing() problem {
	return problem{arg: p.name, text: fmt.Sprintf("`%s` is missing", p.name), hint: p.takes()}
}

// refuse says what was wrong with a value and what is allowed.
func (p param) refuse(raw []byte) problem {
	hint := p.takes()
	var text string
	var texts []string
	id := strings.HasSuffix(strings.TrimSuffix(p.name, "s"), "_id")
	if id && json.Unmarshal(raw, &text) != nil && json.Unmarshal(raw, &texts) != nil {
		hint += " Ids are strings: write them in quotes, a number may already have lost digits."
	}
	return problem{arg: p.name, text: fmt.Sprintf("`%s` is %s", p.name, describe(raw)), hint: hint, mistyped: true}
}

// describe shows a value as the caller wrote it; of a long list, its length.
func describe(raw []byte) string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && (len(list) == 0 || len(raw) > 200) {
		return fmt.Sprintf("a list of %d", len(list))
	}
	var packed bytes.Buffer
	if json.Compact(&packed, raw) != nil {
		return visible.Short(string(raw))
	}
	return visible.Short(packed.String())
}

// takes says what an argument may be.
func (p param) takes() string { return fmt.Sprintf("`%s` takes %s.", p.name, p.allowed()) }

func (p param) allowed() string {
	switch {
	case p.enum != nil:
		return "one of " + strings.Join(p.enum, ", ")
	case p.kind == reflect.Int:
		return fmt.Sprintf("an integer from %d to %d", p.min, p.max)
	case p.kind == reflect.Slice:
		return fmt.Sprintf("a list of %d to %d strings", p.min, p.max)
	case p.kind == reflect.Bool:
		return "true or false"
	case p.kind == reflect.Map:
		return "an object, or its JSON text"
	case p.name == "knowledge_base_id":
		return "an id from list_knowledge_bases, a string that is not empty"
	case p.name == "document_id":
		return "an id from list_documents, a string that is not empty"
	case p.max > 0:
		return fmt.Sprintf("a string of at most %d characters that is not empty", p.max)
	}
	return "a string that is not empty"
}

// meanings are the names that other servers, platforms and models have for our
// arguments.
var meanings = map[string][]string{
	"vendor":            {"platform", "connection", "provider", "account", "vendor_name", "source", "service"},
	"knowledge_base_id": {"dataset_id", "dataset", "datasets", "kb_id", "kb", "knowledge_id", "knowledge_base", "knowledge", "collection", "collection_id", "collection_name", "resource_id", "base_id", "library_id"},
	"document_id":       {"doc_id", "doc", "document", "file_id", "id"},
	"document_ids":      {"doc_ids", "docs", "documents", "file_ids", "ids", "document_id", "doc_id", "file_id", "id"},
	"batch_id":          {"batch", "upload_id", "track_id"},
	"status":            {"state", "run", "filter", "indexing_status"},
	"name_contains":     {"keyword", "keywords", "filter", "search", "query", "q", "title", "name", "pattern"},
	"timeout_seconds":   {"timeout", "seconds", "wait", "timeout_ms", "max_wait"},
	"query":             {"q", "question", "search", "text", "prompt", "keyword", "keywords"},
	"name":              {"title", "file_name", "filename", "document_name", "doc_name", "display_name"},
	"description":       {"desc", "summary", "about"},
	"enabled":           {"enable", "active", "status", "disabled"},
	"metadata":          {"meta", "meta_fields", "fields", "attributes", "tags"},
	"text":              {"content", "body", "data", "markdown"},
	"url":               {"link", "uri", "source_url", "href", "address"},
	"path":              {"file", "file_path", "filepath", "filename", "local_path", "dest", "output"},
	"limit":             {"page_size", "size", "top_k", "topk", "k", "n", "count", "max_results", "per_page", "rows", "top_n"},
	"cursor":            {"page", "page_token", "next_cursor", "token", "offset", "next", "page_number", "page_num"},
}

// unknownArgument names the argument that was meant, as far as one can tell.
func unknownArgument(params []param, name string) problem {
	out := problem{arg: name, text: fmt.Sprintf("`%s` is not an argument of this tool", visible.Short(name)), unknown: true}
	var known []string
	for _, p := range params {
		known = append(known, p.name)
	}
	out.meant = nearest.Of(name, known)
	for _, p := range params {
		if out.meant == "" && nearest.Is(name, meanings[p.name]) {
			out.meant = p.name
		}
	}
	return out
}

// knownArguments lists the arguments of a tool.
func knownArguments(params []param) string {
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = p.name
	}
	if len(names) == 0 {
		return "This tool takes no arguments."
	}
	return "Known arguments: " + strings.Join(names, ", ") + "."
}
