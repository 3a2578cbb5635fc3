package rest

// sieve detects quickly that a text holds none of a list of words: the end of
// one that is there covers one of the places at which catches looks.
type sieve struct {
	size  int             // of a part
	step  int             // between two places
	parts map[string]bool // of the words' ends, which may lie at such a place
}

// maxPart is the size of a part from which chance puts none into a text.
const maxPart = 8

// sieveOf makes the sieve of words, longest first, of which the shortest has at
// least two bytes. The ends count, because many keys begin alike.
func sieveOf(words []string) sieve {
	if len(words) == 0 {
		return sieve{}
	}
	shortest := len(words[len(words)-1])
	size := min(shortest/2, maxPart)
	s := sieve{size: size, step: shortest - size + 1, parts: map[string]bool{}}
	for _, w := range words {
		end := w[len(w)-shortest:]
		for i := range s.step {
			s.parts[end[i:i+size]] = true
		}
	}
	return s
}

// catches reports whether a text may hold one of the words.
func (s sieve) catches(text string) bool {
	for i := 0; s.step > 0 && i+s.size <= len(text); i += s.step {
		if s.parts[text[i:i+s.size]] {
			return true
		}
	}
	return false
}
