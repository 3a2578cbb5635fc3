package all

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sethvargo/go-envconfig"

	"kb-mcp/vendors/rest"
)

// Environ is the environment as kb-mcp reads it: without the spaces, line ends
// and byte order marks around values; an empty variable counts as unset, and so
// does one that still looks like ${NAME}, which a host failed to fill in. It
// collects the secrets it hands out.
type Environ struct {
	Secrets rest.Secrets
	// Unexpanded names the variables that still look like ${NAME}.
	Unexpanded []string
	// Idle names set variables of platforms without credentials.
	Idle []string

	vars  map[string]string
	blank map[string]bool // set to nothing but spaces
}

var (
	// unexpanded is a value that its host failed to fill in.
	unexpanded = regexp.MustCompile(`^(\$(\{[^}]*\}|\([^)]*\)|[A-Z_][A-Z0-9_]*)|%[A-Za-z_][A-Za-z0-9_]*%)$`)
	// placeholder is a part of one.
	placeholder = regexp.MustCompile(`\$\{[^}]*\}|\$\([^)]*\)`)
)

// NewEnviron reads "NAME=value" pairs; the last of a name counts.
func NewEnviron(environ []string) *Environ {
	e := &Environ{vars: map[string]string{}, blank: map[string]bool{}}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok {
			e.vars[trimmed(name)] = value // a file of variables may begin with a byte order mark
		}
	}
	for name, raw := range e.vars {
		switch value := trimmed(raw); {
		case value == "":
			delete(e.vars, name)
			e.blank[name] = strings.Trim(raw, "\r\n\uFEFF") != "" // an empty line of a file ends in \r
		case unexpanded.MatchString(value) && ours(name):
			delete(e.vars, name)
			e.Unexpanded = append(e.Unexpanded, name)
		default:
			e.vars[name] = value
		}
	}
	slices.Sort(e.Unexpanded)
	return e
}

// trimmed is a value without what files and copying leave around it.
func trimmed(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' })
}

// Quoted reports whether a value is wrapped in a pair of quotes, as docker's
// --env-file leaves them.
func Quoted(value string) bool {
	if len(value) < 2 {
		return false
	}
	for _, pair := range []string{`""`, "''", "``", "“”", "‘’"} {
		left, size := utf8.DecodeRuneInString(pair)
		if strings.HasPrefix(value, string(left)) && strings.HasSuffix(value, pair[size:]) {
			return true
		}
	}
	return false
}

// ours reports whether a variable is the server's or, under any prefix, some
// platform's.
func ours(name string) bool {
	if strings.HasPrefix(name, "KB_MCP_") {
		return true
	}
	for _, p := range platforms() {
		for _, v := range p.names() {
			if name == v || strings.HasSuffix(name, "_"+v) {
				return true
			}
		}
	}
	return false
}

// Get is a variable's value, "" when unset.
func (e *Environ) Get(name string) string { return e.vars[name] }

