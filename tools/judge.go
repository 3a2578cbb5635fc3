package tools

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"kb-mcp/nearest"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/visible"
)

// conflicted are arguments that may be right one by one and wrong together.
type conflicted interface{ conflicts() []problem }

// asProblem is an invalid_argument error as one of several problems.
func asProblem(err error) []problem {
	var e *vendors.Error
	if !errors.As(err, &e) {
		return nil
	}
	return []problem{{text: strings.TrimSuffix(e.Message, "."), hint: e.Hint}}
}

// judge gives what is wrong with decoded arguments beyond their types: the
// connection, ids of another platform, what does not go together. wrong is what
// is known to be wrong already.
func (s *Set) judge(args any, params []param, wrong []problem) (more []problem) {
	if c, ok := args.(conflicted); ok && !slices.ContainsFunc(wrong, func(p problem) bool { return p.mistyped }) {
		more = c.conflicts()
	}
	struc := reflect.ValueOf(args).Elem()
	i := slices.IndexFunc(params, func(p param) bool { return p.name == "vendor" })
	if i < 0 || slices.ContainsFunc(wrong, func(p problem) bool { return p.arg == "vendor" }) {
		return more
	}
	ids := idsIn(struc, params)
	name := struc.Field(params[i].index).String()
	if name == "" && params[i].every && len(ids["knowledge_base_id"]) == 0 {
		return more
	}
	v, missing := s.find(name)
	if missing != nil {
		return append([]problem{*missing}, more...)
	}
	for _, p := range params {
		more = append(more, s.foreign(v, p.name, ids[p.name])...)
	}
	return more
}

// idsIn are the ids in decoded arguments.
func idsIn(struc reflect.Value, params []param) map[string][]string {
	list := map[string][]string{}
	for _, p := range params {
		switch value := struc.Field(p.index); p.name {
		case "knowledge_base_id", "document_id":
			if id := value.String(); id != "" {
				list[p.name] = []string{id}
			}
		case "document_ids":
			list[p.name], _ = value.Interface().([]string)
		}
	}
	return list
}

// foreign tells the first id that belongs to another platform.
func (s *Set) foreign(v *connection.Connection, arg string, ids []string) []problem {
	for _, id := range ids {
		of, want, is := v.Foreign(id, arg != "knowledge_base_id")
		if !is {
			continue
		}
		hint := fmt.Sprintf("Ids of `%s` (%s) are %s.", v.Name(), v.Platform(), want)
		for _, other := range s.vendors {
			if other.Platform() == of.Platform {
				hint += fmt.Sprintf(" Pass `vendor` \"%s\" for this one.", other.Name())
				break
			}
		}
		return []problem{{arg: arg, text: fmt.Sprintf("`%s` holds %q, which is an id of %s", arg, visible.Short(id), of.Name), hint: hint}}
	}
	return nil
}

// vendor finds a connection; "" is the only one, if there is one.
func (s *Set) vendor(name string) (*connection.Connection, error) {
	v, missing := s.find(name)
	if missing != nil {
		return nil, mistakes(nil, []problem{*missing})
	}
	return v, nil
}

// find is vendor with the problem as a part of what may be wrong with a call.
func (s *Set) find(name string) (*connection.Connection, *problem) {
	names := make([]string, len(s.vendors))
	for i, v := range s.vendors {
		if names[i] = v.Name(); v.Name() == name || name == "" && len(s.vendors) == 1 {
			return v, nil
		}
	}
	hint := "`vendor` must be one of: " + strings.Join(names, ", ") + "."
	if name == "" {
		return nil, &problem{arg: "vendor", text: "`vendor` is missing, and there are several connections", hint: hint}
	}
	meant := nearest.Of(name, names)
	for _, v := range s.vendors {
		if meant == "" && nearest.Is(name, []string{v.Platform()}) {
			meant = v.Name()
		}
	}
	if meant != "" {
		hint = fmt.Sprintf("Did you mean \"%s\"? ", meant) + hint
	}
	return nil, &problem{arg: "vendor", text: fmt.Sprintf("`vendor` is %q, which is not a connection of this server", visible.Short(name)), hint: hint}
}

// blank refuses a text that is given and says nothing.
func blank(name string, s *string) []problem {
	if s == nil || strings.TrimSpace(*s) != "" {
		return nil
	}
	return []problem{{arg: name, text: fmt.Sprintf("`%s` holds only spaces", name), hint: "Give a name that people will recognize."}}
}
