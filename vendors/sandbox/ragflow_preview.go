package sandbox

import "net/http"

func newRAGFlowPreview(*Sandbox) http.Handler { return http.NotFoundHandler() }
