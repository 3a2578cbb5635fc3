package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// bench is one run.
type bench struct {
	options
	stdout  io.Writer
	servers []*process // to be stopped
}

// measure runs the parts, each with its own sandbox, and writes each part's
// Markdown as soon as it is ready.
func measure(ctx context.Context, o options, stdout io.Writer) error {
	b := &bench{options: o, stdout: stdout}
	fmt.Fprintln(stdout, machine())
	for _, part := range []struct {
		name, vendor string // vendor is the argument of [vendorRole]
		run          func(context.Context, *vendor) error
	}{
		{"load", "0s", b.load}, {"start", "0s", b.start},
		{"latency", latency.String(), b.latency}, {"isolation", "0s,coze", b.isolation},
		{"crowd", crowdLatency.String(), b.crowd},
	} {
		if o.only != "" && o.only != part.name {
			continue
		}
		v, err := startVendor(ctx, o, part.vendor)
		if err == nil {
			err = part.run(ctx, v)
			b.stopServers()
			v.stop()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func (b *bench) stopServers() {
	for _, p := range b.servers {
		p.stop()
	}
	b.servers = nil
}

// environ is a server's environment: the sandbox, and no limit of our own.
func environ(v *vendor) []string {
	return append([]string{"DIFY_RATE_LIMIT=off", "COZE_RATE_LIMIT=off", "COZE_TIMEOUT=1h"}, v.Environ...)
}

// open starts a server and connects n callers to it.
func (b *bench) open(ctx context.Context, v *vendor, name, transport string, n int) (*contestant, error) {
	path := b.binary
	if name == nameReference {
		path = b.reference
	}
	p, err := startServer(ctx, path, transport, environ(v))
	if err != nil {
		return nil, err
	}
	b.servers = append(b.servers, p)
	callers, err := connect(ctx, transport, p, n)
	if err != nil {
		return nil, fmt.Errorf("%s over %s: %w", name, transport, err)
	}
	return &contestant{name: name, transport: transport, process: p, callers: callers, kbs: v.KBs["dify"]}, nil
}

// direct connects n callers to the platform itself.
func (b *bench) direct(v *vendor, n int) *contestant {
	return &contestant{name: nameDirect, transport: "-", callers: directCallers(v, n), kbs: v.KBs["dify"]}
}

const (
	nameOurs      = "kb-mcp"
	nameShared    = "kb-mcp, all the same list"
	nameReference = "plain mcp-go"
	nameDirect    = "none: the sandbox itself"
)

// load is the table: every transport, every number of callers.
func (b *bench) load(ctx context.Context, v *vendor) error {
	b.tableHead()
	for _, n := range b.callers {
		list := []*contestant{b.direct(v, n)}
		for _, transport := range b.transports {
			for _, name := range []string{nameOurs, nameReference} {
				c, err := b.open(ctx, v, name, transport, n)
				if err != nil {
					return err
				}
				list = append(list, c)
			}
		}
		if n > 1 {
			shared, err := b.open(ctx, v, nameShared, b.transports[0], n)
			if err != nil {
				return err
			}
			shared.kbs = slices.Repeat(shared.kbs[:1], n)
			list = append(list, shared)
		}
		if err := compare(ctx, v, list, b.duration); err != nil {
			return err
		}
		b.tableRows(n, list)
		b.stopServers()
	}
	return nil
}

// starts is how often each server is started.
const starts = 31

// start compares the time from the start of the process to its tool list.
func (b *bench) start(ctx context.Context, v *vendor) error {
	var ours, reference []time.Duration
	for range starts {
		one, err1 := startTime(ctx, b.binary, environ(v))
		two, err2 := startTime(ctx, b.reference, environ(v))
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		ours, reference = append(ours, one), append(reference, two)
	}
	b.line("\nStart to first tools/list answer, stdio, median of %d: kb-mcp %s, plain mcp-go %s (x %.2f).",
		starts, ms(median(ours)), ms(median(reference)), ratio(median(ours), median(reference)))
	return nil
}

// startTime is how long a server takes from its start to its first answer to
// tools/list over stdio.
func startTime(ctx context.Context, path string, environ []string) (time.Duration, error) {
	began := time.Now()
	p, err := startServer(ctx, path, "stdio", environ)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	if _, err := io.WriteString(p.stdin, helloLine+"\n"+readyLine+"\n"+listLine+"\n"); err != nil {
		return 0, err
	}
	for r := bufio.NewReaderSize(p.stdout, 1<<16); ; {
		line, err := r.ReadBytes('\n')
		if answerID(line) == 1 {
			return time.Since(began), nil
		}
		if err != nil {
			return 0, errors.Join(errors.New("no answer to tools/list"), err)
		}
	}
}

// build makes a program of this module.
func build(ctx context.Context, dir, name, pkg string, stderr io.Writer) (string, error) {
	path := filepath.Join(dir, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, pkg)
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go build %s: %w", pkg, err)
	}
	return path, nil
}
