package ragflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/internal/web"
	"kb-mcp/vendors/sandbox/ragflow/tables"
)

// chunkMethods are the ways to cut a document that the Python servers know.
var chunkMethods = []string{
	"naive", "book", "email", "laws", "manual", "one", "paper", "picture", "presentation", "qa", "table", "tag", "resume",
}

// pythonComplaint is how the Python servers refuse a member of a request.
func pythonComplaint(key, text string, raw json.RawMessage) string {
	var v any
	_ = json.Unmarshal(raw, &v)
	value, ok := v.(string)
	if !ok {
		value = pythonText(v)
	}
	if runes := []rune(value); len(runes) > 128 {
		value = string(runes[:125]) + "..."
	}
	return fmt.Sprintf("Field: <%s> - Message: <%s> - Value: <%s>", key, text, value)
}

// pythonDataset is what the Python servers find wrong with a dataset's members,
// other than its name.
func pythonDataset(a args) string {
	var lines []string
	for _, key := range []string{"avatar", "description", "embedding_model", "permission", "chunk_method", "pagerank"} {
		raw, given := a[key]
		if !given {
			continue
		}
		if text := pythonMember(key, raw); text != "" {
			lines = append(lines, pythonComplaint(key, text, raw))
		}
	}
	return strings.Join(lines, "\n")
}

// pythonMember is what is wrong with one member; "" if nothing is.
func pythonMember(key string, raw json.RawMessage) string {
	var text string
	isText := json.Unmarshal(raw, &text) == nil && string(raw) != "null"
	switch {
	case key == "pagerank":
		var n int
		switch err := json.Unmarshal(raw, &n); {
		case err != nil || string(raw) == "null":
			return "Input should be a valid integer"
		case n < 0:
			return "Input should be greater than or equal to 0"
		case n > 100:
			return "Input should be less than or equal to 100"
		}
	case key == "permission":
		if !isText || text != "me" && text != "team" {
			return "Input should be 'me' or 'team'"
		}
	case string(raw) == "null":
	case key == "chunk_method":
		if !slices.Contains(chunkMethods, text) {
			last := len(chunkMethods) - 1
			return "Input should be '" + strings.Join(chunkMethods[:last], "', '") + "' or '" + chunkMethods[last] + "'"
		}
	case !isText:
		return "Input should be a valid string"
	case key == "embedding_model":
		return pythonModel(strings.TrimSpace(text))
	case utf8.RuneCountInString(text) > 65535:
		return "String should have at most 65535 characters"
	case key == "avatar" && !strings.Contains(text, ","):
		return "Missing MIME prefix. Expected format: data:<mime>;base64,<data>"
	}
	return ""
}

// pythonModel is what is wrong with the name of a model.
func pythonModel(text string) string {
	name, provider, found := strings.Cut(text, "@")
	switch {
	case utf8.RuneCountInString(text) > 255:
		return "String should have at most 255 characters"
	case !found:
		return "Embedding model identifier must follow <model_name>@<provider> format"
	case name == "" || provider == "":
		return "Both model_name and provider must be non-empty strings"
	}
	return ""
}

// checkExtra is the Python servers' refusal of members that a call does not know.
func (f *face) checkExtra(a args, known ...string) {
	var lines []string
	for key, raw := range a {
		if !slices.Contains(known, key) {
			lines = append(lines, pythonComplaint(key, "Extra inputs are not permitted", raw))
		}
	}
	slices.Sort(lines)
	if len(lines) > 0 && f.server != tables.Go {
		panic(f.fail(101, strings.Join(lines, "\n")))
	}
}

// draft checks the body of a create or update.
func (f *face) draft(a args, create bool) (name, description *string) {
	f.checkExtra(a, "name", "description", "avatar", "embedding_model", "permission", "chunk_method", "parser_config",
		"language", "pagerank", "parse_type", "pipeline_id", "ext", "auto_metadata_config", "connectors")
	if f.server != tables.Go {
		if problem := pythonDataset(a); problem != "" {
			panic(f.fail(101, problem))
		}
	}
	if d, err := a.Text("description"); err == nil {
		description = &d
	}
	text, err := a.Text("name")
	switch {
	case string(a["name"]) == "null" && f.server != tables.Go:
		panic(f.fail(101, pythonComplaint("name", "Input should be a valid string", a["name"])))
	case errors.Is(err, web.ErrNotGiven) && !create:
		return nil, description
	case errors.Is(err, web.ErrNotGiven) && f.server != tables.Go:
		panic(f.fail(101, "Field: <name> - Message: <Field required> - Value: <{}>"))
	case err != nil && !errors.Is(err, web.ErrNotGiven):
		panic(f.fail(101, pythonComplaint("name", "Input should be a valid string", a["name"])))
	}
	text = strings.TrimSpace(text)
	f.checkName(text)
	return &text, description
}

// checkName refuses the name of a dataset. The model counts characters, what
// comes behind it bytes.
func (f *face) checkName(name string) {
	runes := utf8.RuneCountInString(name)
	switch {
	case f.server == tables.Go && name == "":
		panic(f.fail(102, "dataset name can't be empty"))
	case f.server == tables.Go && len(name) > 128:
		panic(f.fail(102, fmt.Sprintf("Dataset name length is %d which is large than 128", len(name))))
	case f.server == tables.Go:
	case name == "":
		panic(f.fail(101, "Field: <name> - Message: <String should have at least 1 character> - Value: <>"))
	case runes > 128:
		panic(f.fail(101, fmt.Sprintf("Field: <name> - Message: <String should have at most 128 characters> - Value: <%s...>", string([]rune(name)[:125]))))
	case len(name) > 128 && f.server == tables.Old:
		panic(f.fail(102, fmt.Sprintf("Dataset name length is %d which is large than 128", runes)))
	case len(name) > 128:
		panic(f.fail(101, "Unable to serialize unknown type: <class 'quart.wrappers.response.Response'>"))
	}
}
