package settings

import (
	"io"
	"strings"
	"testing"
)

// FuzzEnviron: whatever stands in the environment, the configuration is read or
// its problems are listed, by variable and never by a secret's value.
func FuzzEnviron(f *testing.F) {
	const key = "canary-0123456789"
	for _, lines := range []string{
		"DIFY_API_KEY=" + key, "COZE_API_TOKEN=" + key + "\nCOZE_API_BASE=http://x\nCOZE_RATE_LIMIT=1/s,2/min", "RAGFLOW_BASE_URL=://" + key,
		"COZE_JWT_OAUTH_CLIENT_ID=1\nCOZE_JWT_OAUTH_PUBLIC_KEY_ID=k\nCOZE_JWT_OAUTH_PRIVATE_KEY=-----BEGIN " + key,
		"KB_MCP_VENDORS=a=dify,b=coze,=,c\nA_DIFY_API_KEY=" + key, "VOLCENGINE_ACCESS_KEY=" + key + "\nVOLCENGINE_REGION=%zz\nVOLCENGINE_TIMEOUT=-1s",
		"KB_MCP_LOG_LEVEL=loud\nKB_MCP_ALLOWED_ORIGINS=null,http://a", "HTTPS_PROXY=http://u:" + key + "@\n=\nA", "DIFY_API_KEY=${DIFY_API_KEY}",
	} {
		f.Add(lines)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		environ := strings.Split(lines, "\n")
		for _, pair := range environ {
			name, _, _ := strings.Cut(pair, "=")
			if strings.HasSuffix(name, "_FILE") || name == "KB_MCP_UPLOAD_ROOTS" || name == "KB_MCP_REDIS_URL" {
				return // those look at files, or for a server
			}
		}
		conf, err := Open(environ, io.Discard, "0.0.0")
		if err == nil && len(conf.Connections) == 0 {
			t.Error("no connection and no word about it")
		}
		if err == nil {
			return
		}
		for _, name := range []string{"DIFY_API_KEY", "COZE_API_TOKEN", "VOLCENGINE_SECRET_KEY", "COZE_JWT_OAUTH_PRIVATE_KEY"} {
			if secret := conf.Env.Get(name); strings.Contains(secret, "canary") && strings.Contains(err.Error(), secret) {
				t.Errorf("the value of %s is in: %v", name, err)
			}
		}
	})
}
