package sandbox

import "net/http"

func newVolcengine(*Sandbox) http.Handler { return http.NotFoundHandler() }
