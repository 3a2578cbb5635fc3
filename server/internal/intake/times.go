package intake

import (
	"net/http"
	"time"
)

// Times are what a client may take. The first two hold on every path and before
// anybody is asked for a token.
type Times struct {
	Headers time.Duration // for all of them
	Silence time.Duration // for the body to begin, and between any two parts of it
	Body    time.Duration // for all of it
	Read    time.Duration // to read a part of its answer
	Idle    time.Duration // between two requests
}

// UsualTimes are those of a server that is not under test.
func UsualTimes() Times {
	return Times{Headers: 5 * time.Second, Silence: 5 * time.Second, Body: 30 * time.Second, Read: 30 * time.Second, Idle: 2 * time.Minute}
}

// Hold ends the time that a request may take to arrive: its connection is read
// on while the call runs, to hear the client leave, and a deadline left
// standing would look like that. It reports whether there is room for one more
// connection that stays.
func (t Times) Hold(w http.ResponseWriter, r *http.Request) bool {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{})
	t.ExtendWrite(rc)
	return keep(r.Context())
}

// ExtendWrite gives the next part of an answer its time.
func (t Times) ExtendWrite(rc *http.ResponseController) {
	_ = rc.SetWriteDeadline(time.Now().Add(t.Read))
}
