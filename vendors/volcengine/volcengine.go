// Package volcengine speaks the knowledge base of Volcengine's VikingDB (知识库):
// JSON objects posted to /api/knowledge/*, with an API key or an HMAC-SHA256
// signature.
//
// Sources: the official pages volcengine.com/docs/84313, and for what they do
// not say the official SDKs volcengine/volc-sdk-python@d88be4d,
// volcengine/vikingdb-python-sdk@68c412e and volcengine/vikingdb-java-sdk@59e846f.
//
// Three quirks shape the code. Unknown keys of a request are ignored, so that a
// misspelt one gives wrong data with code 0. The same document has its times in
// milliseconds from doc/info and in seconds from the lists. A knowledge base is
// named by "name" in collection/* and by "collection_name" in doc/* and
// point/*.
package volcengine

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/recent"
	"kb-mcp/vendors/rest"
)

// Config holds the platform's variables. An API key wins over a pair of keys.
type Config struct {
	AccessKey    string `env:"VOLCENGINE_ACCESS_KEY" secret:"true"`
	SecretKey    string `env:"VOLCENGINE_SECRET_KEY" secret:"true"`
	SessionToken string `env:"VOLCENGINE_SESSION_TOKEN" secret:"true"`
	APIKey       string `env:"VOLCENGINE_API_KEY" secret:"true"`
	VikingAPIKey string `env:"VIKING_API_KEY" secret:"true"` // the name the official SDKs use
	BaseURL      string `env:"VOLCENGINE_BASE_URL,default=https://api-knowledgebase.mlp.cn-beijing.volces.com" meant:"true"`
	Region       string `env:"VOLCENGINE_REGION,default=cn-beijing"`
	Project      string `env:"VOLCENGINE_PROJECT,default=default"`
}

// Problems lists what is wrong with the configuration, by variable.
func (c Config) Problems() []rest.Problem {
	var list rest.Problems
	switch {
	case c.AccessKey != "" && c.SecretKey == "":
		list.Add("VOLCENGINE_SECRET_KEY", "is missing although VOLCENGINE_ACCESS_KEY is set: an access key signs only with its secret key")
	case c.AccessKey == "" && c.SecretKey != "":
		list.Add("VOLCENGINE_ACCESS_KEY", "is missing although VOLCENGINE_SECRET_KEY is set: a secret key needs its access key")
	case c.AccessKey == "" && c.apiKey() == "":
		list.Add("VOLCENGINE_API_KEY", "is missing: set it, or both VOLCENGINE_ACCESS_KEY and VOLCENGINE_SECRET_KEY")
	}
	list.Add("VOLCENGINE_ACCESS_KEY", rest.KeyProblem(c.AccessKey))
	list.Add("VOLCENGINE_SECRET_KEY", rest.KeyProblem(c.SecretKey))
	list.Add("VOLCENGINE_SESSION_TOKEN", rest.KeyProblem(c.SessionToken))
	list.Add("VOLCENGINE_API_KEY", rest.KeyProblem(c.APIKey))
	list.Add("VIKING_API_KEY", rest.KeyProblem(c.VikingAPIKey))
	list.Add("VOLCENGINE_BASE_URL", baseProblem(c.BaseURL))
	if !regionName.MatchString(c.Region) {
		list.Add("VOLCENGINE_REGION", "is not a region's name such as cn-beijing")
	}
	if strings.TrimSpace(c.Project) == "" {
		list.Add("VOLCENGINE_PROJECT", "is empty: leave it unset for the project \"default\"")
	}
	return list
}

var regionName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// baseProblem says what is wrong with a base URL; "" for a good one.
func baseProblem(base string) string {
	u, text := rest.BaseURL(base)
	switch {
	case text != "":
		return text
	case u.Scheme == "http" && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback():
		return "must begin with https:// (http:// only on this machine)"
	case strings.HasPrefix(u.Hostname(), "api-knowledgebase.ml_platform."):
		return "names a host that no longer exists: use https://api-knowledgebase.mlp.cn-beijing.volces.com"
	case strings.HasSuffix(u.Path, "/api/knowledge"):
		return "must end before /api/knowledge"
	}
	return ""
}

// Account implements [rest.Config].
func (c Config) Account() string {
	return rest.AccountOf(c.BaseURL, cmp.Or(c.apiKey(), c.AccessKey))
}

// Needs implements [rest.Config].
func (Config) Needs() string {
	return "VOLCENGINE_ACCESS_KEY and VOLCENGINE_SECRET_KEY; or VOLCENGINE_API_KEY"
}

// DefaultRate is far below the published 50/s of collection/*: those of doc/*
// are not published.
func (c Config) DefaultRate() string { return "10/s" }

func (c Config) apiKey() string { return cmp.Or(c.APIKey, c.VikingAPIKey) }

// Driver is one Volcengine account. It has every operation but starting and
// stopping ingestion and downloading, which the platform lacks.
type Driver struct {
	client  *rest.Client
	project string
	signed  bool // with a pair of keys, so that clocks matter
	now     func() time.Time
	newID   func() string       // of documents to add
	names   *recent.Map[string] // ids of knowledge bases by name, which may be given to another one
	// oldList remembers that this server has no doc/v2/list.
	oldList atomic.Bool
}

