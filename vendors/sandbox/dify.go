package sandbox

import "net/http"

func newDify(*Sandbox) http.Handler { return http.NotFoundHandler() }
