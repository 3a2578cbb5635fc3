package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
)

// newCozeKey makes the key pair of the Coze JWT app.
func newCozeKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("sandbox: " + err.Error()) // the system's random numbers never fail
	}
	return key
}
