package all

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kb-mcp/nearest"
	"kb-mcp/vendors/rest"
)

// A variable whose name is close to one of ours is most likely a mistake: a key
// that is not used, or a base URL in whose place the public cloud is used.
// Other programs have variables with a platform's name in them, too, so that
// only a close name is a problem.

// orchestrated are the variables that Kubernetes sets in every container for a
// service of a name.
var orchestrated = regexp.MustCompile(`_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)

// Orchestrated reports whether a variable was set by Kubernetes and not by a
// person.
func (e *Environ) Orchestrated(name string) bool {
	return orchestrated.MatchString(name) || strings.HasSuffix(name, "_PORT") && strings.Contains(e.vars[name], "://")
}

// misspelt finds variables whose name is close to a variable of the wanted
// connections or, if no connections are named, of any platform.
func (e *Environ) misspelt(list []wanted, named bool) (problems []rest.Problem) {
	touched := map[string]bool{}
	for _, w := range list {
		touched[w.prefix+w.platform.name] = true
	}
	if !named {
		list = nil
		for _, p := range platforms() {
			list = append(list, wanted{platform: p})
		}
	}
	for _, w := range list {
		for _, name := range e.Names("") {
			if meant := e.meant(w, name, touched[w.prefix+w.platform.name]); meant != "" && !e.Orchestrated(name) {
				problems = append(problems, rest.Problem{Variable: name, Text: fmt.Sprintf("is not a variable of kb-mcp; did you mean %s?", meant)})
			}
		}
	}
	return problems
}

// meant returns the variable of a connection that name is close to; "" for
// none.
func (e *Environ) meant(w wanted, name string, touched bool) string {
	stem := w.prefix + strings.ToUpper(w.platform.name) + "_"
	upper := strings.ToUpper(name)
	rest, ok := strings.CutPrefix(upper, stem)
	known := w.platform.names()
	if !ok || slices.Contains(known, strings.TrimPrefix(name, w.prefix)) {
		return ""
	}
	var rests []string
	for _, k := range known {
		if r, ok := strings.CutPrefix(w.prefix+k, stem); ok {
			rests = append(rests, r)
		}
	}
	if near := nearest.Of(rest, rests); near != "" {
		return stem + near
	}
	// A less close name counts only if the variable itself is not set.
	credential, base := w.platform.usual()
	switch {
	case nearest.Is(rest, credentialWords) && !e.sets(w.prefix, w.platform.decisive):
		return w.prefix + credential
	case nearest.Is(rest, baseWords) && touched && !e.sets(w.prefix, []string{base}):
		return w.prefix + base
	}
	return ""
}

// credentialWords and baseWords are the names that other programs use for such
// variables.
var (
	credentialWords = []string{"KEY", "TOKEN", "API_KEY", "API_TOKEN", "ACCESS_TOKEN", "AUTH_TOKEN", "SECRET", "API_SECRET", "PAT", "PAT_TOKEN",
		"DATASET_KEY", "DATASET_API_KEY", "DATASETS_API_KEY", "KNOWLEDGE_KEY", "KNOWLEDGE_API_KEY", "CREDENTIAL", "CREDENTIALS", "APP_KEY", "PASSWORD"}
	baseWords = []string{"URL", "API_URL", "API_BASE", "BASE", "BASE_URL", "API_BASE_URL", "HOST", "API_HOST", "SERVER", "SERVER_URL", "ENDPOINT", "API_ENDPOINT",
		"ADDRESS", "URI", "API", "DOMAIN", "HOST_URL"}
)

// usual are the names of a platform's variables for one credential and for its
// server.
func (p platform) usual() (credential, base string) {
	for _, name := range p.variables {
		switch {
		case strings.HasSuffix(name, "_API_KEY") || strings.HasSuffix(name, "_API_TOKEN"):
			if credential == "" {
				credential = name
			}
		case strings.HasSuffix(name, "_BASE_URL") || strings.HasSuffix(name, "_API_BASE"):
			base = name
		}
	}
	return credential, base
}

// sets reports whether one of the variables is set.
func (e *Environ) sets(prefix string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return e.vars[prefix+name] != "" })
}