// Names lists the set variables that begin with prefix.
func (e *Environ) Names(prefix string) []string {
	var names []string
	for name := range e.vars {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Load fills a struct of strings by its `env` tags, with prefix before each
// name. A field tagged `secret:"true"` may come from the file that NAME_FILE
// names, and its value is kept out of every text from then on. One tagged
// `meant:"true"` protects something: when it is given and yields nothing, that
// is a problem, while other variables count as unset.
func (e *Environ) Load(prefix string, into any) (problems []rest.Problem) {
	for _, f := range fields(into) {
		var p *rest.Problem
		if f.secret {
			p = e.fillFromFile(prefix, f.name)
			for _, value := range strings.Split(e.vars[prefix+f.name], ",") {
				e.Secrets.Add(strings.TrimSpace(value), strings.Trim(value, "\"'` "))
			}
			e.Secrets.Add(e.vars[prefix+f.name])
		}
		if p == nil {
			p = e.judge(prefix, f)
		}
		if p != nil {
			problems = append(problems, *p)
			e.drop(prefix+f.name, f.secret)
		}
	}
	lookup := envconfig.PrefixLookuper(prefix, envconfig.MapLookuper(e.vars))
	if err := envconfig.ProcessWith(context.Background(), &envconfig.Config{Target: into, Lookuper: lookup}); err != nil {
		// Its text may quote a value. Fields are strings, so only a mistake in
		// the tags leads here, which the tests would show.
		problems = append(problems, rest.Problem{Variable: "", Text: "the settings could not be read"})
	}
	return problems
}

// drop removes a bad value, so that it is reported once. A credential in quotes
// is kept without them: the platform then counts as configured.
func (e *Environ) drop(name string, secret bool) {
	value := e.vars[name]
	delete(e.vars, name)
	if !secret || !Quoted(value) {
		return
	}
	_, first := utf8.DecodeRuneInString(value)
	_, last := utf8.DecodeLastRuneInString(value)
	if value = trimmed(value[first : len(value)-last]); value != "" {
		e.vars[name] = value
	}
}

// judge returns what is wrong with the form of a value.
func (e *Environ) judge(prefix string, f field) *rest.Problem {
	if Quoted(e.vars[prefix+f.name]) {
		return &rest.Problem{Variable: f.name, Text: "is wrapped in quotes; give the value without them (docker's --env-file keeps quotes)"}
	}
	if !f.meant {
		return nil
	}
	for _, name := range []string{f.name, f.name + "_FILE"} {
		switch {
		case slices.Contains(e.Unexpanded, prefix+name):
			e.Unexpanded = slices.DeleteFunc(e.Unexpanded, func(s string) bool { return s == prefix+name })
			return &rest.Problem{Variable: name, Text: "was not expanded by the program that started kb-mcp: it still looks like ${NAME}. Give the value itself, or remove the variable"}
		case e.blank[prefix+name]:
			return &rest.Problem{Variable: name, Text: "is set and holds nothing; give a value, or remove the variable"}
		}
	}
	switch value, ok := e.vars[prefix+f.name]; {
	case ok && strings.Trim(value, ", \t\r\n"+string(filepath.ListSeparator)) == "":
		return &rest.Problem{Variable: f.name, Text: "is set and holds nothing between its separators; give a value, or remove the variable"}
	case placeholder.MatchString(value):
		return &rest.Problem{Variable: f.name, Text: "holds a ${NAME} that was not expanded by the program that started kb-mcp; give the value itself"}
	}
	return nil
}

// maxSecretFile bounds a secret's file; keys are a few kilobytes.
const maxSecretFile = 1 << 16

// fillFromFile sets a variable from the file that NAME_FILE names.
func (e *Environ) fillFromFile(prefix, name string) *rest.Problem {
	path, ok := e.vars[prefix+name+"_FILE"]
	if !ok {
		return nil
	}
	problem := func(text string) *rest.Problem { return &rest.Problem{Variable: name + "_FILE", Text: text} }
	if e.vars[prefix+name] != "" {
		return &rest.Problem{Variable: name, Text: "and " + name + "_FILE are both set; keep one"}
	}
	if Quoted(path) {
		return problem("is wrapped in quotes; give the path without them (docker's --env-file keeps quotes)")
	}
	b, err := os.ReadFile(path)
	value := trimmed(string(b))
	e.Secrets.Add(value, strings.Trim(value, "\"'` "))
	switch {
	case err != nil:
		return problem("names a file that cannot be read")
	case value == "":
		return problem("names an empty file")
	case len(b) > maxSecretFile:
		return problem("names a file that is too large for a secret")
	case Quoted(value):
		return problem("names a file whose content is wrapped in quotes; leave them out")
	case unexpanded.MatchString(value):
		return problem("names a file that holds ${NAME} in place of a value")
	}
	e.vars[prefix+name] = value
	delete(e.vars, prefix+name+"_FILE") // a second Load must not find both
	return nil
}

// touches reports whether a platform is configured, if only in part: one of its
// own variables without a default is set. Others alone (a rate, a base URL)
// make no connection, and are reported.
func (e *Environ) touches(p platform) bool {
	var idle []string
	for _, name := range p.names() {
		switch {
		case e.vars[name] == "":
		case slices.Contains(p.decisive, name):
			return true
		default:
			idle = append(idle, name)
		}
	}
	e.Idle = append(e.Idle, idle...)
	return false
}

// names lists every variable of a platform, the shared ones too.
func (p platform) names() []string {
	names := slices.Clone(p.variables)
	for _, name := range Variables(&common{}) {
		names = append(names, strings.ToUpper(p.name)+"_"+name)
	}
	return names
}

// field is one tagged field of a settings struct.
type field struct {
	name      string
	secret    bool
	defaulted bool
	meant     bool // given, it must yield something
}

// fields reads the tags of a pointer to a settings struct.
func fields(of any) []field {
	t := reflect.TypeOf(of).Elem()
	var list []field
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("env"), ",")
		if name = strings.TrimSpace(name); name != "" {
			list = append(list, field{
				name: name, secret: t.Field(i).Tag.Get("secret") == "true", defaulted: strings.Contains(options, "default="),
				meant: t.Field(i).Tag.Get("meant") == "true",
			})
		}
	}
	return list
}

// Variables lists the names in the tags of a pointer to a settings struct, with
// the _FILE forms of secrets.
func Variables(of any) []string {
	var names []string
	for _, f := range fields(of) {
		names = append(names, f.name)
		if f.secret {
			names = append(names, f.name+"_FILE")
		}
	}
	return names
}

// decisive lists the names in a settings struct's tags that have no default,
// with the _FILE forms of secrets.
func decisive(of any) []string {
	var names []string
	for _, f := range fields(of) {
		if f.defaulted {
			continue
		}
		names = append(names, f.name)
		if f.secret {
			names = append(names, f.name+"_FILE")
		}
	}
	return names
}
