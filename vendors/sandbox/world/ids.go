package world

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// Ids follow from the number of what they name, so that the same options give
// the same ids. Each is in its platform's form.

// kbID is the id of a platform's n-th entry as a knowledge base.
func kbID(platform string, n int) string {
	switch platform {
	case Coze:
		return CozeNumber(n)
	case Volcengine:
		return "kb-" + Digest("kb", platform, n)[:16]
	default:
		return HexID(platform, "kb", n)
	}
}

// documentID is the id of a platform's n-th entry as a document.
func documentID(platform string, n int) string {
	switch platform {
	case Coze:
		return CozeNumber(n)
	case Volcengine:
		if n%2 == 0 {
			return "doc_" + Digest("doc", platform, n)[:24]
		}
		return "_sys_auto_gen_doc_id-1769" + strconv.FormatUint(Scatter(n), 10)
	default:
		return HexID(platform, "doc", n)
	}
}

// CozeNumber is a 19-digit decimal number above 2^53.
func CozeNumber(n int) string {
	return strconv.FormatUint(7_446_000_000_000_000_000+Scatter(n), 10)
}

// Scatter is a one-to-one mapping of small numbers to numbers of 15 digits.
func Scatter(n int) uint64 {
	const bits = 48 // 2^48 is 281474976710656
	return 100_000_000_000_000 + (uint64(n)*0x9E3779B97F4A7C15)&(1<<bits-1)
}

// HexID is a Dify UUID or a RAGFlow id of 32 hex digits.
func HexID(platform, what string, n int) string {
	h := Digest(what, platform, n)[:32]
	if platform != Dify { // version 1, which v0.24 asks for
		return h[:12] + "1" + h[13:16] + "a" + h[17:]
	}
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

// Digest is 64 hex digits that look random and are not.
func Digest(what, platform string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", platform, what, n))
	return hex.EncodeToString(sum[:])
}

// BatchID is a Dify batch: the time of the upload and six digits.
func BatchID(created time.Time, n int) string {
	return created.UTC().Format("20060102150405") + fmt.Sprintf("%06d", Scatter(n)%1_000_000)
}

// repeated numbers and repeats texts until there are n.
func repeated(texts []string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("[%d] %s", i+1, texts[i%len(texts)])
	}
	return out
}
