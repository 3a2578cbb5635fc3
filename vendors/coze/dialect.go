package coze

import (
	"strings"
	"sync/atomic"

	"kb-mcp/vendors/rest"
)

// dialect is which of the two servers a connection talks to.
type dialect int32

const (
	undecided dialect = iota
	hosted
	studio
)

// speech is what a connection has learnt of its server. Only what an answer
// showed is remembered, never that it showed nothing.
type speech struct {
	dialect atomic.Int32
	heard   atomic.Int32 // what the newest marks show, whatever is configured
	base    atomic.Int32 // first page of document/list plus 1, once seen; 0: the dialect's
}

func (s *speech) set(d dialect)  { s.dialect.Store(int32(d)) }
func (s *speech) is() dialect    { return dialect(s.dialect.Load()) }
func (s *speech) isStudio() bool { return s.is() == studio }

// hear decides the dialect by the marks of an answer, if it is not decided.
func (s *speech) hear(a rest.Answer, h *head) {
	d := marks(a, h)
	if d == undecided {
		return
	}
	s.heard.Store(int32(d))
	if s.is() == undecided {
		s.dialect.CompareAndSwap(int32(undecided), int32(d))
	}
}

// mismatch reports whether the answers are not of the dialect that is configured.
func (s *speech) mismatch() bool {
	heard := dialect(s.heard.Load())
	return heard != undecided && heard != s.is()
}

// marks tells the dialects apart: studio writes "BaseResp":null beside code,
// has codes of its own, binds JSON strictly and asks for a session where tokens
// do not count; hosted has log ids. The weak marks of studio come last, as a
// gateway may add such a header too.
func marks(a rest.Answer, h *head) dialect {
	switch {
	case len(h.BaseResp) > 0, studioCode(h.Code.Int), boundWrong(string(h.Msg)), sessionWanted(string(h.Msg)):
		return studio
	case h.Detail.LogID != "", a.Header.Get("X-Tt-Logid") != "":
		return hosted
	case a.Header.Get("X-Log-ID") != "", h.Msg == "success":
		return studio
	}
	return undecided
}

// studioCode reports whether a code is one of studio's knowledge errors.
func studioCode(code int64) bool { return code >= 105000000 && code < 106000000 }

// boundWrong recognises studio's words for a member of the wrong JSON type.
func boundWrong(msg string) bool { return strings.Contains(msg, "bind body failed") }

// page turns our page, from 1, into the server's. Hosted counts from 1, and
// its page 0 is the first too; studio counts from 0. While undecided the
// first page is 0, right in both.
func (s *speech) page(n int) int {
	switch base := s.base.Load(); {
	case base > 0:
		return n - 1 + int(base) - 1
	case s.is() == hosted:
		return n
	}
	return n - 1
}

// firstIs remembers the number that the server's first page really has.
func (s *speech) firstIs(page int) { s.base.Store(int32(page) + 1) }
