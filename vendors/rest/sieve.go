package rest

// sieve tells quickly that a text holds none of a list of words: the end of one
// that is there covers one of the places at which catches looks.
type sieve struct {
	step  int             // between two such places
	parts map[uint32]bool // four bytes of a word's end, which may lie at one
}

const partSize = 4

// sieveOf makes the sieve of words, longest first, of which the shortest has at
// least four bytes. The ends count, because many keys begin alike.
func sieveOf(words []string) sieve {
	if len(words) == 0 {
		return sieve{}
	}
	shortest := len(words[len(words)-1])
	s := sieve{step: shortest - partSize + 1, parts: map[uint32]bool{}}
	for _, w := range words {
		end := w[len(w)-shortest:]
		for i := range s.step {
			s.parts[part(end[i:])] = true
		}
	}
	return s
}

// catches reports whether a text may hold one of the words.
func (s sieve) catches(text string) bool {
	for i := 0; s.step > 0 && i+partSize <= len(text); i += s.step {
		if s.parts[part(text[i:])] {
			return true
		}
	}
	return false
}

// part is the first four bytes of a text.
func part(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}
