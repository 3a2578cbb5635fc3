package coze

import (
	"context"
	"net/url"
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

// dialectOf reads COZE_DIALECT; the two public hosts need no detection.
func dialectOf(name string, base *url.URL) dialect {
	switch host := strings.ToLower(base.Hostname()); {
	case name == "studio":
		return studio
	case name == "hosted", host == "api.coze.cn", host == "api.coze.com":
		return hosted
	}
	return undecided
}

// dialectState is what a connection has learned about its server. Only marks in
// an answer are remembered, never their absence.
type dialectState struct {
	dialect  atomic.Int32
	observed atomic.Int32 // what the newest marks show, whatever is configured
	base     atomic.Int32 // first page of document/list plus 1, once seen; 0: the dialect's
}

func (s *dialectState) set(d dialect) { s.dialect.Store(int32(d)) }
func (s *dialectState) is() dialect   { return dialect(s.dialect.Load()) }

// studio reports whether the server is known to be coze-studio.
func (d *Driver) studio() bool { return d.dialect.is() == studio }

// decide makes sure that the dialect is known, by the cheapest read. An answer
// without any mark is from hosted Coze, because studio's always have one.
func (d *Driver) decide(ctx context.Context, kb string) error {
	if d.dialect.is() != undecided {
		return nil
	}
	_, err := d.list(ctx, kb, 1, 1, nil)
	return err
}

// observe decides the dialect by the marks of an answer, if it is not decided
// yet.
func (s *dialectState) observe(a rest.Answer, h *head) {
	if d := marks(a, h); d != undecided {
		s.observed.Store(int32(d))
		s.dialect.CompareAndSwap(int32(undecided), int32(d))
	}
}

// mismatch reports whether the answers are of another dialect than configured.
func (s *dialectState) mismatch() bool {
	heard := dialect(s.observed.Load())
	return heard != undecided && heard != s.is()
}

// marks returns the dialect that an answer shows: studio writes "BaseResp":null
// beside code, has its own codes, binds JSON strictly and requires a session
// where tokens do not count; hosted has log ids. The weak marks of studio come
// last, as a gateway may add such a header too.
func marks(a rest.Answer, h *head) dialect {
	code, text := h.code(), string(h.Msg)
	switch {
	case len(h.BaseResp) > 0, len(code) == 9 && strings.HasPrefix(code, "105"),
		strings.Contains(text, wantsType), strings.Contains(text, wantsSession):
		return studio
	case h.Detail.LogID != "", a.Header.Get("X-Tt-Logid") != "":
		return hosted
	case a.Header.Get("X-Log-ID") != "", text == "success":
		return studio
	}
	return undecided
}

// page turns our page, from 1, into the server's. Hosted counts from 1, and
// its page 0 is the first too; studio counts from 0. While undecided the
// first page is 0, right in both.
func (s *dialectState) page(n int) int {
	switch base := s.base.Load(); {
	case base > 0:
		return n - 1 + int(base) - 1
	case s.is() == hosted:
		return n
	}
	return n - 1
}

// pageAfter is the server's number of a page after an answer was observed. An
// answer without any mark is from hosted Coze, because studio's always have
// one.
func (s *dialectState) pageAfter(n int) int {
	if s.is() == undecided && s.base.Load() == 0 {
		return n
	}
	return s.page(n)
}

// firstIs remembers the number that the server's first page really has.
func (s *dialectState) firstIs(page int) { s.base.Store(int32(page) + 1) }
