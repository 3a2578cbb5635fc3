package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// message is a JSON-RPC message from the server.
type message struct {
	ID     *int   `json:"id"`
	Method string `json:"method"`
	Params struct {
		ProgressToken string
		Progress      float64
	} `json:"params"`
	Result *struct {
		IsError           bool
		Content           []struct{ Type, Text string }
		StructuredContent json.RawMessage
	} `json:"result"`
	Error *struct {
		Code    int
		Message string
	} `json:"error"`
}

// road is one session's connection to the server.
type road interface {
	// call sends a request and gives its answer, and the notifications that
	// came before it. Many may run at once.
	call(ctx context.Context, id int, method, params string) (answer message, before []message, err error)
	// cancel tells the server that nobody waits for a request any more.
	cancel(ctx context.Context, id int) error
	// leave ends the session; politely, or as a client that crashes.
	leave(politely bool) error
}

func rpc(id int, method, params string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":{%s}}`, id, method, params)
}

const (
	greeting  = `"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"soak","version":"1"}`
	greeted   = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	newestEra = `"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}`
)

// httpRoad is streamable HTTP: with a session, or in the era without.
type httpRoad struct {
	url, session string // session is "" in the newest era
	client       *http.Client
}

func newHTTPRoad(ctx context.Context, client *http.Client, url string, modern bool) (road, error) {
	h := &httpRoad{url: url + "/mcp", client: client}
	if modern {
		return h, nil
	}
	resp, err := h.post(ctx, rpc(1, "initialize", greeting))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nil, err
	}
	if h.session = resp.Header.Get("Mcp-Session-Id"); h.session == "" {
		return nil, fmt.Errorf("initialize gave no session: %s", resp.Status)
	}
	return h, h.notify(ctx, greeted)
}

func (h *httpRoad) post(ctx context.Context, body string, headers ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", h.url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if h.session != "" {
		headers = append(headers, "Mcp-Session-Id", h.session, "Mcp-Protocol-Version", "2025-11-25")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return h.client.Do(req)
}

func (h *httpRoad) notify(ctx context.Context, body string) error {
	resp, err := h.post(ctx, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("a notification was answered with %s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func (h *httpRoad) call(ctx context.Context, id int, method, params string) (answer message, before []message, err error) {
	var headers []string
	if h.session == "" {
		var named struct{ Name string }
		if err := json.Unmarshal([]byte("{"+params+"}"), &named); err != nil {
			return answer, nil, err
		}
		headers = []string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", method, "Mcp-Name", named.Name}
		params = strings.Replace(params, `"_meta":{`, `"_meta":{`+newestEra+`,`, 1)
	}
	resp, err := h.post(ctx, rpc(id, method, params), headers...)
	if err != nil {
		return answer, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer, nil, err
	}
	for _, data := range datas(resp.Header.Get("Content-Type"), body) {
		var m message
		if err := json.Unmarshal(data, &m); err != nil {
			return answer, nil, fmt.Errorf("%s: %q: %w", resp.Status, data, err)
		}
		if m.ID != nil {
			answer = m
		} else {
			before = append(before, m)
		}
	}
	if answer.ID == nil || *answer.ID != id {
		return answer, nil, fmt.Errorf("no answer to %d but %s: %q", id, resp.Status, body)
	}
	return answer, before, nil
}

// datas are the messages in a body.
func datas(contentType string, body []byte) (list [][]byte) {
	if !strings.HasPrefix(contentType, "text/event-stream") {
		return [][]byte{body}
	}
	for line := range bytes.Lines(body) {
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			list = append(list, data)
		}
	}
	return list
}

func (h *httpRoad) cancel(ctx context.Context, id int) error {
	if h.session == "" {
		return nil // its clients close the stream
	}
	return h.notify(ctx, cancelled(id))
}

func cancelled(id int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, id)
}

func (h *httpRoad) leave(politely bool) error {
	if !politely || h.session == "" {
		return nil
	}
	req, err := http.NewRequest("DELETE", h.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Mcp-Session-Id", h.session)
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("DELETE: %s", resp.Status)
	}
	return nil
}
