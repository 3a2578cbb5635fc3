// Package all is the list of platforms, and turns settings into connections.
package all

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"kb-mcp/nearest"
	"kb-mcp/ratelimit"
	"kb-mcp/ratelimit/shared"
	"kb-mcp/vendors"
	"kb-mcp/vendors/connection"
	"kb-mcp/vendors/coze"
	"kb-mcp/vendors/dify"
	"kb-mcp/vendors/ragflow"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/volcengine"
)

// platforms lists every platform. A new one is one more line.
func platforms() []platform {
	return []platform{
		define("coze", coze.New),
		define("dify", dify.New),
		define("ragflow", ragflow.New),
		define("volcengine", volcengine.New),
	}
}

// platform is what the registry knows of one.
type platform struct {
	name      string
	variables []string // its own, without the shared ones
	decisive  []string // those of them that make a connection
	needs     string
	ids       vendors.IDForm
	read      func(env *Environ, prefix string) (settings, []rest.Problem)
}

// Platform is what a user needs to know of a platform before any is set up.
type Platform struct {
	Name      string
	Needs     string   // which variables to set, on one line
	Variables []string // all of them, with the shared ones and the _FILE forms
}

// Platforms lists every platform.
func Platforms() []Platform {
	var list []Platform
	for _, p := range platforms() {
		list = append(list, Platform{Name: p.name, Needs: p.needs, Variables: p.names()})
	}
	return list
}

// idForms are how all platforms write their ids.
func idForms() []vendors.IDForm {
	var forms []vendors.IDForm
	for _, p := range platforms() {
		forms = append(forms, p.ids)
	}
	return forms
}

// settings are the validated settings of one connection.
type settings struct {
	account, rate string
	open          func(rest.Conn) vendors.Driver
}

// define registers a driver's constructor; its Config type comes along.
func define[C rest.Config, D vendors.Driver](name string, open func(C, rest.Conn) D) platform {
	var c C
	return platform{
		name: name, variables: Variables(&c), decisive: decisive(&c), needs: c.Needs(), ids: c.IDs(),
		read: func(env *Environ, prefix string) (settings, []rest.Problem) {
			var c C
			problems := env.Load(prefix, &c)
			of := slices.Clone(problems)
			for _, p := range c.Problems() {
				if !judged(of, p.Variable) {
					problems = append(problems, p)
				}
			}
			if len(problems) > 0 {
				return settings{}, prefixed(prefix, Variables(&c), problems)
			}
			return settings{
				account: name + " " + c.Account(), rate: c.DefaultRate(),
				open: func(conn rest.Conn) vendors.Driver { return open(c, conn) },
			}, nil
		},
	}
}

// judged reports whether a problem of a variable or its file is known already,
// so that it is not reported as missing too.
func judged(problems []rest.Problem, variable string) bool {
	return slices.ContainsFunc(problems, func(p rest.Problem) bool { return p.Variable == variable || p.Variable == variable+"_FILE" })
}

// common are the variables that every platform has, after its name.
type common struct {
	Rate       string `env:"RATE_LIMIT"`
	SearchRate string `env:"SEARCH_RATE_LIMIT"`
	Timeout    string `env:"TIMEOUT, default=15s"`
}

// Options are what connections need besides their settings.
type Options struct {
	Log   *slog.Logger
	Redis *shared.Redis // shares the rate limits between processes; may be nil
	// Version of the program, for the User-Agent.
	Version string
	// MaxDownload bounds a file that is downloaded; rest.DefaultMaxFile when 0.
	MaxDownload int64
}

// Open makes the connections that the environment describes. With problems,
// which come in the order of their variables, there are no connections; with
// neither, nothing is configured.
func Open(env *Environ, o Options) ([]*connection.Connection, []rest.Problem) {
	wanted, problems := wantedConnections(env)
	problems = append(problems, env.misspelt(wanted, env.Get("KB_MCP_VENDORS") != "")...)
	pool, more := transport(env)
	problems = append(problems, more...)
	op := opener{env: env, options: o, pool: pool, limiters: map[string]limiters{}}
	var open []*connection.Connection
	for _, w := range wanted {
		v, more := op.connect(w)
		problems = append(problems, more...)
		open = append(open, v)
	}
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b rest.Problem) int { return strings.Compare(a.Variable, b.Variable) })
		return nil, problems
	}
	return open, nil
}

// wanted is a connection to make; its variables begin with prefix.
type wanted struct {
	name, prefix string
	platform     platform
}

// wantedConnections reads KB_MCP_VENDORS, or finds the platforms of which a
// variable is set.
func wantedConnections(env *Environ) (list []wanted, problems []rest.Problem) {
	all := platforms()
	spec := env.Get("KB_MCP_VENDORS")
	if spec == "" {
		for _, p := range all {
			if env.touches(p) {
				list = append(list, wanted{name: p.name, platform: p})
			}
		}
		return list, nil
	}
	seen := map[string]bool{}
	for i, entry := range strings.Split(spec, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		w, text := parseWanted(entry, all)
		if text == "" && seen[w.name] {
			text = "has the name of an earlier one"
		}
		if text != "" {
			problems = append(problems, rest.Problem{Variable: "KB_MCP_VENDORS", Text: fmt.Sprintf("entry %d %s", i+1, text)})
			continue
		}
		seen[w.name] = true
		list = append(list, w)
	}
	return list, problems
}

