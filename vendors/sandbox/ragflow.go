package sandbox

import "net/http"

func newRAGFlow(*Sandbox) http.Handler { return http.NotFoundHandler() }
