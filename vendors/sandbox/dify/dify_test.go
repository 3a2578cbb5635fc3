package dify_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kb-mcp/vendors/sandbox"
	"kb-mcp/vendors/sandbox/dify"
	"kb-mcp/vendors/sandbox/sandboxtest"
	"kb-mcp/vendors/sandbox/world"
)

const difyAuth = "Authorization: Bearer " + dify.Key

func get(d *sandboxtest.Desk, path string) sandboxtest.Reply {
	d.T.Helper()
	return d.Send("GET", "/dify/v1"+path, "", difyAuth)
}

func TestDifyRefusals(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "产品手册")
	none := "00000000-0000-4000-8000-000000000000"
	off := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "内部资料")
	doc := d.S.DocumentID(world.Dify, "退款政策.pdf")
	tests := []struct {
		method, path, auth string
		status             int
		code, message      string
	}{
		{"GET", "/datasets", "X: y", 401, "unauthorized", "Authorization header must be provided and start with 'Bearer'"},
		{"GET", "/datasets", "Authorization: Basic x", 401, "unauthorized", "Authorization scheme must be 'Bearer'"},
		{"GET", "/datasets", "Authorization: Bearer dataset-wrong", 401, "unauthorized", "Access token is invalid"},
		{"GET", "/datasets", "Authorization: Bearer " + dify.AppKey, 401, "unauthorized", "Access token is invalid"},
		{"GET", "/datasets/" + none, difyAuth, 404, "not_found", "Dataset not found."},
		{"GET", "/datasets/" + none, "Authorization: Bearer dataset-wrong", 404, "not_found", "Dataset not found."}, // before the key
		{"GET", kb, "Authorization: Bearer dataset-wrong", 401, "unauthorized", "Access token is invalid"},
		{"GET", kb, "Authorization: Bearer " + dify.OtherKey, 403, "forbidden", "You do not have permission to access this dataset."},
		{"DELETE", kb, "Authorization: Bearer " + dify.OtherKey, 400, "invalid_param", "You do not have permission to access this dataset."},
		{"GET", kb + "/documents", "Authorization: Bearer " + dify.OtherKey, 404, "not_found", "Dataset not found."},
		{"GET", "/datasets/" + none + "/documents", difyAuth, 404, "not_found", "Dataset not found."},
		{"GET", off, difyAuth, 403, "forbidden", "Dataset api access is not enabled."},
		{"GET", off + "/documents", difyAuth, 403, "forbidden", "Dataset api access is not enabled."},
		{"GET", kb + "/documents/" + none, difyAuth, 404, "not_found", "Document not found."},
		{"GET", kb + "/documents/" + none + "/segments", difyAuth, 404, "not_found", "Document not found."},
		{"GET", kb + "/documents/" + doc + "/indexing-status", difyAuth, 404, "not_found", "Documents not found."},
		{"GET", kb + "/documents/20200101000000000000/indexing-status", difyAuth, 404, "not_found", "Documents not found."},
		{"GET", kb + "/documents/" + doc + "?metadata=some", difyAuth, 400, "invalid_metadata", "Invalid metadata value: some"},
		{"PUT", kb + "/documents", difyAuth, 405, "method_not_allowed", "The method is not allowed for the requested URL."},
	}
	for _, tt := range tests {
		r := d.Send(tt.method, "/dify/v1"+tt.path, "", tt.auth)
		if r.Status != tt.status || r.At("code") != tt.code || r.At("message") != tt.message || fmt.Sprint(r.At("status")) != fmt.Sprint(tt.status) {
			t.Errorf("%s %s (%s) = %d %s", tt.method, tt.path, tt.auth, r.Status, r.Text)
		}
		if r.Header.Get("X-Version") != "1.17.1" {
			t.Errorf("%s: X-Version = %q", tt.path, r.Header.Get("X-Version"))
		}
	}
	for _, path := range []string{"/unknown", "/datasets/not-a-uuid", "/datasets/" + none + "/x", "/datasets/", kb + "/documents/nope", kb + "/documents/"} {
		if r := d.Send("GET", "/dify/v1"+path, ""); r.Status != 404 || !strings.HasPrefix(r.Text, "<!doctype html>") {
			t.Errorf("GET %s = %d %s, want the HTML 404 without a look at the key", path, r.Status, r.Text)
		}
	}
	if r := get(d, "/datasets?limit=ten"); r.Status != 400 || r.At("code") != "invalid_param" {
		t.Errorf("limit=ten = %d %s", r.Status, r.Text)
	}
	for path, want := range map[string]int{"/dify/v1/": 404, "/dify/v1": 308} {
		w := httptest.NewRecorder()
		d.S.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want || !strings.HasPrefix(w.Body.String(), "<!doctype html>") {
			t.Errorf("%s = %d %s", path, w.Code, w.Body)
		}
	}
}

