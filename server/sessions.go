package server

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"kb-mcp/server/internal/intake"
)

// endedSessions is how many ended session ids are remembered.
const endedSessions = 10_000

// sessions decides which streamable HTTP session ids are good. An id carries a
// tag that only its caller's key makes, so that it is good for its caller and
// for nobody else, on any replica and after a restart, and nobody can make one
// up. Nothing is kept of a session: clients go on after a restart, where with
// mcp-go's stateful manager they get 404, from which the TypeScript SDK never
// recovers. The exception is an id that its client ended by DELETE, which the
// specification wants refused.
//
// mcp-go registers each session it names, which costs 10 kB until a DELETE or
// an idle limit, and gives nothing here: no tool is a session's own, calls are
// cancelled by session id, and the notifications of a session's concurrent
// calls would share one channel and leave on any of their streams. So the ids
// are named past it (see [ownSessions]), and every request is served as mcp-go
// serves those of a session it has forgotten.
type sessions struct{ ended *lru.Cache[string, struct{}] }

func newSessions() *sessions {
	ended, _ := lru.New[string, struct{}](endedSessions) // the size is good
	return &sessions{ended}
}

var errForeignSession = errors.New("the session id was not made for this caller")

// elicitsMark ends the first part of the id of a session whose client can show
// its person a form: what a client says at its initialize is kept in the id,
// which the tag covers.
const elicitsMark = "e"

// name makes a session id for a caller.
func (s *sessions) name(party string, elicits bool) string {
	unique := rand.Text() // capital letters and digits
	if elicits {
		unique += elicitsMark
	}
	return unique + "-" + tag(party, unique)
}

// elicits reports whether the client of a good session can show its person a
// form.
func (s *sessions) elicits(id string) bool {
	unique, _, _ := strings.Cut(id, "-")
	return strings.HasSuffix(unique, elicitsMark)
}

// good reports whether an id was made for this caller and is not ended.
func (s *sessions) good(party, id string) bool { return s.made(party, id) && !s.ended.Contains(id) }

func (s *sessions) made(party, id string) bool {
	unique, given, _ := strings.Cut(id, "-")
	return subtle.ConstantTimeCompare([]byte(given), []byte(tag(party, unique))) == 1
}

// tag ties an id to a caller: who has another caller's id cannot make the tag
// that it needs with a name of its own.
func tag(party, unique string) string {
	sum := sha256.Sum256([]byte("kb-mcp session\x00" + party + "\x00" + unique))
	return hex.EncodeToString(sum[:16])
}

// end remembers that a caller has ended its session, and reports whether it
// was its own. Any other id is not worth a place.
func (s *sessions) end(party, id string) bool {
	if !s.made(party, id) {
		return false
	}
	s.ended.Add(id, struct{}{})
	return true
}

// ResolveSessionIdManager implements [mcpserver.SessionIdManagerResolver].
func (s *sessions) ResolveSessionIdManager(r *http.Request) mcpserver.SessionIdManager {
	opens, _ := r.Context().Value(openingKey{}).(opening)
	return ownSessions{s, intake.PartyOf(r.Context()), opens}
}

// opening is what a session that a request opens needs: the header of the
// answer, and what the client can do.
type opening struct {
	answer  http.Header
	elicits bool
}

type openingKey struct{}

// ownSessions are the sessions of the caller of one request, which may be an
// initialize.
type ownSessions struct {
	*sessions
	party string
	opening
}

// Generate names a session in the answer, and none to mcp-go, which would
// register it.
func (o ownSessions) Generate() string {
	o.answer.Set(mcpserver.HeaderKeySessionID, o.name(o.party, o.opening.elicits))
	return ""
}

// Validate implements [mcpserver.SessionIdManager].
func (o ownSessions) Validate(id string) (terminated bool, err error) {
	if !o.made(o.party, id) {
		return false, errForeignSession
	}
	return o.ended.Contains(id), nil
}

// Terminate implements [mcpserver.SessionIdManager].
func (o ownSessions) Terminate(string) (notAllowed bool, err error) { return false, nil }
