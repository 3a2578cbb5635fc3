// Package redistest runs a real redis-server for tests.
package redistest

import (
	"bufio"
	"net"
	"os/exec"
	"strings"
	"testing"
)

// Server is a redis-server on a port of this machine, which keeps nothing on
// disk and ends with the test.
type Server struct {
	Addr string

	tb   testing.TB
	args []string
	cmd  *exec.Cmd
}

// Start runs a server with further arguments of redis-server, or skips the test
// when none is installed.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		tb.Skip("redis-server is not installed (Debian: apt-get install redis-server), so nothing is shared here")
	}
	s := &Server{tb: tb, args: args}
	tb.Cleanup(s.Stop)
	for range 5 { // somebody may take the port in between
		s.Addr = freeAddr(tb)
		if s.run() {
			return s
		}
	}
	tb.Fatal("redis-server does not start")
	return nil
}

// URL is the server's address as kb-mcp reads it.
func (s *Server) URL() string { return "redis://" + s.Addr }

// Stop ends the server at once, with everything in it. Connections break.
func (s *Server) Stop() {
	if s.cmd != nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		s.cmd = nil
	}
}

// Restart runs it again, empty, at the same address.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	if !s.run() {
		s.tb.Fatal("redis-server does not start again")
	}
}

// run starts the process and waits until it serves.
func (s *Server) run() bool {
	s.tb.Helper()
	host, port, _ := net.SplitHostPort(s.Addr)
	cmd := exec.Command("redis-server", append([]string{"--bind", host, "--port", port, "--save", "", "--appendonly", "no"}, s.args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	s.cmd = cmd
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			return true // it writes no more than the pipe holds
		}
	}
	s.Stop()
	return false
}

func freeAddr(tb testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
