package faults

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"kb-mcp/vendors/sandbox"
)

// word is a platform's way to say something.
type word struct {
	status int
	body   string
}

// sayings are what the platforms say when they refuse, by column. What a platform
// has no word for is left out.
var sayings = []struct {
	row   string
	says  map[string]word
	waits func(face string) int
}{
	{row: "the credential is wrong", says: map[string]word{
		sandbox.FaceCoze:           {200, `{"code":4100,"msg":"authentication is invalid","detail":{"logid":"L1"}}`},
		sandbox.FaceCozeStudio:     {200, `{"code":700012006,"msg":"authentication failed: invalid api key"}`},
		sandbox.FaceDify:           {401, `{"code":"unauthorized","message":"Access token is invalid","status":401}`},
		sandbox.FaceRAGFlow:        {200, `{"code":0,"data":false,"message":"Authentication error: API key is invalid!"}`},
		sandbox.FaceRAGFlowPreview: {200, `{"data":null,"retcode":401,"retmsg":"<Unauthorized '401: Unauthorized'>"}`},
		sandbox.FaceVolcengine:     {401, `{"code":1000001,"message":"unauthorized","request_id":"L1"}`},
	}},
	{row: "the right is missing", says: map[string]word{
		sandbox.FaceCoze:           {200, `{"code":4101,"msg":"The token does not have permission","detail":{"logid":"L1"}}`},
		sandbox.FaceCozeStudio:     {200, `{"code":105000001,"msg":"unauthorized access : permission denied"}`},
		sandbox.FaceDify:           {403, `{"code":"forbidden","message":"Dataset api access is not enabled.","status":403}`},
		sandbox.FaceRAGFlow:        {200, `{"code":108,"data":null,"message":"No authorization."}`},
		sandbox.FaceRAGFlowPreview: {200, `{"code":103,"data":null,"message":"No authorization."}`},
		sandbox.FaceVolcengine:     {403, `{"code":1000002,"message":"no permission","request_id":"L1"}`},
	}},
	{row: "the knowledge base is unknown", says: map[string]word{
		sandbox.FaceCoze:           {200, `{"code":4200,"msg":"dataset not found","detail":{"logid":"L1"}}`},
		sandbox.FaceCozeStudio:     {200, `{"code":105000011,"msg":"knowledge not exist"}`},
		sandbox.FaceDify:           {404, `{"code":"not_found","message":"Dataset not found.","status":404}`},
		sandbox.FaceRAGFlow:        {200, `{"code":102,"message":"You don't own the dataset x."}`},
		sandbox.FaceRAGFlowPreview: {200, `{"code":102,"data":null,"message":"This dataset x cannot be found!"}`},
		sandbox.FaceVolcengine:     {400, `{"code":1000005,"message":"collection not exist","request_id":"L1"}`},
	}},
	{row: "too many requests", waits: minuteOnDify, says: map[string]word{
		sandbox.FaceCoze:       {200, `{"code":4013,"msg":"request frequency is too high","detail":{"logid":"L1"}}`},
		sandbox.FaceDify:       {403, `{"code":"forbidden","message":"Sorry, you have reached the knowledge base request rate limit of your subscription.","status":403}`},
		sandbox.FaceVolcengine: {429, `{"code":1000029,"message":"rate limit","request_id":"L1"}`},
	}},
	{row: "the plan is used up", says: map[string]word{
		sandbox.FaceCoze:       {200, `{"code":4028,"msg":"free quota is used up","detail":{"logid":"L1"}}`},
		sandbox.FaceDify:       {403, `{"code":"forbidden","message":"The capacity of the vector space has reached the limit of your subscription.","status":403}`},
		sandbox.FaceVolcengine: {400, `{"code":1000032,"message":"no order","request_id":"L1"}`},
	}},
	{row: "an unknown code", says: map[string]word{
		sandbox.FaceCoze:           {200, `{"code":7999999,"msg":"?","detail":{"logid":"L1"}}`},
		sandbox.FaceCozeStudio:     {200, `{"code":7999999,"msg":"?"}`},
		sandbox.FaceDify:           {422, `{"code":"unheard_of","message":"?","status":422}`},
		sandbox.FaceRAGFlow:        {200, `{"code":999,"message":"?"}`},
		sandbox.FaceRAGFlowPreview: {200, `{"code":999,"data":null,"message":"?"}`},
		sandbox.FaceVolcengine:     {200, `{"code":1999999,"message":"?","request_id":"L1"}`},
	}},
	{row: "a fault inside", says: map[string]word{
		sandbox.FaceCoze:           {200, `{"code":5000,"msg":"internal error","detail":{"logid":"L1"}}`},
		sandbox.FaceCozeStudio:     {500, `{"code":500,"msg":"internal server error"}`},
		sandbox.FaceDify:           {500, `{"code":"internal_server_error","message":"Internal Server Error","status":500}`},
		sandbox.FaceRAGFlow:        {200, `{"code":100,"data":null,"message":"OSError('disk')"}`},
		sandbox.FaceRAGFlowPreview: {200, `{"code":100,"data":null,"message":"OSError('disk')"}`},
		sandbox.FaceVolcengine:     {500, `{"code":1000028,"message":"internal error","request_id":"L1"}`},
	}},
}

