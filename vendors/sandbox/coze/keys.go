package coze

// The credentials that the face accepts. They are fixed fakes: they open nothing
// but a sandbox, and a sandbox accepts nothing else.
const (
	// Token may do everything on both Coze faces.
	Token = "pat_SandboxCoze0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"
	// TokenNoScope is a right token that lacks every permission: the
	// hosted face answers 200 with code 4101. On studio, whose tokens have no
	// scopes, it is another user's, who owns nothing here: 105000001.
	TokenNoScope = "pat_SandboxNoScope0123456789abcdefghijklmnopqrstuvwxyz0123456789ABC"
	// SpaceID is the space of every Coze knowledge base that does not name
	// another; OtherSpaceID is the one of TokenNoScope's user on studio.
	SpaceID      = "7311219484398790001"
	OtherSpaceID = "7311219484398790002"
	// ClientID, PublicKeyID and AccountID name the JWT app; its
	// private key is that of [Options].
	ClientID    = "1139200000001"
	PublicKeyID = "kQ2sandboxPublicKeyFingerprint0123456789abcd"
	AccountID   = "2100000001"
)
