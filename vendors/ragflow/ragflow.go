// Package ragflow speaks RAGFlow's dataset and document HTTP API: the current
// generation (v0.14 and newer, Python or Go back end) and the preview
// generation (v0.8 - v0.10), which had other paths, another credential and
// other paging. v0.11 - v0.13 are told to be upgraded.
//
// Sources: infiniflow/ragflow at its tags, docs/references/http_api_reference.md
// and, for the preview, docs/references/ragflow_api.md@v0.10.0; bodies recorded
// from v0.10.0 and v0.27.0.
//
// Oddities that shape the code: HTTP 200 says nothing, and code 0 with
// data:false is a refused credential. Parameters that a server does not know
// are ignored on documents (every document comes back) and fatal on datasets.
// Waiting and working documents share one state. Dates lie about their zone;
// only the millisecond fields are clocks.
package ragflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"unicode"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/write"
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
	var list []rest.Problem
	add := func(variable, text string) { list = append(list, rest.Problem{Variable: variable, Text: text}) }
	key := c.key()
	switch {
	case key == "":
		add("RAGFLOW_API_KEY", "is missing: set an API key (RAGFlow's web app, avatar > API), or for RAGFlow 0.8 - 0.10 the web login token")
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || unicode.IsSpace(r) }):
		add("RAGFLOW_API_KEY", "holds spaces or characters that no key has: give the bare key, without quotes")
	case c.generation() == preview && strings.HasPrefix(key, "ragflow-"):
		add("RAGFLOW_API_KEY", "is an API key, but this generation takes the web login token "+
			"(in the browser's local storage under Authorization), not an API key")
	}
	if strings.TrimSpace(c.BaseURL) == "" {
		add("RAGFLOW_BASE_URL", "is missing: set the server's root, e.g. http://127.0.0.1:9380")
	} else if _, text := rest.BaseURL(c.BaseURL); text != "" {
		add("RAGFLOW_BASE_URL", text)
	}
	if c.generation() == 0 {
		add("RAGFLOW_API_GENERATION", "must be auto, current or preview")
	}
	return list
}

// Account identifies credential and server without showing the credential.
func (c Config) Account() string {
	base, _ := c.base()
	if base == nil {
		base = &url.URL{}
	}
	sum := sha256.Sum256([]byte(c.key()))
	return base.String() + " " + hex.EncodeToString(sum[:8])
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

// base is the server's root: people paste the address of the API.
func (c Config) base() (*url.URL, string) {
	u, text := rest.BaseURL(c.BaseURL)
	if text != "" {
		return nil, text
	}
	for _, tail := range []string{"/api/v1", "/v1/api", "/v1"} {
		if path, ok := strings.CutSuffix(u.Path, tail); ok {
			u.Path = strings.TrimRight(path, "/")
			break
		}
	}
	return u, ""
}

// generation is what the settings say, 0 for a word that they cannot hold.
func (c Config) generation() generation {
	switch strings.ToLower(strings.TrimSpace(c.Generation)) {
	case "", "auto":
		return auto
	case "current":
		return current
	case "preview":
		return preview
	}
	return 0
}

// Driver is one RAGFlow account. It keeps what it has found out about the server
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
	base, _ := c.base()
	key := c.key()
	if conn.Secrets != nil {
		conn.Secrets.Add(key) // without the Bearer that the variable may hold
	}
	client := func(authorization string, decode func(rest.Answer, any) error) *rest.Client {
		return rest.New(conn, rest.Dialect{
			Base:   base,
			Decode: decode,
			Sign: func(r *http.Request, _ []byte) error {
				r.Header.Set("Authorization", authorization)
				return nil
			},
		})
	}
	return &Driver{
		configured: c.generation(),
		probing:    make(chan struct{}, 1),
		now:        currentAPI{server{client("Bearer "+key, decodeCurrent), "datasets"}, new(memory)},
		before:     previewAPI{server{client(key, decodePreview), "dataset"}, new(atomic.Bool)},
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
	counts(ctx context.Context, kb string) (map[vendors.Status]int, error)
	search(ctx context.Context, q vendors.SearchQuery) ([]vendors.Hit, error)
	chunks(ctx context.Context, ref vendors.Ref, q vendors.PageQuery) (vendors.Page[vendors.Chunk], error)
	download(ctx context.Context, ref vendors.Ref) (vendors.Download, error)

	create(ctx context.Context, body datasetBody) (vendors.KnowledgeBase, error)
	update(ctx context.Context, id string, body datasetBody) (vendors.KnowledgeBase, error)
	remove(ctx context.Context, id string) error
	accepts(u vendors.Upload) error // refuses what the generation does not accept
	upload(ctx context.Context, u vendors.Upload) (vendors.Document, error)
	change(ctx context.Context, ref vendors.Ref, change vendors.DocumentChange) (vendors.Document, error)

	// The writes over several documents: Send and what else is the generation's.
	deleting(kb string) write.Documents
	starting(kb string) write.Documents
	stopping(kb string) write.Documents
}