var connectionName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// parseWanted reads "dify" or "staging=dify".
func parseWanted(entry string, all []platform) (wanted, string) {
	name, platformName, named := strings.Cut(entry, "=")
	name, platformName = strings.TrimSpace(name), strings.TrimSpace(platformName)
	if !named {
		platformName = name
	}
	i := slices.IndexFunc(all, func(p platform) bool { return p.name == platformName })
	switch {
	case i < 0:
		return wanted{}, unknownPlatform(platformName, all)
	case !connectionName.MatchString(name):
		return wanted{}, "has a bad name; a name is a lower-case letter, then letters, digits and _"
	case name == platformName:
		return wanted{name: name, platform: all[i]}, ""
	}
	return wanted{name: name, prefix: strings.ToUpper(name) + "_", platform: all[i]}, ""
}

// letters is what may be quoted: anything else may be a key in the wrong
// variable.
var letters = regexp.MustCompile(`^[A-Za-z]{1,20}$`)

// unknownPlatform says which platforms there are, and which was meant.
func unknownPlatform(name string, all []platform) string {
	var known []string
	for _, p := range all {
		known = append(known, p.name)
	}
	text := "names no platform"
	if letters.MatchString(name) {
		text = fmt.Sprintf("names %q, which is not a platform", name)
	}
	if near := nearest.Of(name, known); near != "" {
		text += fmt.Sprintf("; did you mean %s?", near)
	}
	return fmt.Sprintf("%s; known are %s (name=platform adds a connection)", text, strings.Join(known, ", "))
}

// opener makes connections. Those on one account share its limiter.
type opener struct {
	env      *Environ
	options  Options
	pool     http.RoundTripper
	limiters map[string]limiters // by account
}

// limiters are an account's: of all requests, and the additional one of searches.
type limiters struct {
	all, searches *ratelimit.Limiter
	flights       *rest.Flights // equal reads of the account on their way
}

// connect makes one connection.
func (o *opener) connect(w wanted) (*connection.Connection, []rest.Problem) {
	s, problems := w.platform.read(o.env, w.prefix)
	common, rate, more := o.common(w)
	problems = append(problems, more...)
	if len(problems) > 0 {
		return nil, problems
	}
	if common.Rate == "" {
		rate, _ = ratelimit.Parse(s.rate) // a constant of the driver, tested
	}
	limiters, ok := o.limiters[s.account]
	if !ok {
		limiters.all, limiters.flights = shared.NewLimiter(o.options.Redis, s.account, rate), &rest.Flights{}
		search := ratelimit.Rate{} // a refused search holds for searches
		if common.SearchRate != "" {
			search, _ = ratelimit.Parse(common.SearchRate) // judged in common
		}
		limiters.searches = shared.NewLimiter(o.options.Redis, s.account+" searches", search)
		o.limiters[s.account] = limiters
	}
	timeout, _ := time.ParseDuration(common.Timeout) // judged in common
	log := o.options.Log
	if log != nil {
		log = log.With("vendor", w.name)
	}
	conn := rest.Conn{
		Transport: o.pool, Limiter: limiters.all, Searches: limiters.searches, Flights: limiters.flights, Timeout: timeout,
		MaxFile: o.options.MaxDownload, Secrets: &o.env.Secrets, Log: log, Agent: strings.TrimSuffix("kb-mcp/"+o.options.Version, "/"),
	}
	v := connection.New(w.name, w.platform.name, s.open(conn)).Recognize(w.platform.ids, idForms())
	if limiters.all.Limits() { // otherwise nobody waits, and merging saves nothing
		v.Gather(conn.Hold, conn.Flights.Changes)
	}
	return v, nil
}

// common reads the variables that every platform has.
func (o *opener) common(w wanted) (common, ratelimit.Rate, []rest.Problem) {
	var c common
	prefix := w.prefix + strings.ToUpper(w.platform.name) + "_"
	problems := o.env.Load(prefix, &c)
	rate := ratelimit.Rate{}
	for name, text := range map[string]string{"RATE_LIMIT": c.Rate, "SEARCH_RATE_LIMIT": c.SearchRate} {
		if text == "" {
			continue
		}
		r, err := ratelimit.Parse(text)
		if err != nil {
			problems = append(problems, rest.Problem{Variable: name, Text: `is no rate; write "10/s", "8/min,3000/day" or "off"`})
		}
		if name == "RATE_LIMIT" {
			rate = r
		}
	}
	if d, err := time.ParseDuration(c.Timeout); err != nil || d <= 0 {
		problems = append(problems, rest.Problem{Variable: "TIMEOUT", Text: `is no duration above 0; write "15s"`})
	}
	return c, rate, prefixed(prefix, nil, problems)
}

// prefixed names the variables as the user wrote them, also where a problem
// mentions another one.
func prefixed(prefix string, names []string, problems []rest.Problem) []rest.Problem {
	var pairs []string
	for _, name := range names {
		pairs = append(pairs, name, prefix+name)
	}
	mentioned := strings.NewReplacer(pairs...)
	for i, p := range problems {
		problems[i] = rest.Problem{Variable: prefix + p.Variable, Text: mentioned.Replace(p.Text)}
	}
	return problems
}
