package sandbox

import "net/http"

func newCozeStudio(*Sandbox) http.Handler { return http.NotFoundHandler() }
