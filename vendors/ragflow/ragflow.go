// Package ragflow speaks RAGFlow's dataset and document HTTP API: the current
// generation (v0.14 and newer, Python or Go back end) and the preview
// generation (v0.8 - v0.10), which had other paths, another credential and
// other paging. v0.11 - v0.13 are refused with advice to upgrade.
//
// Sources: infiniflow/ragflow at its tags, docs/references/http_api_reference.md
// and, for the preview, docs/references/ragflow_api.md@v0.10.0; bodies recorded
// from v0.10.0 and v0.27.0.
//
// Quirks that shape the code: HTTP 200 says nothing, and code 0 with data:false
// is a refused credential. Parameters that a server does not know are ignored
// on documents (every document comes back) and fatal on datasets. Waiting and
// working documents share one state. Dates lie about their zone; only the
// millisecond fields are clocks.
package ragflow

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
	"kb-mcp/vendors/ragflow/envelope"
	"kb-mcp/vendors/rest"
)

// Config holds the platform's variables.
type Config struct {
	APIKey     string `env:"RAGFLOW_API_KEY" secret:"true"`
	BaseURL    string `env:"RAGFLOW_BASE_URL" meant:"true"`
	Generation string `env:"RAGFLOW_API_GENERATION,default=auto"` // auto current preview
}

// Problems lists what is wrong with the configuration, by variable.
func (c Config) Problems() []rest.Problem {
	var list rest.Problems
	switch key := c.key(); {
	case key == "":
		list.Add("RAGFLOW_API_KEY", "is missing: set an API key (RAGFlow's web app, avatar > API), or for RAGFlow 0.8 - 0.10 the web login token")
	case c.generation() == preview && strings.HasPrefix(key, "ragflow-"):
		list.Add("RAGFLOW_API_KEY", "is an API key, but this generation expects the web login token "+
			"(in the browser's local storage under Authorization)")
	default:
		list.Add("RAGFLOW_API_KEY", rest.KeyProblem(key))
	}
	if _, text := rest.BaseURL(c.BaseURL); strings.TrimSpace(c.BaseURL) == "" {
		list.Add("RAGFLOW_BASE_URL", "is missing: set the server's root, e.g. http://127.0.0.1:9380")
	} else {
		list.Add("RAGFLOW_BASE_URL", text)
	}
	if c.generation() == 0 {
		list.Add("RAGFLOW_API_GENERATION", "must be auto, current or preview")
	}
	return list
}

// Account implements [rest.Config].
func (c Config) Account() string {
	base := ""
	if u := c.base(); u != nil {
		base = u.String()
	}
	return rest.AccountOf(base, c.key())
}

// Needs implements [rest.Config].
func (Config) Needs() string {
	return "RAGFLOW_API_KEY and RAGFLOW_BASE_URL"
}

// DefaultRate is ours: RAGFlow neither publishes nor enforces a rate.
func (c Config) DefaultRate() string { return "10/s" }

// key is the bare credential: people paste the whole header.
func (c Config) key() string {
	key := strings.TrimSpace(c.APIKey)
	if word, rest, _ := strings.Cut(key, " "); strings.EqualFold(word, "bearer") {
		key = strings.TrimSpace(rest)
	}
	return key
}

// base is the server's root: people paste the address of the API. nil is a
// problem.
func (c Config) base() *url.URL {
	u, _ := rest.BaseURL(c.BaseURL)
	if u == nil {
		return nil
	}
	u.Path = strings.TrimRight(apiPath.ReplaceAllString(u.Path, ""), "/")
	return u
}

// apiPath is what may follow the root in an address that people copy.
var apiPath = regexp.MustCompile(`(/api/v1|/v1/api|/v1)$`)

// generation is what the settings say, 0 for a word that they cannot hold.
func (c Config) generation() generation {
	words := map[string]generation{"": auto, "auto": auto, "current": current, "preview": preview}
	return words[strings.ToLower(strings.TrimSpace(c.Generation))]
}

// Driver is one RAGFlow account. It keeps what it has learned about the server
// and which documents it has started.
type Driver struct {
	configured generation
	found      atomic.Int32 // the generation that has answered; 0 before
	probing    chan struct{}
	now        currentAPI
	before     previewAPI
	started    started
}

// New makes the driver; c has no problems.
func New(c Config, conn rest.Conn) *Driver {
	base, key := c.base(), c.key()
	if conn.Secrets != nil {
		conn.Secrets.Add(key) // without the Bearer that the variable may hold
	}
	client := func(authorization, hint string) *rest.Client {
		sign := func(r *http.Request, _ []byte) error {
			r.Header.Set("Authorization", authorization)
			return nil
		}
		return rest.New(conn, rest.Dialect{Base: base, Decode: envelope.Decoder(hint), Sign: sign})
	}
	return &Driver{
		configured: c.generation(),
		probing:    make(chan struct{}, 1),
		now:        currentAPI{server{client("Bearer "+key, envelope.KeyHint), current}, new(memory)},
		before:     previewAPI{server{client(key, envelope.TokenHint), preview}, new(atomic.Bool)},
		started:    newStarted(),
	}
}

// api is what one generation can do.
type api interface {
	knowledgeBases(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.KnowledgeBase], error)
	knowledgeBase(ctx context.Context, id string) (vendors.KnowledgeBase, error)
	documents(ctx context.Context, q vendors.PageQuery) (vendors.Page[vendors.Document], error)
	document(ctx context.Context, ref vendors.Ref) (vendors.Document, error)
	progress(ctx context.Context, kb string, ids []string) (vendors.Report, error)
	download(ctx context.Context, ref vendors.Ref) (vendors.Download, error)

	create(ctx context.Context, body datasetBody) (vendors.KnowledgeBase, error)
	update(ctx context.Context, id string, body datasetBody) (vendors.KnowledgeBase, error)
	remove(ctx context.Context, id string) error
	upload(ctx context.Context, u vendors.Upload) (vendors.Document, error)
	change(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error)

	// The writes over several documents: Send and what else is the generation's.
	deleting(kb string) write.Documents
	starting(kb string) write.Documents
	stopping(kb string) write.Documents
}