// New makes the driver of a configuration without problems.
func New(c Config, conn rest.Conn) *Driver {
	if conn.Now == nil {
		conn.Now = time.Now
	}
	base, _ := rest.BaseURL(c.BaseURL) // no problem is left in c
	d := &Driver{
		project: c.Project, signed: c.apiKey() == "", now: conn.Now, newID: newDocumentID,
		names: recent.New[string](recent.Size, recent.Age),
	}
	d.client = rest.New(conn, rest.Dialect{Base: base, Sign: c.credential(conn.Now), Decode: d.decode})
	return d
}

// credential returns what puts the credential on a request.
func (c Config) credential(now func() time.Time) func(*http.Request, []byte) error {
	if key := c.apiKey(); key != "" {
		return func(r *http.Request, _ []byte) error {
			r.Header.Set("Authorization", "Bearer "+key)
			return nil
		}
	}
	return signer{
		accessKey: c.AccessKey, secretKey: c.SecretKey, sessionToken: c.SessionToken,
		region: c.Region, now: now,
	}.sign
}

// read posts body to /api/knowledge/<path>, which changes nothing, and gives the
// answer's data.
func read[T any](ctx context.Context, d *Driver, path string, body any) (*T, error) {
	return post[T](ctx, d, rest.Reads, path, body)
}

// post returns the data of an answer; it is never nil without an error.
func post[T any](ctx context.Context, d *Driver, write rest.Write, path string, body any) (*T, error) {
	var out envelope[T]
	err := d.client.Do(ctx, request(write, path, body), &out)
	return out.Data, err
}

// send posts a change whose answer has no data.
func (d *Driver) send(ctx context.Context, write rest.Write, path string, body any) error {
	return d.client.Do(ctx, request(write, path, body), &receipt{})
}

func request(write rest.Write, path string, body any) rest.Call {
	return rest.Call{
		Method: http.MethodPost, Path: append([]string{"api", "knowledge"}, strings.Split(path, "/")...), Body: body,
		Write: write, Search: path == searchPath,
	}
}

// target names a knowledge base in a request. Empty keys are never sent.
type target struct {
	ResourceID     string `json:"resource_id,omitempty"`
	Name           string `json:"name,omitempty"`            // collection/*
	CollectionName string `json:"collection_name,omitempty"` // doc/*, point/*
	Project        string `json:"project,omitempty"`
}

// isResource reports whether a knowledge base's id is a resource id: names begin
// with a letter and hold no hyphen, so that the prefix decides.
func isResource(id string) bool { return strings.HasPrefix(id, "kb-") }

// base names a knowledge base in calls of collection/*.
func (d *Driver) base(id string) target {
	if isResource(id) {
		return target{ResourceID: id}
	}
	return target{Name: id, Project: d.project}
}

// baseOf names the knowledge base of documents in calls of doc/* and point/*.
func (d *Driver) baseOf(id string) target {
	if isResource(id) {
		return target{ResourceID: id}
	}
	return target{CollectionName: id, Project: d.project}
}

// docTarget names one document.
type docTarget struct {
	target
	DocID string `json:"doc_id"`
}

func (d *Driver) doc(ref vendors.Ref) docTarget {
	return docTarget{d.baseOf(ref.KnowledgeBaseID), ref.DocumentID}
}

// Instead implements [vendors.Adviser].
func (d *Driver) Instead() map[string]string {
	return map[string]string{
		"start_ingestion":   "Ingestion starts by itself when a document is added, and kb-mcp cannot start it again: read the document's error for what to correct, and add the corrected file with upload_document.",
		"stop_ingestion":    "To stop the ingestion of a document, delete it with delete_documents.",
		"download_document": "Volcengine does not hand out files: fetch the file from its source (source_url of get_document_info), or read its text with list_chunks.",
	}
}

var (
	_ vendors.Driver                = (*Driver)(nil)
	_ vendors.Adviser               = (*Driver)(nil)
	_ vendors.Doctor                = (*Driver)(nil)
	_ vendors.Staller               = (*Driver)(nil)
	_ vendors.Batcher               = (*Driver)(nil)
	_ vendors.KnowledgeBaseLister   = (*Driver)(nil)
	_ vendors.Counter               = (*Driver)(nil)
	_ vendors.KnowledgeBaseResolver = (*Driver)(nil)
	_ vendors.Searcher              = (*Driver)(nil)
	_ vendors.ChunkLister           = (*Driver)(nil)
	_ vendors.KnowledgeBaseCreator  = (*Driver)(nil)
	_ vendors.KnowledgeBaseUpdater  = (*Driver)(nil)
	_ vendors.KnowledgeBaseDeleter  = (*Driver)(nil)
	_ vendors.Uploader              = (*Driver)(nil)
	_ vendors.DocumentUpdater       = (*Driver)(nil)
	_ vendors.DocumentDeleter       = (*Driver)(nil)
)
