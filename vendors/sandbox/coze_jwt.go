package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
)

// cozeKey makes the key pair of the Coze JWT app.
func cozeKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("sandbox: " + err.Error()) // the system's random numbers never fail
	}
	return key
}
