package confirm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"sync"
	"time"
)

// Bounds of a sealed state.
const (
	goodFor  = 10 * time.Minute
	mostUsed = 10_000 // remembered
	mostText = 4096   // bytes of a state
)

// Sizes of the parts of a state: the name of the process, then what is sealed,
// which begins with its nonce.
const (
	processSize = 8
	nonceSize   = 12
	stampSize   = 8 // of the plain text: when it expires
)

// Why a state is not good.
var (
	errOtherProcess = errors.New("the confirmation is of another process")
	errAltered      = errors.New("the confirmation was changed, or is another call's or caller's")
	errExpired      = errors.New("the confirmation has expired")
	errUsed         = errors.New("the confirmation was used before")
)

// seals makes states that wait at a client: what is to be typed, encrypted and
// bound to a call, good for ten minutes and for one time. A state of another
// process, which no key of this one opens, is told from one that was changed by
// the name of the process before it.
type seals struct {
	process []byte
	aead    cipher.AEAD

	mu    sync.Mutex
	used  map[string]struct{} // by nonce
	order []usedSeal          // the first used first
	floor time.Time           // what expires at this time or before it may have been used, and is forgotten
}

type usedSeal struct {
	nonce   string
	expires time.Time
}

func newSeals() *seals {
	secret := make([]byte, 32+processSize)
	_, _ = rand.Read(secret) // never fails
	block, err := aes.NewCipher(secret[:32])
	if err != nil {
		panic(err) // the size is good
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the block is AES
	}
	return &seals{process: secret[32:], aead: aead, used: map[string]struct{}{}}
}

// seal makes a state.
func (s *seals) seal(want string, to []byte) (string, error) {
	plain := binary.BigEndian.AppendUint64(nil, uint64(time.Now().Add(goodFor).UnixNano()))
	state := s.aead.Seal(append([]byte(nil), s.process...), nil, append(plain, want...), to)
	text := base64.RawURLEncoding.EncodeToString(state)
	if len(text) > mostText {
		return "", errors.New("what is to be typed is too long")
	}
	return text, nil
}

// open gives what is to be typed, once.
func (s *seals) open(text string, to []byte) (want string, err error) {
	if len(text) > mostText {
		return "", errAltered
	}
	state, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(state) < processSize+nonceSize {
		return "", errAltered
	}
	if string(state[:processSize]) != string(s.process) {
		return "", errOtherProcess
	}
	sealed := state[processSize:]
	plain, err := s.aead.Open(nil, nil, sealed, to)
	if err != nil || len(plain) < stampSize {
		return "", errAltered
	}
	expires := time.Unix(0, int64(binary.BigEndian.Uint64(plain)))
	if !time.Now().Before(expires) {
		return "", errExpired
	}
	return string(plain[stampSize:]), s.use(string(sealed[:nonceSize]), expires)
}

// use notes that a state was used. Of those that are forgotten early, because
// they are many, none is good any more.
func (s *seals) use(nonce string, expires time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, before := s.used[nonce]; before {
		return errUsed
	}
	if !expires.After(s.floor) {
		return errExpired
	}
	now := time.Now()
	for len(s.order) > 0 && (len(s.order) >= mostUsed || !now.Before(s.order[0].expires)) {
		first := s.order[0]
		s.order = s.order[1:]
		delete(s.used, first.nonce)
		if first.expires.After(s.floor) {
			s.floor = first.expires
		}
	}
	s.used[nonce] = struct{}{}
	s.order = append(s.order, usedSeal{nonce, expires})
	return nil
}
