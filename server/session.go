package server

import (
	"sync"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/mcp"
)

// session is a peer to mcp-go.
type session struct {
	id          string
	notes       chan mcp.JSONRPCNotification
	initialized atomic.Bool

	mu           sync.Mutex
	client       mcp.Implementation
	capabilities mcp.ClientCapabilities
	version      string
}

// sessionNotes is how many notifications may wait for a client that does not
// read; more are lost.
const sessionNotes = 100

func newSession(id string) *session {
	return &session{id: id, notes: make(chan mcp.JSONRPCNotification, sessionNotes)}
}

// SessionID implements mcp-go's ClientSession, as the next three do.
func (s *session) SessionID() string { return s.id }

// NotificationChannel is where mcp-go puts notifications.
func (s *session) NotificationChannel() chan<- mcp.JSONRPCNotification { return s.notes }

// Initialize is called when the client has introduced itself.
func (s *session) Initialize() { s.initialized.Store(true) }

// Initialized reports whether the client may be notified.
func (s *session) Initialized() bool { return s.initialized.Load() }

// GetClientInfo implements mcp-go's SessionWithClientInfo, as the next five do.
func (s *session) GetClientInfo() mcp.Implementation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client
}

// SetClientInfo notes who the client is.
func (s *session) SetClientInfo(c mcp.Implementation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client = c
}

// GetClientCapabilities is what the client can do.
func (s *session) GetClientCapabilities() mcp.ClientCapabilities {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.capabilities
}

// SetClientCapabilities notes what the client can do.
func (s *session) SetClientCapabilities(c mcp.ClientCapabilities) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.capabilities = c
}

// ProtocolVersion is the revision that client and server speak.
func (s *session) ProtocolVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// SetProtocolVersion notes the revision.
func (s *session) SetProtocolVersion(v string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = v
}
