package volcengine

// The credentials that the face accepts. They are fixed fakes: they open nothing
// but a sandbox, and a sandbox accepts nothing else.
const (
	// AccessKey and SecretKey sign requests; with
	// SessionToken they are a temporary pair, also accepted.
	AccessKey    = "AKLTSANDBOXACCESSKEYID"
	SecretKey    = "U2FuZGJveFZvbGNlbmdpbmVTZWNyZXRLZXkwMQ=="
	SessionToken = "STSSANDBOXSESSIONTOKEN=="
	// AccessKey2 and SecretKey2 are a second good pair.
	AccessKey2 = "AKLTSANDBOXSECONDKEYID"
	SecretKey2 = "U2FuZGJveFZvbGNlbmdpbmVTZWNyZXRLZXkwMg=="
	// APIKey has every right, APIKeyNoRights none: 403
	// with code 1000002.
	APIKey         = "vk-sandbox-0123456789abcdef0123456789abcdef"
	APIKeyNoRights = "vk-sandbox-norights-0123456789abcdef0123456"
	// Account is the account id behind every Volcengine credential.
	Account = "2100000007"
)
