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
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kb-mcp/vendors"
	"kb-mcp/vendors/internal/recent"
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

// Problems lists what is wrong with the configuration, by variable.
func (c Config) Problems() []rest.Problem {
	list := c.credentialProblems()
	add := func(variable, text string) { list = append(list, rest.Problem{Variable: variable, Text: text}) }
	if _, text := rest.BaseURL(c.APIBase); text != "" {
		add("COZE_API_BASE", text)
	}
	if c.SpaceID != "" && !isID(c.SpaceID) {
		add("COZE_SPACE_ID", "must be digits only: it is the number after /space/ in the address of the space's page")
	}
	if c.AccountID != "" && !isID(c.AccountID) {
		add("COZE_ACCOUNT_ID", "must be digits only")
	}
	switch {
	case c.Dialect != "" && c.Dialect != "auto" && c.Dialect != "hosted" && c.Dialect != "studio":
		add("COZE_DIALECT", "must be auto, hosted or studio")
	case c.Dialect == "studio" && c.Token == "" && c.ClientID != "":
		add("COZE_API_TOKEN", "is missing: COZE_DIALECT=studio has no JWT apps, only tokens made in its web page")
	}
	return list
}

// credentialProblems judges the token, or the three parts of a JWT app.
func (c Config) credentialProblems() (list []rest.Problem) {
	add := func(variable, text string) { list = append(list, rest.Problem{Variable: variable, Text: text}) }
	if c.Token != "" {
		if strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) {
			add("COZE_API_TOKEN", "holds spaces or characters that no token has: give the bare token, without \"Bearer\" or quotes")
		}
		return list
	}
	if c.ClientID == "" && c.PrivateKey == "" && c.PublicKeyID == "" {
		add("COZE_API_TOKEN", "is missing: set it, or the JWT app's COZE_JWT_OAUTH_CLIENT_ID, COZE_JWT_OAUTH_PRIVATE_KEY and COZE_JWT_OAUTH_PUBLIC_KEY_ID")
		return list
	}
	for _, v := range []struct{ variable, value string }{
		{"COZE_JWT_OAUTH_CLIENT_ID", c.ClientID},
		{"COZE_JWT_OAUTH_PRIVATE_KEY", c.PrivateKey},
		{"COZE_JWT_OAUTH_PUBLIC_KEY_ID", c.PublicKeyID},
	} {
		if v.value == "" {
			add(v.variable, "is missing: a JWT app needs COZE_JWT_OAUTH_CLIENT_ID, COZE_JWT_OAUTH_PRIVATE_KEY and COZE_JWT_OAUTH_PUBLIC_KEY_ID")
		}
	}
	if _, err := parseKey(c.PrivateKey); c.PrivateKey != "" && err != nil {
		add("COZE_JWT_OAUTH_PRIVATE_KEY", "is not an RSA private key in PEM form (the file private_key.pem of the app, PKCS#8 or PKCS#1)")
	}
	return list
}

// Account identifies the server and the credential, which appears as its hash.
func (c Config) Account() string {
	who := "token " + c.Token
	if c.Token == "" {
		who = "app " + c.ClientID + " " + c.PublicKeyID + " " + c.AccountID
	}
	sum := sha256.Sum256([]byte(who))
	return strings.ToLower(strings.TrimRight(strings.TrimSpace(c.APIBase), "/")) + " " + hex.EncodeToString(sum[:])
}

// Needs implements [rest.Config].
func (Config) Needs() string {
	return "COZE_API_TOKEN and COZE_SPACE_ID; or a JWT app: COZE_JWT_OAUTH_CLIENT_ID, COZE_JWT_OAUTH_PRIVATE_KEY, COZE_JWT_OAUTH_PUBLIC_KEY_ID"
}

// DefaultRate is the widely quoted figure of 2024; nothing is published for
// these endpoints.
func (c Config) DefaultRate() string { return "2/s" }

// Driver is one Coze account. It reads, uploads, renames and deletes; the
// platform has no search but of images, no restart and no download.
type Driver struct {
	client  *rest.Client
	token   string  // fixed; "" with a JWT app
	tokens  *tokens // of a JWT app; nil with a fixed token
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
		d.tokens = newTokens(c, base, conn)
	}
	d.client = rest.New(conn, rest.Dialect{Base: base, Sign: d.sign, Decode: d.decode})
	return d
}

// sign puts the token on a request. A JWT app's was obtained in [Driver.call],
// above the pacing, so that the exchange takes a turn of its own.
func (d *Driver) sign(r *http.Request, _ []byte) error {
	token := d.token
	if d.tokens != nil {
		token = d.tokens.cached()
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// do makes one request and gives the payload of its answer. about is for the
// words of its errors.
func do[P payload](ctx context.Context, d *Driver, about subject, c rest.Call) (P, error) {
	var out answer[P]
	err := d.call(ctx, c, &out)
	about.name(err)
	return out.payload(), err
}

// call makes one request. The token of a JWT app is renewed once when the
// platform refuses it, never again within the call.
func (d *Driver) call(ctx context.Context, c rest.Call, out reply) error {
	// Without this header the gateway writes int64 ids as numbers.
	c.Header = http.Header{"Agw-Js-Conv": {"str"}}
	if d.tokens == nil {
		return d.client.Do(ctx, c, out)
	}
	token, err := d.tokens.get(ctx, "")
	if err != nil {
		return vendors.NothingDone(err)
	}
	err = d.client.Do(ctx, c, out)
	if !errors.Is(err, errExpired) {
		return err
	}
	if _, err := d.tokens.get(ctx, token); err != nil {
		return vendors.NothingDone(err)
	}
	return d.client.Do(ctx, c, out)
}

// isID reports whether s can be an id of Coze: digits that fit an int64. Studio
// takes some ids as bare JSON numbers, so nothing else may get that far.
func isID(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil && strings.Trim(s, "0123456789") == ""
}

// CheckID implements [vendors.IDChecker].
func (*Driver) CheckID(arg, id string) error {
	if isID(id) || arg == "batch_id" { // which Coze does not have
		return nil
	}
	return vendors.Errorf(vendors.InvalidArgument, "`%s` holds %q, but ids of Coze are numbers of up to 19 digits.", arg, rest.Text(id)).
		WithHint("Pass the id exactly as list_knowledge_bases or list_documents gave it, not a name.")
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
