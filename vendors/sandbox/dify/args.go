package dify

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kb-mcp/vendors/sandbox/internal/web"
)

// page is page and limit as asked for, and the rows they cover: never more
// than 100, whatever the limit.
type page struct{ page, limit, from, size int }

// page reads page and limit and refuses what is not an integer. Servers before 1.12
// take the usual number then, and so do all for a document's chunks, for which
// model is "".
func (f *face) page(q url.Values, model string) page {
	p := page{page: max(f.pageArg(q, model, "page", 1), 1), limit: f.pageArg(q, model, "limit", 20)}
	if p.limit < 1 {
		p.limit = 20
	}
	p.size = min(p.limit, 100)
	p.from = web.Multiply(p.page-1, p.size)
	return p
}

func (f *face) pageArg(q url.Values, model, name string, usual int) int {
	n, err := web.QueryInt(q, name, usual)
	switch {
	case err == nil:
		return n
	case model == "" || !f.since(1, 12, 0):
		return usual
	case errors.Is(err, strconv.ErrRange): // an integer, and too large for the database
		panic(broken())
	}
	panic(validation(model, name, "Input should be a valid integer, unable to parse string as an integer", "int_parsing", "'"+q.Get(name)+"'", "str"))
}

// answer is a page of rows. has_more only compares the number of rows with the
// limit: true on a full last page, false whenever the limit is over 100.
func (p page) answer(rows []object, total int) object {
	return object{
		"data": rows, "has_more": len(rows) == p.limit, "limit": p.limit,
		"total": total, "page": p.page,
	}
}

// validation is the text of a model that refuses a value: several lines, with
// the caller's input and a link in it.
func validation(model, field, text, kind, input, typ string) reply {
	if field != "" {
		field += "\n"
	}
	return invalid(fmt.Sprintf("1 validation error for %s\n%s  %s [type=%s, input_value=%s, input_type=%s]\n    For further information visit https://errors.pydantic.dev/2.11/v/%s",
		model, field, text, kind, input, typ, kind))
}

// pythonValue is a JSON value as Python shows it, and its type.
func pythonValue(raw json.RawMessage) (value, typ string) {
	text := string(raw)
	switch {
	case text == "null":
		return "None", "NoneType"
	case text == "true":
		return "True", "bool"
	case text == "false":
		return "False", "bool"
	case strings.HasPrefix(text, `"`):
		var s string
		json.Unmarshal(raw, &s) // of a body that was decoded
		if runes := []rune(s); len(runes) > 50 {
			s = string(runes[:24]) + "..." + string(runes[len(runes)-23:])
		}
		return "'" + s + "'", "str"
	case strings.HasPrefix(text, "["):
		return text, "list"
	case strings.HasPrefix(text, "{"):
		return text, "dict"
	case strings.ContainsAny(text, ".eE"):
		return text, "float"
	}
	return text, "int"
}

// field is one member of a body.
type field struct {
	name     string
	required bool
	nullable bool
	min, max int // characters; max 0: any number
	oneOf    []string
	text1x   string // how servers before 1.12 describe it
	alone    bool   // and say no more than that
}

// check reads a body by its model and gives its members.
func (f *face) check(r *http.Request, model string, fields ...field) args {
	old := !f.since(1, 12, 0) && len(fields) > 0 && fields[0].text1x != ""
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		if old && fields[0].alone {
			panic(invalid(fields[0].text1x))
		}
		panic(problem(415, "unsupported_media_type", "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."))
	}
	data, _ := web.Body(r)
	a, err := web.ParseArgs(data)
	if err != nil || len(data) == 0 {
		if old {
			panic(oldInvalid(fields[0], "Missing required parameter in the JSON body or the post body or the query string"))
		}
		panic(problem(400, "bad_request", "The browser (or proxy) sent a request that this server could not understand."))
	}
	for _, field := range fields {
		f.checkField(a, model, field)
	}
	return a
}

func (f *face) checkField(a args, model string, field field) {
	raw, given := a[field.name]
	value, typ := pythonValue(raw)
	var text string
	refuse := func(words, kind string) { panic(validation(model, field.name, words, kind, value, typ)) }
	switch isText := json.Unmarshal(raw, &text) == nil && typ == "str"; {
	case !f.since(1, 12, 0) && field.text1x != "":
		if given && !(isText && within(text, field)) || !given && field.required {
			panic(oldInvalid(field, field.text1x))
		}
	case !given && field.required:
		panic(missing(model, field.name))
	case !given, typ == "NoneType" && field.nullable:
	case len(field.oneOf) > 0 && !slices.Contains(field.oneOf, text):
		refuse("Input should be '"+strings.Join(field.oneOf, "' or '")+"'", "literal_error")
	case !isText:
		refuse("Input should be a valid string", "string_type")
	case utf8.RuneCountInString(text) < field.min:
		refuse(fmt.Sprintf("String should have at least %d character", field.min), "string_too_short")
	case field.max > 0 && utf8.RuneCountInString(text) > field.max:
		refuse(fmt.Sprintf("String should have at most %d characters", field.max), "string_too_long")
	}
}

func within(text string, field field) bool {
	n := utf8.RuneCountInString(text)
	return n >= field.min && (field.max == 0 || n <= field.max)
}

// missing refuses a body that lacks a member.
func missing(model, name string) reply {
	return validation(model, name, "Field required", "missing", "{}", "dict")
}

// oldInvalid is how servers before 1.12 refuse a member of a body.
func oldInvalid(field field, text string) reply {
	if field.alone {
		return invalid(field.text1x)
	}
	return reply{400, object{
		"errors":  object{field.name: "type is required. " + field.text1x + " " + text},
		"message": "Input payload validation failed",
	}}
}