// minuteOnDify is how long its limiter wants silence.
func minuteOnDify(face string) int {
	if face == sandbox.FaceDify {
		return 60
	}
	return 0
}

// refusals are the platforms' own words, under their status and under 200; and
// words that quote the request.
func refusals() []mishap {
	var own, fine []mishap
	for _, w := range sayings {
		says := func(face string) bool { return w.says[face].body != "" }
		own = append(own, mishap{row: w.row, only: says, differs: true, waits: w.waits, serve: func(x *exchange) {
			s := w.says[x.face]
			x.send(s.status, []byte(s.body))
		}})
		fine = append(fine, mishap{row: w.row + ", under 200", only: says, differs: true, serve: func(x *exchange) {
			x.send(200, []byte(w.says[x.face].body))
		}})
	}
	return append(grouped("The platform's own words", append(own, fine...)), grouped("Words that quote the request", echoes())...)
}

// echoes are answers that hold what the request carried, a credential among it.
func echoes() []mishap {
	said := func(x *exchange) string { return x.r.Header.Get("Authorization") + " of " + x.r.URL.String() }
	inEnvelope := func(x *exchange, text string) []byte {
		b, _ := json.Marshal(text) // a string
		return fmt.Appendf(nil, `{"code":%d,"msg":%s,"message":%[2]s,"detail":{"logid":%[2]s},"request_id":%[2]s}`, 4000, b)
	}
	named := regexp.MustCompile(`("(?:document_|doc_|collection_)?name":")`)
	credential := func(x *exchange) string {
		auth := x.r.Header.Get("Authorization")
		if _, key, ok := strings.Cut(auth, "Credential="); ok { // a signature: the key alone
			auth, _, _ = strings.Cut(key, "/")
		}
		return strings.TrimPrefix(auth, "Bearer ")
	}
	long := strings.Repeat("\x1b[31mwrong\x00\u202e ", 1<<12)
	return []mishap{
		{row: "400 that quotes it", serve: func(x *exchange) { x.send(400, inEnvelope(x, said(x))) }},
		{row: "500 that quotes it as text", serve: func(x *exchange) { x.send(500, []byte(said(x)), "Content-Type: text/plain") }},
		{row: "in a header that is none", serve: func(x *exchange) { x.raw("HTTP/1.1 200 OK\r\n"+said(x)+"\r\n\r\n", false) }},
		{row: "in place of an answer", serve: func(x *exchange) { x.raw(said(x)+"\r\n", false) }},
		{row: "in the header of a 500", serve: func(x *exchange) {
			x.send(500, nil, "X-Tt-Logid: "+said(x), "X-Trace-Id: "+said(x), "Retry-After: "+said(x))
		}},
		{row: "behind the body, where the next answer should be", serve: func(x *exchange) {
			x.keep(x.head(len(x.right.body)) + string(x.right.body) + said(x))
		}},
		{row: "in names", differs: true, serve: func(x *exchange) {
			x.send(x.right.status, named.ReplaceAll(x.right.body, []byte("${1}"+credential(x)+" ")))
		}},
		{row: "64 kB of words and control characters", heavy: true, serve: func(x *exchange) { x.send(400, inEnvelope(x, long)) }},
	}
}
