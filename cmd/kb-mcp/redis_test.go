package main

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kb-mcp/ratelimit/shared/redistest"
	"kb-mcp/vendors/sandbox"
)

// TestWithoutRedis: a Redis that is not there stops nothing, and is named once.
func TestWithoutRedis(t *testing.T) {
	p := launch(t, []string{"KB_MCP_REDIS_URL=redis://user:canary-password@127.0.0.1:1"}, "--demo")
	p.send(hello)
	p.answer(1)
	for id, vendor := range []string{2: "coze", 3: "dify", 4: "ragflow", 5: "volcengine"} {
		if vendor == "" {
			continue
		}
		p.send("%s", callLine(id, "list_knowledge_bases", fmt.Sprintf(`{"vendor":%q}`, vendor)))
		if r := p.answer(id)["result"].(map[string]any); r["isError"] == true {
			t.Errorf("%s: %v", vendor, r)
		}
	}
	p.stdin.Close()
	p.ended()
	if log := p.stderr.String(); strings.Count(log, "WARN") != 1 || !strings.Contains(log, "Redis cannot be used") || strings.Contains(log, "canary") {
		t.Errorf("stderr holds\n%s", log)
	}
}

// platform is a Dify that notes when it was asked, and by whom.
type platform struct {
	url string

	mu    sync.Mutex
	asked []time.Time
	by    map[string]int
}

func newPlatform(t *testing.T) *platform {
	p, sb := &platform{by: map[string]int{}}, sandbox.New(sandbox.Options{})
	srv := watching(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := arrived(r)
		who, _, _ := strings.Cut(r.URL.Query().Get("keyword"), "-")
		p.mu.Lock()
		p.asked = append(p.asked, at)
		p.by[who]++
		p.mu.Unlock()
		sb.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	p.url = srv.URL
	return p
}

// most is how many requests the fullest of all windows held.
func (p *platform) most(window time.Duration) int {
	most, first := 0, 0
	for last, at := range p.asked {
		for at.Sub(p.asked[first]) >= window {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

// alone reports whether KB_MCP_TEST_ALONE says that the machine has nothing else
// to do, so that a test may ask for the very figures that are promised.
func alone() bool { return os.Getenv("KB_MCP_TEST_ALONE") != "" }

// TestProcessesShareOneQuota runs four real processes on one quota, with more to
// ask than it allows.
func TestProcessesShareOneQuota(t *testing.T) {
	if testing.Short() {
		t.Skip("processes use a quota for seconds")
	}
	server := redistest.Start(t)
	const processes, callers, quota = 4, 16, 50
	duration := 4 * time.Second
	if alone() {
		duration = 20 * time.Second
	}
	platform := newPlatform(t)
	environ := append(sandbox.Variables(platform.url), "KB_MCP_VENDORS=dify", fmt.Sprintf("DIFY_RATE_LIMIT=%d/s", quota), "KB_MCP_REDIS_URL="+server.URL())
	var running []*process
	for range processes {
		p := launch(t, slices.Clone(environ))
		p.send(hello)
		p.answer(1)
		running = append(running, p)
	}
	end := time.Now().Add(duration)
	var wg sync.WaitGroup
	for i, p := range running {
		wg.Go(func() { p.busy(i, callers, end) })
	}
	wg.Wait()
	for i, p := range running {
		for line := range strings.Lines(p.stderr.String()) {
			if strings.Contains(line, "Redis") {
				t.Errorf("process %d did not share: %s", i, line)
			}
		}
	}
	platform.judge(t, processes, quota, duration)
	t.Logf("%.2f trips to Redis a request", float64(trips(t, server))/float64(len(platform.asked)))
}

// trips is how many scripts a Redis has run.
func trips(t *testing.T, server *redistest.Server) (n int) {
	c := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer c.Close()
	stats, err := c.Info(t.Context(), "commandstats").Result()
	_, calls, ok := strings.Cut(stats, "cmdstat_evalsha:calls=")
	if _, scan := fmt.Sscanf(calls, "%d", &n); err != nil || !ok || scan != nil {
		t.Errorf("%q, %v", stats, err)
	}
	return n
}

// busy keeps so many calls in flight until the end, each another question.
func (p *process) busy(name, callers int, end time.Time) {
	id := 1
	ask := func() {
		id++
		p.send("%s", callLine(id, "list_documents", fmt.Sprintf(`{"knowledge_base_id":"426b81d0-3121-45a3-aeba-2340453846f5","name_contains":"%d-%d"}`, name, id)))
	}
	for range callers {
		ask()
	}
	for left := callers; left > 0; {
		for line := range p.answers(1) {
			if strings.Contains(line, `"isError":true`) {
				p.t.Errorf("process %d: %s", name, line)
			}
		}
		if time.Now().Before(end) {
			ask()
		} else {
			left--
		}
	}
}

func (p *platform) judge(t *testing.T, processes, quota int, duration time.Duration) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.SortFunc(p.asked, time.Time.Compare)
	used := 0
	for _, at := range p.asked {
		if at.Sub(p.asked[0]) < duration {
			used++
		}
	}
	may := quota * int(duration/time.Second)
	share, least := len(p.asked)/processes, slices.Min([]int{p.by["0"], p.by["1"], p.by["2"], p.by["3"]})
	// A machine that starves a process lets it use a turn late, and no other process
	// can know of it in time. Ordinary runs share the machine with other tests.
	most, window, late := p.most(time.Second), 900*time.Millisecond, 5
	if alone() {
		window, late = time.Second, 0
	}
	t.Logf("%d processes, %d/s, %s: %d requests of %d (%.1f %%), at most %d in a second; by process %v, the least %.0f %% of an equal share",
		processes, quota, duration, used, may, 100*float64(used)/float64(may), most, p.by, 100*float64(least)/float64(share))
	if n := p.most(window); n > quota+late {
		t.Errorf("%d requests within %s", n, window)
	}
	if least == 0 {
		t.Errorf("a process got nothing: %v", p.by)
	}
	if alone() && (used*100 < may*95 || least*100 < share*80) {
		t.Errorf("%d of %d used, want 95 %%; by process %v, want 80 %% of an equal share", used, may, p.by)
	}
}
