package sandbox

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"kb-mcp/vendors/sandbox/coze"
	"kb-mcp/vendors/sandbox/dify"
	"kb-mcp/vendors/sandbox/ragflow"
	"kb-mcp/vendors/sandbox/ragflow/preview"
	"kb-mcp/vendors/sandbox/volcengine"
)

// Server is a sandbox that listens.
type Server struct {
	sandbox *Sandbox
	addr    string
	http    *http.Server
	done    chan struct{} // closed when serving has ended
}

// Start serves a new sandbox at addr ("127.0.0.1:0" picks a free port) until
// ctx ends or [Server.Close]. Addresses other than loopback are refused.
func Start(ctx context.Context, addr string, o Options) (*Server, error) {
	if err := loopback(addr); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	sb := New(o)
	srv := &Server{
		sandbox: sb, addr: ln.Addr().String(), done: make(chan struct{}),
		http: &http.Server{Handler: sb, ReadHeaderTimeout: 10 * time.Second},
	}
	stop := context.AfterFunc(ctx, func() { srv.http.Close() })
	go func() { // Close waits for done
		defer close(srv.done)
		defer stop()
		srv.http.Serve(ln)
	}()
	return srv, nil
}

// loopback refuses an address that other machines could reach.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("sandbox: address %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("sandbox: %q is not a loopback address; the sandbox serves this machine only", addr)
}

// Addr is the address that the server listens at, host and port.
func (s *Server) Addr() string { return s.addr }

// Sandbox is what the server serves.
func (s *Server) Sandbox() *Sandbox { return s.sandbox }

// Environ is the variables that point kb-mcp at this server: the hosted
// flavour of Coze, Dify, the current generation of RAGFlow, and Volcengine.
func (s *Server) Environ() []string { return Variables("http://" + s.addr) }

// Done is closed when the server has stopped.
func (s *Server) Done() <-chan struct{} { return s.done }

// Close stops the server and waits until it has stopped.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Variables is the native variables that point kb-mcp at a sandbox whose root
// is base (without a slash at its end), one "NAME=value" each. With no faces
// named it is those of [Server.Environ]; otherwise those of the faces, for
// example Variables(base, FaceCozeStudio, FaceRAGFlowPreview).
func Variables(base string, faces ...string) []string {
	if len(faces) == 0 {
		faces = []string{FaceCoze, FaceDify, FaceRAGFlow, FaceVolcengine}
	}
	base = strings.TrimRight(base, "/")
	var out []string
	for _, f := range faces {
		out = append(out, variables(base, f)...)
	}
	return slices.Clip(out)
}

func variables(base, face string) []string {
	switch face {
	case FaceCoze, FaceCozeStudio:
		return []string{"COZE_API_TOKEN=" + coze.Token, "COZE_API_BASE=" + base + "/" + face, "COZE_SPACE_ID=" + coze.SpaceID}
	case FaceDify:
		return []string{"DIFY_API_KEY=" + dify.Key, "DIFY_BASE_URL=" + base + "/dify/v1"}
	case FaceRAGFlow, FaceRAGFlowGo, FaceRAGFlowOld:
		return []string{"RAGFLOW_API_KEY=" + ragflow.Key, "RAGFLOW_BASE_URL=" + base + "/" + face}
	case FaceRAGFlowPreview:
		return []string{"RAGFLOW_API_KEY=" + preview.Token, "RAGFLOW_BASE_URL=" + base + "/ragflow-preview", "RAGFLOW_API_GENERATION=preview"}
	case FaceVolcengine:
		return []string{
			"VOLCENGINE_ACCESS_KEY=" + volcengine.AccessKey, "VOLCENGINE_SECRET_KEY=" + volcengine.SecretKey,
			"VOLCENGINE_BASE_URL=" + base + "/volcengine",
		}
	}
	return nil
}

// CozePrivateKey is the JWT app's private key as PKCS#8 PEM. Each sandbox has
// its own, made at the first use.
func (s *Sandbox) CozePrivateKey() string {
	der, err := x509.MarshalPKCS8PrivateKey(s.key())
	if err != nil {
		panic("sandbox: " + err.Error()) // an RSA key always marshals
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// CozeAppVariables is the native variables that point kb-mcp at the hosted
// Coze face of the sandbox at base with the JWT app instead of a token.
func (s *Sandbox) CozeAppVariables(base string) []string {
	return []string{
		"COZE_JWT_OAUTH_CLIENT_ID=" + coze.ClientID,
		"COZE_JWT_OAUTH_PRIVATE_KEY=" + s.CozePrivateKey(),
		"COZE_JWT_OAUTH_PUBLIC_KEY_ID=" + coze.PublicKeyID,
		"COZE_API_BASE=" + strings.TrimRight(base, "/") + "/coze",
		"COZE_SPACE_ID=" + coze.SpaceID,
	}
}
