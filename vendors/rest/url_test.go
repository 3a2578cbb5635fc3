package rest

import (
	"net/http"
	"net/url"
	"testing"

	"kb-mcp/vendors"
)

func TestURL(t *testing.T) {
	for _, tt := range []struct {
		name, base string
		path       []string
		query      url.Values
		want       string
	}{
		{name: "no path", base: "http://h", want: "http://h"},
		{name: "slashes at the base's end", base: "http://h/v1//", path: []string{"kb"}, want: "http://h/v1/kb"},
		{name: "a base with a path and a port", base: "https://h:8443/dify/v1", path: []string{"kb", "7"}, want: "https://h:8443/dify/v1/kb/7"},
		{name: "a base with spaces around it", base: " http://h ", path: []string{"kb"}, want: "http://h/kb"},
		{name: "a base with a space in its path", base: "http://h/a b", path: []string{"kb"}, want: "http://h/a%20b/kb"},
		{name: "IPv6", base: "http://[::1]:80", path: []string{"kb"}, want: "http://[::1]:80/kb"},
		{name: "a slash in an id", base: "http://h", path: []string{"kb", "a/b", "docs"}, want: "http://h/kb/a%2Fb/docs"},
		{name: "a way up in an id", base: "http://h/v1", path: []string{"../admin"}, want: "http://h/v1/..%2Fadmin"},
		{name: "a query in an id", base: "http://h", path: []string{"a?b=c"}, want: "http://h/a%3Fb=c"},
		{name: "a fragment in an id", base: "http://h", path: []string{"a#b"}, want: "http://h/a%23b"},
		{name: "an escaped slash in an id", base: "http://h", path: []string{"%2F"}, want: "http://h/%252F"},
		{name: "an escaped way up", base: "http://h", path: []string{"%2e%2e"}, want: "http://h/%252e%252e"},
		{name: "a stray percent sign", base: "http://h", path: []string{"100%"}, want: "http://h/100%25"},
		{name: "Chinese", base: "http://h", path: []string{"知识库"}, want: "http://h/%E7%9F%A5%E8%AF%86%E5%BA%93"},
		{name: "space, quote, control", base: "http://h", path: []string{"a b\"\n"}, want: "http://h/a%20b%22%0A"},
		{name: "invalid UTF-8", base: "http://h", path: []string{"\xff"}, want: "http://h/%FF"},
		{name: "three dots are a name", base: "http://h", path: []string{"..."}, want: "http://h/..."},
		{name: "another host in an id", base: "http://h", path: []string{"//evil.test"}, want: "http://h/%2F%2Fevil.test"},
		{name: "a query", base: "http://h/v1", path: []string{"kb"}, query: url.Values{"name": {"a&b=c 中"}, "a": {"1"}}, want: "http://h/v1/kb?a=1&name=a%26b%3Dc+%E4%B8%AD"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := client(t, tt.base, Conn{}, nil)
			got, err := c.url(Call{Path: tt.path, Query: tt.query})
			if err != nil || got != tt.want {
				t.Fatalf("url = %q, %v, want %q", got, err, tt.want)
			}
			// The client's own parser must not undo the escaping.
			r, err := http.NewRequest("GET", got, nil)
			if err != nil || r.URL.String() != tt.want || r.URL.Host != base(t, tt.base).Host {
				t.Errorf("the request goes to %v (%v)", r.URL, err)
			}
		})
	}
}

func TestURLRefusesWhatIsNoID(t *testing.T) {
	sent := false
	c := client(t, "http://h", Conn{Transport: function(func(r *http.Request) (*http.Response, error) {
		sent = true
		return reply(200, `{}`)(r)
	})}, nil)
	for _, id := range []string{"", ".", ".."} {
		err := c.Do(t.Context(), Call{Method: "GET", Path: []string{"kb", id, "docs"}}, &payload{})
		if vendors.KindOf(err) != vendors.InvalidArgument {
			t.Errorf("id %q: Do = %v", id, err)
		}
	}
	if sent {
		t.Error("a request was sent")
	}
}

func TestBaseURL(t *testing.T) {
	for s, want := range map[string]string{
		"http://127.0.0.1:9380":      "",
		"https://api.dify.ai/v1/":    "",
		"":                           "must begin with http:// or https://",
		"api.dify.ai/v1":             "must begin with http:// or https://",
		"localhost:9380":             "must begin with http:// or https://",
		"ftp://h":                    "must begin with http:// or https://",
		"http://":                    "has no host",
		"http:///v1":                 "has no host",
		"http://:9380":               "has no host",
		"http:opaque":                "has no host",
		"https://me:canary@h":        "must not hold a user or password",
		"https://h/v1?key=canary":    "must not have a query or fragment",
		"https://h/v1#canary":        "must not have a query or fragment",
		"http://h:canary":            "is not a URL",
		"http://h/%zz":               "is not a URL",
		"http://h\x7f":               "is not a URL",
		"http://[::1":                "is not a URL",
		"http://canary canary.test/": "is not a URL",
	} {
		u, got := BaseURL(s)
		if got != want || (u == nil) != (want != "") {
			t.Errorf("BaseURL(%q) = %v, %q, want %q", s, u, got, want)
		}
	}
}
