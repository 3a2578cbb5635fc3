package rest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"kb-mcp/vendors"
)

func TestClassOf(t *testing.T) {
	for want, list := range map[class]string{
		public: "8.8.8.8 1.1.1.1 172.32.0.1 100.128.0.1 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1",
		private: "10.0.0.1 172.16.0.1 192.168.255.255 100.64.0.1 198.18.0.1 192.0.0.8 fd12::1 fc00::1 fec0::1 " +
			"::ffff:10.0.0.1 64:ff9b::10.0.0.1 64:ff9b::c0a8:1 2002:a00:1::1 ::10.0.0.1",
		loopback:  "127.0.0.1 127.255.0.1 0.0.0.0 ::1 :: ::ffff:127.0.0.1 ::ffff:0.0.0.0 64:ff9b::127.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: ::127.0.0.1 64:ff9b::0.0.0.0",
		linkLocal: "169.254.0.1 fe80::1 fe80::1%eth0 ::ffff:169.254.1.1 64:ff9b::169.254.1.1",
		nowhere: "169.254.169.254 ::ffff:169.254.169.254 64:ff9b::169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1 100.100.100.200 168.63.129.16 fd00:ec2::254 " +
			"0.0.0.1 224.0.0.1 255.255.255.255 240.0.0.1 ff02::1 64:ff9b:1::1 2001::1",
	} {
		for text := range strings.FieldsSeq(list) {
			if got := classOf(netip.MustParseAddr(text)); got != want {
				t.Errorf("%s: %d, want %d", text, got, want)
			}
		}
	}
}

// TestFetchStaysInItsNetwork: what only this machine can reach is not asked for a
// platform that is elsewhere, whatever name or form the address has.
func TestFetchStaysInItsNetwork(t *testing.T) {
	var asked atomic.Int64
	inside := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	inside.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			asked.Add(1)
		}
	}
	inside.Start()
	defer inside.Close()
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	pool := &http.Transport{}
	defer pool.CloseIdleConnections()
	// A connection to it that another platform left in the pool is not used.
	resp, err := pool.RoundTrip(httptest.NewRequest("GET", inside.URL, nil))
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	asked.Store(0)
	for _, base := range []string{"http://203.0.113.1", "http://10.1.2.3/v1", "http://169.254.7.7", "http://[fd00::1]", "http://nowhere.invalid"} {
		c := client(t, base, Conn{Transport: pool}, nil)
		for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "2130706433", "127.1", "0x7f.1", "localhost."} {
			s, err := c.Fetch(t.Context(), "http://"+host+":"+port+"/file")
			if err == nil || asked.Load() != 0 {
				t.Fatalf("%s gave http://%s: %v, %v, %d connections", base, host, s, err, asked.Load())
			}
			if strings.Trim(host, "[]0123456789.:f") == "" && host != "127.1" && host != "2130706433" && !strings.Contains(err.Error(), "another network") {
				t.Errorf("%s gave http://%s: %v", base, host, err)
			}
		}
	}
	c := client(t, "http://localhost:1", Conn{Transport: pool}, nil)
	s, err := c.Fetch(t.Context(), inside.URL)
	if err != nil {
		t.Fatalf("a platform on loopback: %v", err)
	}
	s.Body.Close()
}

// TestFetchThroughProxy: where the proxy would find an address is not known; what
// the name means here is.
func TestFetchThroughProxy(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Host)
		io.WriteString(w, "file")
	}))
	defer proxy.Close()
	u, _ := url.Parse(proxy.URL)
	pool := &http.Transport{Proxy: http.ProxyURL(u)}
	defer pool.CloseIdleConnections()
	c := client(t, "http://platform.invalid", Conn{Transport: pool}, nil)
	for host, ok := range map[string]bool{"files.invalid": true, "203.0.113.7": true, "127.0.0.1": false, "localhost": false, "10.0.0.1": false,
		"[::ffff:a00:1]": false, "169.254.169.254": false} {
		asked = nil
		s, err := c.Fetch(t.Context(), "http://"+host+"/x")
		if (err == nil) != ok || (len(asked) > 0) != ok {
			t.Errorf("%s: %v, asked for %v", host, err, asked)
		}
		if err == nil {
			s.Body.Close()
		}
	}
	c = client(t, "http://10.3.2.1", Conn{Transport: pool}, nil)
	s, err := c.Fetch(t.Context(), "http://10.0.0.1/x")
	if err != nil {
		t.Fatalf("a platform in the same network: %v", err)
	}
	s.Body.Close()
}

// TestFileBounds: a file that is larger than it may be, or ends before its end,
// is an error with what had come before.
func TestFileBounds(t *testing.T) {
	const most = 1000
	whole := strings.Repeat("x", most)
	for name, tt := range map[string]struct {
		head string // of the answer
		body string
		told int64
		size int // of what can be read; -1: not even opened
		want string
	}{
		"whole":                     {head: "Content-Length: 1000", body: whole, size: most},
		"without a length":          {head: "Connection: close", body: whole, size: most},
		"too large":                 {head: "Content-Length: 1001", body: whole + "x", size: -1, want: "larger than"},
		"too large, not said":       {head: "Connection: close", body: whole + "x", size: most, want: "larger than"},
		"too large in pieces":       {head: "Transfer-Encoding: chunked", body: "3e8\r\n" + whole + "\r\n3e8\r\n" + whole + "\r\n0\r\n\r\n", size: most, want: "larger than"},
		"too large, decompressed":   {head: "Content-Encoding: gzip", body: zipped(strings.Repeat("x", 1<<20)), size: most, want: "larger than"},
		"decompressed":              {head: "Content-Encoding: gzip", body: zipped(whole), size: most},
		"decompressed, cut":         {head: "Content-Encoding: gzip", body: zipped(whole)[:20], size: most, want: "cut short"},
		"ends early":                {head: "Content-Length: 900", body: "short", size: 5, want: "cut short"},
		"ends early in pieces":      {head: "Transfer-Encoding: chunked", body: "3e8\r\nshort", size: 5, want: "cut short"},
		"ends early, size told":     {head: "Connection: close", body: "short", told: 900, size: 5, want: "cut short"},
		"no less than told":         {head: "Connection: close", body: "short", told: 5, size: 5},
		"more than told":            {head: "Connection: close", body: "short", told: 4, size: 5},
		"nothing instead of a file": {head: "Connection: close", body: "", told: 1, size: 0, want: "cut short"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Read(make([]byte, 4096))
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n%s\r\n\r\n%s", tt.head, tt.body)
				c.Close()
			}()
			pool := &http.Transport{}
			c := client(t, "http://127.0.0.1", Conn{Transport: pool, MaxFile: most}, nil)
			s, err := c.Fetch(t.Context(), "http://"+l.Addr().String())
			size := -1
			if err == nil {
				if tt.told > 0 {
					s.Expect(&tt.told)
				}
				var b []byte
				b, err = io.ReadAll(s.Body)
				size = len(b)
				s.Body.Close()
			}
			l.Close()
			<-done
			var e *vendors.Error
			if size > tt.size || (err == nil) != (tt.want == "") || err != nil && (!errors.As(err, &e) || e.Kind != vendors.BadResponse || !strings.Contains(e.Message, tt.want)) {
				t.Errorf("%d bytes, %v", size, err)
			}
		})
	}
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}
