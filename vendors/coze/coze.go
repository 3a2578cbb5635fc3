// Package coze speaks the knowledge API of Coze in its two dialects: hosted
// (coze.cn, coze.com) and studio, the open-source server coze-dev/coze-studio,
// which has the same paths with other types, pages and errors.
//
// Sources: the developer guide's knowledge pages on coze.cn (2024-12 to
// 2026-05); coze-dev/coze-studio@4f786d6 for studio and, in its
// frontend/packages/arch/idl, for fields that the pages leave out;
// coze-dev/coze-go@f47b4f2 for the JWT exchange.
//
// What shapes the code: an HTTP status says little, because errors come with
// 200 and an unknown path with a code; there is no call for one document; list
// rows lack progress, and progress answers lack everything else.
package coze

import (
	"log/slog"
	"slices"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/coze/oauth"
	"kb-mcp/vendors/recent"
	"kb-mcp/vendors/rest"
)

// Config holds the platform's variables. A token wins over a JWT app.
type Config struct {
	Token       string `env:"COZE_API_TOKEN" secret:"true"`
	ClientID    string `env:"COZE_JWT_OAUTH_CLIENT_ID"`
	PrivateKey  string `env:"COZE_JWT_OAUTH_PRIVATE_KEY" secret:"true"` // PEM; a literal \n is a line's end
	PublicKeyID string `env:"COZE_JWT_OAUTH_PUBLIC_KEY_ID"`
	APIBase     string `env:"COZE_API_BASE,default=https://api.coze.cn" meant:"true"`
	SpaceID     string `env:"COZE_SPACE_ID"`
	AccountID   string `env:"COZE_ACCOUNT_ID"`
	Dialect     string `env:"COZE_DIALECT,default=auto"`
}

const appVariables = "COZE_JWT_OAUTH_CLIENT_ID, COZE_JWT_OAUTH_PRIVATE_KEY and COZE_JWT_OAUTH_PUBLIC_KEY_ID"

// Problems lists what is wrong with the configuration, by variable.
func (c Config) Problems() []rest.Problem {
	var list rest.Problems
	app := c.Token == "" && c.ClientID+c.PrivateKey+c.PublicKeyID != ""
	list.Add("COZE_API_TOKEN", rest.KeyProblem(c.Token))
	if c.Token == "" && !app {
		list.Add("COZE_API_TOKEN", "is missing: set it, or the JWT app's "+appVariables)
	}
	for _, part := range [][2]string{
		{"COZE_JWT_OAUTH_CLIENT_ID", c.ClientID},
		{"COZE_JWT_OAUTH_PRIVATE_KEY", c.PrivateKey},
		{"COZE_JWT_OAUTH_PUBLIC_KEY_ID", c.PublicKeyID},
	} {
		if app && part[1] == "" {
			list.Add(part[0], "is missing: a JWT app needs "+appVariables)
		}
	}
	if _, err := oauth.ParseKey(c.PrivateKey); app && c.PrivateKey != "" && err != nil {
		list.Add("COZE_JWT_OAUTH_PRIVATE_KEY", "is not an RSA private key in PEM form (the file private_key.pem of the app, PKCS#8 or PKCS#1)")
	}
	_, text := rest.BaseURL(c.APIBase)
	list.Add("COZE_API_BASE", text)
	if c.SpaceID != "" && !isID(c.SpaceID) {
		list.Add("COZE_SPACE_ID", "must be digits only: it is the number after /space/ in the address of the space's page")
	}
	if c.AccountID != "" && !isID(c.AccountID) {
		list.Add("COZE_ACCOUNT_ID", "must be digits only")
	}
	switch {
	case !slices.Contains([]string{"", "auto", "hosted", "studio"}, c.Dialect):
		list.Add("COZE_DIALECT", "must be auto, hosted or studio")
	case c.Dialect == "studio" && app:
		list.Add("COZE_API_TOKEN", "is missing: COZE_DIALECT=studio has no JWT apps, only tokens made in its web page")
	}
	return list
}

// Account implements [rest.Config].
func (c Config) Account() string {
	if c.Token == "" {
		return rest.AccountOf(c.APIBase, "app "+c.ClientID+" "+c.PublicKeyID+" "+c.AccountID)
	}
	return rest.AccountOf(c.APIBase, "token "+c.Token)
}

// Needs implements [rest.Config].
func (Config) Needs() string {
	return "COZE_API_TOKEN and COZE_SPACE_ID; or a JWT app: COZE_JWT_OAUTH_CLIENT_ID, COZE_JWT_OAUTH_PRIVATE_KEY, COZE_JWT_OAUTH_PUBLIC_KEY_ID"
}

// DefaultRate is the widely quoted figure of 2024; nothing is published for
// these endpoints.
func (c Config) DefaultRate() string { return "2/s" }

// Driver is one Coze account. It reads, uploads, renames and deletes; the
// platform searches only images, and has no restart and no download.
type Driver struct {
	client  *rest.Client
	token   string        // fixed; "" with a JWT app
	tokens  *oauth.Tokens // of a JWT app; nil with a fixed token
	dialect dialectState
	space   string                // COZE_SPACE_ID
	spaces  *recent.Map[[]string] // under "", where no space is configured
	bases   *recent.Map[seenBase] // by id
	kbPage  int                   // rows of a page of knowledge bases
	log     *slog.Logger
	now     func() time.Time
}

// New makes the driver of a configuration without problems.
func New(c Config, conn rest.Conn) *Driver {
	if conn.Now == nil {
		conn.Now = time.Now
	}
	if conn.Log == nil {
		conn.Log = slog.New(slog.DiscardHandler)
	}
	base, _ := rest.BaseURL(c.APIBase) // no problem is left in c
	d := &Driver{
		token: c.Token, space: c.SpaceID, kbPage: studioDatasets, log: conn.Log, now: conn.Now,
		spaces: recent.New[[]string](1, recent.Age), bases: recent.New[seenBase](mostRemembered, 0),
	}
	d.dialect.set(dialectOf(c.Dialect, base))
	if d.dialect.is() == hosted {
		d.kbPage = hostedDatasets
	}
	if c.Token == "" {
		d.tokens = oauth.New(oauth.App{ClientID: c.ClientID, KeyID: c.PublicKeyID, PrivateKey: c.PrivateKey, AccountID: c.AccountID}, base, conn)
	}
	d.client = rest.New(conn, rest.Dialect{Base: base, Sign: d.sign, Decode: d.decode})
	return d
}

var (
	_ vendors.Driver               = (*Driver)(nil)
	_ vendors.KnowledgeBaseLister  = (*Driver)(nil)
	_ vendors.KnowledgeBaseCreator = (*Driver)(nil)
	_ vendors.KnowledgeBaseUpdater = (*Driver)(nil)
	_ vendors.KnowledgeBaseDeleter = (*Driver)(nil)
	_ vendors.KnowledgeBaseChecker = (*Driver)(nil)
	_ vendors.Searcher             = (*Driver)(nil)
	_ vendors.ChunkLister          = (*Driver)(nil)
	_ vendors.Uploader             = (*Driver)(nil)
	_ vendors.DocumentUpdater      = (*Driver)(nil)
	_ vendors.DocumentDeleter      = (*Driver)(nil)
	_ vendors.Adviser              = (*Driver)(nil)
	_ vendors.Batcher              = (*Driver)(nil)
	_ vendors.Doctor               = (*Driver)(nil)
	_ vendors.IDChecker            = (*Driver)(nil)
	_ vendors.Staller              = (*Driver)(nil)
	_ rest.Config                  = Config{}
)
