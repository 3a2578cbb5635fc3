package dify

// The credentials that the face accepts. They are fixed fakes: they open nothing
// but a sandbox, and a sandbox accepts nothing else.
const (
	// Key is a dataset key, AppKey an app key (refused like any other
	// wrong key).
	Key = "dataset-SandboxDify0123456789abcd"
	// OtherKey is a dataset key of another workspace, which has none of the
	// knowledge bases.
	OtherKey = "dataset-SandboxOther123456789abcd"
	AppKey   = "app-SandboxDify0123456789abcd"
)
