package sandbox

// The credentials that the sandbox accepts. They are fixed fakes: they open
// nothing but a sandbox, and a sandbox accepts nothing else.
const (
	// CozeToken may do everything on both Coze faces.
	CozeToken = "pat_SandboxCoze0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"
	// CozeTokenNoScope is a right token that lacks every permission: the
	// hosted face answers 200 with code 4101. On studio, whose tokens have no
	// scopes, it is another user's, who owns nothing here: 105000001.
	CozeTokenNoScope = "pat_SandboxNoScope0123456789abcdefghijklmnopqrstuvwxyz0123456789ABC"
	// CozeSpaceID is the space of every Coze knowledge base that does not name
	// another; CozeOtherSpaceID is the one of CozeTokenNoScope's user on studio.
	CozeSpaceID      = "7311219484398790001"
	CozeOtherSpaceID = "7311219484398790002"
	// CozeClientID, CozePublicKeyID and CozeAccountID name the JWT app; its
	// private key is [Sandbox.CozePrivateKey].
	CozeClientID    = "1139200000001"
	CozePublicKeyID = "kQ2sandboxPublicKeyFingerprint0123456789abcd"
	CozeAccountID   = "2100000001"

	// DifyKey is a dataset key, DifyAppKey an app key (refused like any other
	// wrong key).
	DifyKey = "dataset-SandboxDify0123456789abcd"
	// DifyOtherKey is a dataset key of another workspace, which has none of the
	// knowledge bases.
	DifyOtherKey = "dataset-SandboxOther123456789abcd"
	DifyAppKey   = "app-SandboxDify0123456789abcd"

	// RAGFlowKey is the API key of the current generation.
	RAGFlowKey = "ragflow-SandboxRagflow0123456789abcdefghij"
	// RAGFlowToken is the web login token of the preview generation.
	RAGFlowToken = "IjAwMTEyMjMzNDQ1NTY2Nzc4ODk5YWFiYmNjZGRlZWZmIg.ZpRgQA.12oWNKLK57U8qtPhh_1vOCW63zo"

	// VolcengineAccessKey and VolcengineSecretKey sign requests; with
	// VolcengineSessionToken they are a temporary pair, also accepted.
	VolcengineAccessKey    = "AKLTSANDBOXACCESSKEYID"
	VolcengineSecretKey    = "U2FuZGJveFZvbGNlbmdpbmVTZWNyZXRLZXkwMQ=="
	VolcengineSessionToken = "STSSANDBOXSESSIONTOKEN=="
	// VolcengineAccessKey2 and VolcengineSecretKey2 are a second good pair.
	VolcengineAccessKey2 = "AKLTSANDBOXSECONDKEYID"
	VolcengineSecretKey2 = "U2FuZGJveFZvbGNlbmdpbmVTZWNyZXRLZXkwMg=="
	// VolcengineAPIKey has every right, VolcengineAPIKeyNoRights none: 403
	// with code 1000002.
	VolcengineAPIKey         = "vk-sandbox-0123456789abcdef0123456789abcdef"
	VolcengineAPIKeyNoRights = "vk-sandbox-norights-0123456789abcdef0123456"
	// VolcengineAccount is the account id behind every Volcengine credential.
	VolcengineAccount = "2100000007"
)
