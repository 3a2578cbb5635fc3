package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// process is one server under test.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.Reader
	addr   string // HTTP only
}

// start starts a program with pipes to it.
func start(ctx context.Context, environ []string, path string, args ...string) (p *process, stderr io.Reader, err error) {
	p = &process{cmd: exec.CommandContext(ctx, path, args...)}
	p.cmd.Env = environ
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 5 * time.Second
	var err1, err2, err3 error
	p.stdin, err1 = p.cmd.StdinPipe()
	p.stdout, err2 = p.cmd.StdoutPipe()
	stderr, err3 = p.cmd.StderrPipe()
	return p, stderr, errors.Join(err1, err2, err3, p.cmd.Start())
}

// startServer starts a server that speaks a transport.
func startServer(ctx context.Context, path, transport string, environ []string) (*process, error) {
	command := "stdio"
	if transport != "stdio" {
		command = "http"
	}
	p, stderr, err := start(ctx, append([]string{"KB_MCP_ADDR=127.0.0.1:0"}, environ...), path, command)
	if err != nil {
		return nil, err
	}
	logged := bufio.NewReaderSize(stderr, 64<<10)
	if command == "http" {
		p.addr, err = address(logged)
	}
	go io.Copy(io.Discard, logged) // ends with the process
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("%s %s: %w", path, command, err)
	}
	return p, nil
}

var addrField = regexp.MustCompile(`\baddr=(\S+)`)

// address reads a log up to the line that says where the server listens.
func address(log *bufio.Reader) (string, error) {
	var all []byte
	for {
		line, err := log.ReadBytes('\n')
		if m := addrField.FindSubmatch(line); m != nil {
			return string(m[1]), nil
		}
		all = append(all, line...)
		if err != nil {
			return "", fmt.Errorf("it ended without listening: %s", all)
		}
	}
}

func (p *process) stop() {
	p.stdin.Close()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait() // the reference has no graceful end
}

// clockTick is the unit of /proc/PID/stat; on Linux it is 10 ms everywhere.
const clockTick = 10 * time.Millisecond

// cpu is the processor time that the process has used so far.
func (p *process) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The second field is the name in brackets; utime and stime are the 14th
	// and 15th.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/PID/stat is %q", b)
	}
	user, err1 := strconv.Atoi(string(fields[11]))
	system, err2 := strconv.Atoi(string(fields[12]))
	return time.Duration(user+system) * clockTick, errors.Join(err1, err2)
}

var peakLine = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak is the most memory that the process has had resident, in bytes.
func (p *process) peak() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	m := peakLine.FindSubmatch(b)
	if m == nil {
		return 0, errors.New("/proc/PID/status has no VmHWM")
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	return kb << 10, err
}