func TestDifyPages(t *testing.T) {
	t.Parallel()
	d := sandboxtest.NewDesk(t, sandbox.Options{Documents: 10000})
	kb := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "Archive 档案库") + "/documents"
	seen := map[string]bool{}
	for page := 1; ; page++ {
		r := get(d, fmt.Sprintf("%s?page=%d&limit=100", kb, page))
		if !strings.Contains(r.Text, `"total":10000}`) {
			t.Fatalf("page %d: %s", page, r.Text)
		}
		if r.IDs("name", seen) == 0 {
			break
		}
		if !strings.Contains(r.Text, `"has_more":true`) { // also on the last page, which is full
			t.Errorf("page %d: has_more is false", page)
		}
	}
	if len(seen) != 10000 {
		t.Errorf("%d documents of 10000 on the pages", len(seen))
	}
	r := get(d, kb+"?limit=200")
	if len(r.Rows("data")) != 100 || r.At("has_more") != false || fmt.Sprint(r.At("limit")) != "200" {
		t.Errorf("limit=200: %d rows, has_more %v, limit %v", len(r.Rows("data")), r.At("has_more"), r.At("limit"))
	}
	r = get(d, kb+"?page=-3&limit=0")
	if len(r.Rows("data")) != 20 || fmt.Sprint(r.At("page")) != "1" {
		t.Errorf("page=-3&limit=0: %d rows, page %v", len(r.Rows("data")), r.At("page"))
	}
}

func TestDifyFilters(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "产品手册") + "/documents"
	tests := []struct {
		query string
		want  int
	}{
		{"", 10},
		{"keyword=Installation", 1},
		{"keyword=installation", 0}, // case counts
		{"keyword=Inst%25guide", 1}, // % is a wildcard
		{"keyword=setu_.exe", 1},    // and _ too
		{"status=error", 1},
		{"status=paused", 1},
		{"status=archived", 1},
		{"status=disabled", 1},
		{"status=queuing", 2},
		{"status=nonsense", 10}, // filters nothing
	}
	for _, tt := range tests {
		if got := len(get(d, kb+"?"+tt.query).Rows("data")); got != tt.want {
			t.Errorf("?%s has %d documents, want %d", tt.query, got, tt.want)
		}
	}
	if got := len(get(d, "/datasets").Rows("data")); got != 3 {
		t.Errorf("%d knowledge bases without include_all, want 3", got)
	}
	if got := len(get(d, "/datasets?include_all=true&keyword=WIKI").Rows("data")); got != 1 {
		t.Errorf("%d knowledge bases called wiki, want 1", got)
	}
}

