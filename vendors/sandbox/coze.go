package sandbox

import "net/http"

func newCoze(*Sandbox) http.Handler { return http.NotFoundHandler() }
