// Package doctor checks settings, network, credentials and versions, and says
// what to do about each problem.
package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"kb-mcp/cmd/kb-mcp/internal/settings"
	"kb-mcp/ratelimit/shared"
	"kb-mcp/vendors"
	"kb-mcp/vendors/all"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/visible"
)

// Report is what was found. OK says that no check failed.
type Report struct {
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`
}

// Check is one line of a report. Vendor is the connection, "" for the program.
type Check struct {
	Vendor string `json:"vendor,omitempty"`
	vendors.Finding
}

// Examine checks a configuration, which was read with these problems; without
// any, also Redis and the connections. It holds no secret.
func Examine(ctx context.Context, conf settings.Config, problems []rest.Problem) Report {
	r := Report{OK: true}
	for _, f := range configuration(conf, problems) {
		r.Checks = append(r.Checks, Check{Finding: f})
	}
	if len(problems) == 0 {
		if conf.Redis != nil {
			r.Checks = append(r.Checks, Check{Finding: examineRedis(ctx, conf.Redis)})
		}
		r.Checks = append(r.Checks, examineAll(ctx, conf)...)
	}
	for i := range r.Checks {
		c := &r.Checks[i]
		c.Message = visible.Line(conf.Env.Secrets.Clean(c.Message))
		c.Hint = visible.Line(conf.Env.Secrets.Clean(c.Hint))
		r.OK = r.OK && c.Status != vendors.Broken
	}
	return r
}

// configuration judges the settings alone.
func configuration(conf settings.Config, problems []rest.Problem) (found []vendors.Finding) {
	add := func(status vendors.Health, message, hint string) {
		found = append(found, vendors.Finding{Check: "configuration", Status: status, Message: message, Hint: hint})
	}
	for _, p := range problems {
		text := strings.TrimSpace(p.Variable + " " + p.Text)
		if !strings.HasSuffix(text, "?") {
			text += "."
		}
		add(vendors.Broken, text, "Correct it where kb-mcp gets its environment; the README lists every variable.")
	}
	var names []string
	for _, v := range conf.Connections {
		names = append(names, v.Name())
	}
	switch {
	case len(problems) > 0:
	case len(names) == 0:
		hint := "Set the variables of at least one platform, or look at kb-mcp doctor --demo."
		for _, p := range all.Platforms() {
			hint += " " + p.Name + ": " + p.Needs + "."
		}
		add(vendors.Broken, "No knowledge base platform is configured.", hint)
	default:
		add(vendors.Healthy, "Connections: "+strings.Join(names, ", ")+".", "")
	}
	for _, w := range conf.Warnings() {
		add(vendors.Doubtful, w.Variable+": "+w.Text+".", "Correct it or remove it where kb-mcp gets its environment.")
	}
	return found
}

// examineRedis checks the server that shares the rate limits.
func examineRedis(ctx context.Context, r *shared.Redis) vendors.Finding {
	err := r.Check(ctx)
	if err == nil {
		return fine("redis", "Redis can be used: processes share the rate limits.")
	}
	return vendors.Finding{
		Check: "redis", Status: vendors.Broken, Message: fmt.Sprintf("Redis cannot be used: %v. Each process keeps its own rate limits.", err),
		Hint: "Check host, port, user, password and TLS in KB_MCP_REDIS_URL, and that the server runs; the user must be allowed EVAL, EVALSHA and keys that begin with kb-mcp:.",
	}
}

// examineAll checks the connections concurrently, and reports them in their
// order.
func examineAll(ctx context.Context, conf settings.Config) (list []Check) {
	proxies := proxyAddresses(conf.Env)
	found := make([][]vendors.Finding, len(conf.Connections))
	var wg sync.WaitGroup
	for i, v := range conf.Connections {
		wg.Go(func() { found[i] = examine(ctx, v, proxies) })
	}
	wg.Wait()
	for i, v := range conf.Connections {
		for _, f := range found[i] {
			list = append(list, Check{v.Name(), f})
		}
	}
	return list
}

// WriteJSON writes the report as one object.
func (r Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// WriteLines writes a line for each check, and what to do below it.
func (r Report) WriteLines(w io.Writer) error {
	words := map[vendors.Health]string{vendors.Healthy: "ok", vendors.Doubtful: "warning", vendors.Broken: "FAIL"}
	count := map[vendors.Health]int{}
	width := 0
	for _, c := range r.Checks {
		count[c.Status]++
		width = max(width, len(c.Vendor))
	}
	for _, c := range r.Checks {
		fmt.Fprintf(w, "%-7s  %-*s  %-13s  %s\n", words[c.Status], width, c.Vendor, c.Check, c.Message)
		if c.Hint != "" {
			fmt.Fprintf(w, "%*s%s\n", 9, "-> ", c.Hint)
		}
	}
	_, err := fmt.Fprintf(w, "%d ok, %d warnings, %d failed\n", count[vendors.Healthy], count[vendors.Doubtful], count[vendors.Broken])
	return err
}
