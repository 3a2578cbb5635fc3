package all

import (
	"context"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/sethvargo/go-envconfig"

	"kb-mcp/vendors/rest"
)

// Environ is the environment as kb-mcp reads it: an empty variable counts as
// unset, and so does one that still looks like ${NAME}, which a host failed to
// fill in. It collects the secrets it hands out.
type Environ struct {
	Secrets rest.Secrets
	// Unexpanded names the variables that still look like ${NAME}.
	Unexpanded []string
	// Idle names set variables of platforms without credentials.
	Idle []string

	vars map[string]string
}

var unexpanded = regexp.MustCompile(`^\$(\{[^}]*\}|[A-Z_][A-Z0-9_]*)$`)

// NewEnviron reads "NAME=value" pairs; the last of a name counts.
func NewEnviron(environ []string) *Environ {
	e := &Environ{vars: map[string]string{}}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok {
			e.vars[name] = value
		}
	}
	for name, value := range e.vars {
		switch value = strings.TrimSpace(value); {
		case value == "":
			delete(e.vars, name)
		case unexpanded.MatchString(value) && ours(name):
			delete(e.vars, name)
			e.Unexpanded = append(e.Unexpanded, name)
		}
	}
	slices.Sort(e.Unexpanded)
	return e
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
// names, and its value is kept out of every text from then on.
func (e *Environ) Load(prefix string, into any) (problems []rest.Problem) {
	for _, f := range fields(into) {
		if !f.secret {
			continue
		}
		if p := e.fillFromFile(prefix, f.name); p != nil {
			problems = append(problems, *p)
		}
		for _, value := range strings.Split(e.vars[prefix+f.name], ",") {
			e.Secrets.Add(strings.TrimSpace(value))
		}
		e.Secrets.Add(e.vars[prefix+f.name])
	}
	lookup := envconfig.PrefixLookuper(prefix, envconfig.MapLookuper(e.vars))
	if err := envconfig.ProcessWith(context.Background(), &envconfig.Config{Target: into, Lookuper: lookup}); err != nil {
		// Its text may quote a value. Fields are strings, so only a mistake in
		// the tags leads here, which the tests would show.
		problems = append(problems, rest.Problem{Variable: "", Text: "the settings could not be read"})
	}
	return problems
}

// maxSecretFile bounds a secret's file; keys are a few kilobytes.
const maxSecretFile = 1 << 16

// fillFromFile sets a variable from the file that NAME_FILE names.
func (e *Environ) fillFromFile(prefix, name string) *rest.Problem {
	path, ok := e.vars[prefix+name+"_FILE"]
	if !ok {
		return nil
	}
	if e.vars[prefix+name] != "" {
		return &rest.Problem{Variable: name, Text: "and " + name + "_FILE are both set; keep one"}
	}
	b, err := os.ReadFile(path)
	value := strings.TrimSpace(string(b))
	switch {
	case err != nil:
		return &rest.Problem{Variable: name + "_FILE", Text: "names a file that cannot be read"}
	case value == "":
		return &rest.Problem{Variable: name + "_FILE", Text: "names an empty file"}
	case len(b) > maxSecretFile:
		return &rest.Problem{Variable: name + "_FILE", Text: "names a file that is too large for a secret"}
	}
	e.vars[prefix+name] = value
	delete(e.vars, prefix+name+"_FILE") // a second Load must not find both
	return nil
}

// touches reports whether somebody began to configure a platform: a variable of
// its own is set that has no default. Others alone (a rate, a base URL) make no
// connection, and are reported.
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
	for _, name := range Variables(&shared{}) {
		names = append(names, strings.ToUpper(p.name)+"_"+name)
	}
	return names
}

// field is one tagged field of a settings struct.
type field struct {
	name      string
	secret    bool
	defaulted bool
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