func TestDifyForms(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "产品手册") + "/documents"
	row := sandboxtest.RowOf(get(d, kb).Rows("data"), "name", "供应商名录.csv")
	id := row["id"].(string)
	if row["indexing_status"] != "indexing" || row["display_status"] != "paused" {
		t.Errorf("the paused document in the list: %v, %v", row["indexing_status"], row["display_status"])
	}
	if _, has := row["batch"]; has {
		t.Error("the list tells a batch")
	}
	detail := get(d, kb+"/"+strings.ToUpper(id)).Object()
	for _, key := range []string{"word_count", "data_source_detail_dict"} {
		if _, has := detail[key]; has {
			t.Errorf("the detail has %s", key)
		}
	}
	for _, key := range []string{"segment_count", "average_segment_length", "indexing_latency", "completed_at", "document_process_rule"} {
		if _, has := detail[key]; !has {
			t.Errorf("the detail lacks %s", key)
		}
	}
	r := get(d, kb+"/"+d.S.DifyBatch(id)+"/indexing-status")
	if r.At("data", 0, "indexing_status") != "paused" || r.At("data", 0, "paused_at") == nil {
		t.Errorf("the paused document by its batch: %s", r.Text)
	}
	wiki := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "Engineering Wiki") + "/documents"
	rows := get(d, wiki).Rows("data")
	if row := sandboxtest.RowOf(rows, "name", "legacy-import.csv"); row["indexing_status"] != "archiving" || row["display_status"] != nil {
		t.Errorf("the undocumented status: %v", row)
	}
	if row := sandboxtest.RowOf(rows, "name", "api-limits.md"); row["indexing_status"] != "waiting" || row["word_count"] == nil {
		t.Errorf("the stale document: %v", row)
	}
}

func TestDifyLife(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{Dify: dify.Options{FloatTimes: true}})
	kb := "/datasets/" + d.S.KnowledgeBaseID(world.Dify, "产品手册") + "/documents"
	id, err := d.S.Add(world.Dify, "产品手册", "new.txt", world.Normal())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		after int
		want  string
	}{{0, "waiting"}, {1, "parsing"}, {3, "splitting"}, {4, "indexing"}, {10, "completed"}} {
		d.Now = sandboxtest.Start().Add(time.Duration(tt.after) * time.Second)
		r := get(d, kb+"/"+d.S.DifyBatch(id)+"/indexing-status")
		if got := r.At("data", 0, "indexing_status"); got != tt.want {
			t.Errorf("after %d s: %v, want %s", tt.after, got, tt.want)
		}
	}
	r := get(d, kb+"/"+d.S.DifyBatch(id)+"/indexing-status")
	if got := fmt.Sprint(r.At("data", 0, "completed_at")); got != fmt.Sprintf("%d.0", d.Now.Unix()) {
		t.Errorf("completed_at = %s, want a float", got)
	}
}

func TestDifyQuotaCountsRefusals(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{Quota: 2})
	for i, want := range []int{200, 200, 403, 403} {
		if r := get(d, "/datasets"); r.Status != want {
			t.Fatalf("call %d = %d, want %d", i, r.Status, want)
		}
		d.Now = d.Now.Add(15 * time.Second)
	}
	if r := get(d, "/datasets"); r.Status != 403 || !strings.Contains(r.Text, "rate limit") {
		t.Errorf("a minute after the first call, with two refusals since: %d %s", r.Status, r.Text)
	}
	d.Now = d.Now.Add(61 * time.Second)
	if r := get(d, "/datasets"); r.Status != 200 {
		t.Errorf("after a minute of silence: %d", r.Status)
	}
}

func TestDifySearch(t *testing.T) {
	d := sandboxtest.NewDesk(t, sandbox.Options{})
	kb := "/dify/v1/datasets/" + d.S.KnowledgeBaseID(world.Dify, "产品手册")
	post := func(body string) sandboxtest.Reply {
		return d.Send("POST", kb+"/retrieve", body, difyAuth, "Content-Type: application/json")
	}
	r := post(`{"query":"定制商品退款"}`)
	if r.At("records", 0, "segment", "document", "name") != "退款政策.pdf" || r.At("records", 0, "score") == nil {
		t.Errorf("retrieve = %s", r.Text)
	}
	if r := post(`{"query":"` + strings.Repeat("退", 251) + `"}`); r.Status != 400 {
		t.Errorf("251 characters = %d", r.Status)
	}
	if r := post(`{"query":"x","retrieval_model":{"top_k":3}}`); r.Status != 400 {
		t.Errorf("an incomplete retrieval_model = %d", r.Status)
	}
	doc := d.S.DocumentID(world.Dify, "Installation guide.pdf")
	r = d.Send("GET", kb+"/documents/"+doc+"/segments?limit=10", "", difyAuth)
	if len(r.Rows("data")) != 10 || fmt.Sprint(r.At("total")) != "36" {
		t.Errorf("segments: %d of %v", len(r.Rows("data")), r.At("total"))
	}
}
