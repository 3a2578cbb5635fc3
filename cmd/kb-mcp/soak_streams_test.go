package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// streamRoad is a road on which all answers come down one stream: stdio, SSE.
type streamRoad struct {
	write func(ctx context.Context, line string) error
	end   func(politely bool) error

	mu      sync.Mutex
	waiting map[int]chan message
	before  map[int][]message // notifications, by progress token
	err     error             // why the stream has ended
}

func (s *streamRoad) call(ctx context.Context, id int, method, params string) (answer message, before []message, err error) {
	c := make(chan message, 1)
	s.mu.Lock()
	s.waiting[id] = c
	err = s.err
	s.mu.Unlock()
	if err == nil {
		err = s.write(ctx, rpc(id, method, params))
	}
	if err == nil {
		select {
		case answer = <-c:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before = s.before[id]
	delete(s.waiting, id)
	delete(s.before, id)
	if err == nil && answer.ID == nil {
		err = s.err
	}
	return answer, before, err
}

func scanner(r io.Reader) *bufio.Scanner {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<24)
	return sc
}

// read dispatches the messages of a stream until it ends.
func (s *streamRoad) read(sc *bufio.Scanner, prefix string) {
	for sc.Scan() {
		data, ok := strings.CutPrefix(sc.Text(), prefix)
		var m message
		if !ok || prefix != "" && strings.HasPrefix(data, "/") {
			continue
		}
		if err := json.Unmarshal([]byte(data), &m); err != nil {
			s.ended(fmt.Errorf("the stream holds %q: %w", data, err))
			return
		}
		s.dispatch(m)
	}
	s.ended(errors.Join(errors.New("the stream has ended"), sc.Err()))
}

func (s *streamRoad) dispatch(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.ID == nil {
		var id int
		if _, err := fmt.Sscan(m.Params.ProgressToken, &id); err == nil && s.waiting[id] != nil {
			s.before[id] = append(s.before[id], m)
		}
		return
	}
	if c := s.waiting[*m.ID]; c != nil {
		c <- m
		delete(s.waiting, *m.ID)
	}
}

func (s *streamRoad) ended(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	for id, c := range s.waiting {
		close(c)
		delete(s.waiting, id)
	}
}

func (s *streamRoad) cancel(ctx context.Context, id int) error { return s.write(ctx, cancelled(id)) }

func (s *streamRoad) leave(politely bool) error { return s.end(politely) }

func newStreamRoad() *streamRoad {
	return &streamRoad{waiting: map[int]chan message{}, before: map[int][]message{}}
}

func (s *streamRoad) greet(ctx context.Context) error {
	if _, _, err := s.call(ctx, 1, "initialize", greeting); err != nil {
		return err
	}
	return s.write(ctx, greeted)
}

// newSSERoad opens a stream and greets.
func newSSERoad(ctx context.Context, client *http.Client, url string) (road, error) {
	streamCtx, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	req, err := http.NewRequestWithContext(streamCtx, "GET", url+"/sse", nil)
	if err != nil {
		hangUp()
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		hangUp()
		return nil, err
	}
	s, sc := newStreamRoad(), scanner(resp.Body)
	messages := &httpRoad{client: client}
	for messages.url == "" && sc.Scan() { // event: endpoint
		if path, ok := strings.CutPrefix(sc.Text(), "data: "); ok {
			messages.url = url + path
		}
	}
	s.write = messages.notify
	done := make(chan struct{})
	go func() { // end waits for it
		defer close(done)
		defer resp.Body.Close()
		s.read(sc, "data: ")
	}()
	s.end = func(bool) error { hangUp(); <-done; return nil }
	if err := s.greet(ctx); err != nil {
		return nil, errors.Join(err, s.end(false))
	}
	return s, nil
}

// newStdioRoad starts a process and greets.
func newStdioRoad(ctx context.Context, environ []string) (road, error) {
	cmd := exec.Command(os.Args[0], "stdio")
	cmd.Env = append(environ, asMain+"=1", "HOME=/nonexistent")
	var log safeBuffer
	cmd.Stderr = &log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := newStreamRoad()
	var mu sync.Mutex
	s.write = func(_ context.Context, line string) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := io.WriteString(in, line+"\n")
		return err
	}
	done := make(chan struct{})
	go func() { // end waits for it
		defer close(done)
		s.read(scanner(out), "")
		io.Copy(io.Discard, out) // Wait comes after the end of stdout
	}()
	s.end = func(politely bool) error {
		if !politely {
			cmd.Process.Kill()
		}
		in.Close()
		<-done
		if err := cmd.Wait(); err != nil && politely {
			return fmt.Errorf("the process has ended with %w\n%s", err, log.String())
		}
		return nil
	}
	if err := s.greet(ctx); err != nil {
		return nil, errors.Join(err, s.end(false))
	}
	return s, nil
}
