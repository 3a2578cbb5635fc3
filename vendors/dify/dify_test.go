package dify_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kb-mcp/ratelimit"
	"kb-mcp/vendors"
	"kb-mcp/vendors/dify"
	"kb-mcp/vendors/rest"
	"kb-mcp/vendors/vendortest"
)

func open(_ testing.TB, env map[string]string, conn rest.Conn) vendors.Driver {
	c := dify.Config{APIKey: "SECRET", BaseURL: "http://vendor.test/v1"}
	if v, ok := env["DIFY_API_KEY"]; ok {
		c.APIKey = v
	}
	if v, ok := env["DIFY_BASE_URL"]; ok {
		c.BaseURL = v
	}
	return dify.New(c, conn)
}

func TestDriver(t *testing.T) {
	vendortest.Run(t, "../../testdata/dify", open)
}

func TestConfigProblems(t *testing.T) {
	const good = "dataset-0123456789abcdefABCDEFGH"
	const base = "https://api.dify.ai/v1"
	for _, tt := range []struct {
		name, key, base string
		want            []string // variables
		says            string
	}{
		{"right", good, base, nil, ""},
		{"right with a line break behind", good + "\n", base, nil, ""},
		{"nothing", "", "", []string{"DIFY_API_KEY", "DIFY_BASE_URL"}, "missing"},
		{"an app's key", "app-0123456789abcdefABCDEFGH", base, []string{"DIFY_API_KEY"}, "app's key"},
		{"masked with dots", "datas...Ab1c", base, []string{"DIFY_API_KEY"}, "masked"},
		{"masked with stars", "dataset-****Ab1c", base, []string{"DIFY_API_KEY"}, "masked"},
		{"the whole header", "Bearer " + good, base, []string{"DIFY_API_KEY"}, "Bearer"},
		{"a line break inside", good + "\n" + good, base, []string{"DIFY_API_KEY"}, "spaces"},
		{"no URL", good, "api.dify.ai", []string{"DIFY_BASE_URL"}, "http://"},
		{"a URL with a password", good, "https://user:hunter22@dify.example", []string{"DIFY_BASE_URL"}, "password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			problems := dify.Config{APIKey: tt.key, BaseURL: tt.base}.Problems()
			var got []string
			text := ""
			for _, p := range problems {
				got = append(got, p.Variable)
				text += p.Text + "\n"
			}
			if !slices.Equal(got, tt.want) || !strings.Contains(text, tt.says) {
				t.Errorf("problems %q: %s", got, text)
			}
			if tt.key != "" && strings.Contains(text, tt.key) || strings.Contains(text, "hunter22") {
				t.Errorf("a value in %q", text)
			}
		})
	}
}

// The cloud's limit is known; a self-hosted server may take more.
func TestLargeFileForTheCloud(t *testing.T) {
	file := &vendors.File{Size: 15<<20 + 1, Open: func() (io.ReadCloser, error) { return nil, errors.New("opened") }}
	sent := 0
	conn := rest.Conn{Limiter: ratelimit.New(ratelimit.Rate{}, nil), Transport: counter{&sent}}
	for base, want := range map[string]int{"https://api.dify.ai/v1": 0, "https://dify.example/v1": 1} {
		sent = 0
		d := dify.New(dify.Config{APIKey: "dataset-x", BaseURL: base}, conn)
		_, err := d.Upload(t.Context(), vendors.Upload{KnowledgeBaseID: "4d9e6c1a-2b3f-4a5d-8c7e-9f0a1b2c3d4e", Name: "a.pdf", File: file})
		if sent != want || want == 0 && vendors.KindOf(err) != vendors.InvalidArgument {
			t.Errorf("%s: %v after %d requests, want %d", base, err, sent, want)
		}
	}
}

// counter refuses every request as unauthenticated.
type counter struct{ n *int }

func (c counter) RoundTrip(r *http.Request) (*http.Response, error) {
	*c.n++
	return &http.Response{StatusCode: 401, Request: r, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func TestAccount(t *testing.T) {
	account := func(key, base string) string { return dify.Config{APIKey: key, BaseURL: base}.Account() }
	a := account("dataset-one", "https://api.dify.ai/v1")
	for _, same := range []string{"https://api.dify.ai", "https://api.dify.ai/", "https://API.dify.ai/v1/"} {
		if account("dataset-one", same) != a {
			t.Errorf("%s is another account", same)
		}
	}
	if account("dataset-two", "https://api.dify.ai/v1") == a || account("dataset-one", "https://dify.example/v1") == a {
		t.Error("two accounts are one")
	}
	if strings.Contains(a, "dataset-one") {
		t.Error("the account shows the key")
	}
}

func TestDefaultRate(t *testing.T) {
	for base, want := range map[string]string{
		"https://api.dify.ai/v1": "8/min", "https://API.DIFY.AI:443": "8/min",
		"http://localhost:5001": "10/s", "https://api.dify.ai.example": "10/s",
	} {
		got := dify.Config{BaseURL: base}.DefaultRate()
		if _, err := ratelimit.Parse(got); err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", base, got, err, want)
		}
	}
}
