// Package dify speaks the knowledge ("datasets") service API of Dify 1.5 to
// 1.17, in the cloud and self-hosted.
//
// A key acts for the owner of a whole workspace. There is no envelope: the HTTP
// status alone shows success, the payload is the body, and a refusal is
// {"code", "message", "status"}. Lists come in numbered pages, newest first;
// progress comes by upload batch, and no call lists batches, so that documents
// without a known batch are read one by one or from the list.
//
// Sources: the Knowledge API reference of docs.dify.ai (OpenAPI, July 2026),
// and langgenius/dify from 1.13.2 on where it is silent.
package dify

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"kb-mcp/vendors/recent"
	"kb-mcp/vendors/rest"
)

// Config is a connection's settings.
type Config struct {
	APIKey  string `env:"DIFY_API_KEY" secret:"true"`
	BaseURL string `env:"DIFY_BASE_URL,default=https://api.dify.ai/v1" meant:"true"`
}

// Problems implements [rest.Config].
func (c Config) Problems() []rest.Problem {
	var problems rest.Problems
	problems.Add("DIFY_API_KEY", keyProblem(c.key()))
	_, text := c.base()
	problems.Add("DIFY_BASE_URL", text)
	return problems
}

// keyProblem returns what is wrong with the form of a key; "" for nothing. The
// server answers all of these with the same 401.
func keyProblem(key string) string {
	const where = "a dataset key (dataset-...) is made in Dify under Knowledge, Service API"
	switch {
	case key == "":
		return "is missing; " + where
	case strings.HasPrefix(key, "app-"):
		return "is an app's key, which opens no knowledge base; " + where
	case strings.Contains(key, "...") || strings.ContainsAny(key, "*…"):
		return "is the masked form that the console shows; make a new key and copy it when it is shown once"
	}
	return rest.KeyProblem(key)
}

// Account implements [rest.Config].
func (c Config) Account() string {
	base, _ := c.base()
	return rest.AccountOf(base.String(), c.key())
}

// Needs implements [rest.Config].
func (Config) Needs() string {
	return "DIFY_API_KEY; when self-hosted also DIFY_BASE_URL"
}

// DefaultRate implements [rest.Config]. The smallest cloud plan has 10 requests
// a minute for a whole workspace, shared with its console and apps, and a
// refused one counts too; a self-hosted server has no limit.
func (c Config) DefaultRate() string {
	if c.cloud() {
		return "8/min"
	}
	return "10/s"
}

// cloud reports whether the server is Dify's own.
func (c Config) cloud() bool {
	base, _ := c.base()
	return base != nil && strings.EqualFold(base.Hostname(), "api.dify.ai")
}

// key is the key as it is sent.
func (c Config) key() string { return strings.TrimSpace(c.APIKey) }

// base is the address of the API, with the /v1 that people leave out.
func (c Config) base() (u *url.URL, problem string) {
	if u, problem = rest.BaseURL(c.BaseURL); problem != "" {
		return nil, problem
	}
	if !strings.HasSuffix(u.Path, "/v1") {
		u.Path += "/v1"
	}
	return u, ""
}

// Driver implements [vendors.Driver] and what a platform may offer beyond it.
// Its only state is what it recently read of knowledge bases, and the batches
// of its uploads.
type Driver struct {
	client *rest.Client
	base   *url.URL
	cloud  bool
	now    func() time.Time

	bases   *recent.Map[dataset] // by id in lower case
	uploads *recent.Map[uploaded]
}

// New makes the driver of a connection whose settings have no problems.
func New(c Config, conn rest.Conn) *Driver {
	base, _ := c.base()
	bearer := "Bearer " + c.key()
	d := &Driver{base: base, cloud: c.cloud(), now: conn.Now, bases: recent.New[dataset](512, 5*time.Minute), uploads: recent.New[uploaded](2048, 0)}
	if d.now == nil {
		d.now = time.Now
	}
	d.client = rest.New(conn, rest.Dialect{
		Base: base,
		Sign: func(r *http.Request, _ []byte) error {
			r.Header.Set("Authorization", bearer)
			return nil
		},
		Decode: decode,
	})
	return d
}

// Instead implements [vendors.Adviser].
func (d *Driver) Instead() map[string]string {
	return map[string]string{
		"start_ingestion": "Dify ingests what is uploaded by itself; to ingest a document again, upload it again under the same name with upload_document, which replaces an enabled document in place.",
		"stop_ingestion":  "Pause the document in the Dify console, or delete it with delete_documents.",
	}
}
